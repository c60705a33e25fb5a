"""Grades on their way back: files in the shape that Canvas and Moodle export, filled from a real batch."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import command
import pytest
from classroom import FAILED, PASSED, USAGE, right, write, wrong
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom.gradebook import Grade, read
from grader.commands.grades import earned
from grader.core.errors import UsageError

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Backprop (4711),Essay (12),Current Score\r\n"
    "    Points Possible,,,,,10,5,(read only)\r\n"
    '"Lovelace, Ada",101,s1,ada,"A, 1",,4,80\r\n'
    '"Hopper, Grace",102,s2,grace,A,3,,\r\n'
    '"Student, Test",103,,x,A,,,\r\n'
)
MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 101","Ada Lovelace",ada@example.org,Submitted,,100.00,Yes,-,-,"fine, ""so far"""\n'
    '"Participant 102","Grace Hopper",g@example.org,Submitted,12.00,100.00,Yes,-,-,\n'
    '"Participant 103","Ärmel Übung",u@example.org,-,,100.00,Yes,-,-,\n'
)
GERMAN = (
    'ID,"Vollständiger Name",Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Bewertung)"\n'
    'Teilnehmer/in101,"Ada Lovelace",Abgegeben,,"20,00",Ja,-\n'
    'Teilnehmer/in102,"Grace Hopper",Abgegeben,"3,50","20,00",Ja,-\n'
    'Teilnehmer/in103,"Ärmel Übung",-,,"20,00",Ja,-\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Last Name,Week 1 Points Grade <Numeric MaxPoints:20 Weight:10>,"
    "Sum Numerator,End-of-Line Indicator\r\n#101,Lovelace,,3,#\r\n#102,Hopper,1,3,#\r\n#103,Ü,,3,#\r\n"
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Total [Total Pts: up to 120 Score] |3"\t'
    '"Week 1 [Total Pts: 20 Score] |1234"\t"Feedback to Learner"\r\n'
    '"Love"\t"Ada"\t"101"\t"7"\t"3"\t""\t""\r\n"Hop"\t"Grace"\t"102"\t"8"\t"3"\t"1"\t""\r\n'
    '"Übung"\t"Ä"\t"103"\t"9"\t"3"\t""\t""\r\n'
)
SAKAI = (
    '"Week 1","SCORE_GRADE_TYPE"\n""\n'
    '"Display ID","ID","Last Name","First Name","grade","Submission date","Late submission"\n'
    '"ada@x","101","Love","Ada","","2026-04-02T04:00:05Z","On time"\n'
    '"grace@x","102","Hop","Grace","1","2026-04-02T04:00:05Z","Late"\n"u@x","103","Ü","Ä","","",""\n'
)
ROSTER = "id,name,section,extension\ns101,Ada Lovelace,A,\ns102,Grace Hopper,B,\n"
GRADES = {"101": Grade(26, 26), "102": Grade(25, 26)}


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))


@pytest.mark.parametrize(
    "export, delimiter, column, at, cells",
    [
        (CANVAS, ",", "Backprop", 5, ("10", "9.62", "")),
        (CANVAS, ",", "4711", 5, ("10", "9.62", "")),
        (
            CANVAS.replace('"A, 1"', "A").replace(",", ";").replace("e; ", "e, "),
            ";",
            "4711",
            5,
            ("10", "9.62", ""),
        ),
        ("\ufeff" + CANVAS, ",", "Backprop (4711)", 5, ("10", "9.62", "")),
        (MOODLE, ",", None, 4, ("100", "96.15", "")),
        (GERMAN, ",", None, 3, ("20", "19,23", "")),
        (BRIGHTSPACE, ",", None, 2, ("20", "19.23", "")),
        (BRIGHTSPACE, ",", "Week 1", 2, ("20", "19.23", "")),
        (GERMAN.replace("Bewertung,", "Pistemäärä,"), ",", "Pistemäärä", 3, ("20", "19,23", "")),
        ("\ufeff" + BLACKBOARD, "\t", None, 5, ("20", "19.23", "")),
        ("\ufeff" + BLACKBOARD.replace("\t", ","), ",", "Week 1", 5, ("20", "19.23", "")),
        (SAKAI, ",", None, 4, ("26", "25", "")),
    ],
)
def test_one_column_is_filled_and_all_else_is_as_it_was(
    export: str, delimiter: str, column: str | None, at: int, cells: tuple[str, ...]
) -> None:
    encoding = "utf-16-le" if "\t" in export else "utf-8"  # as Blackboard's is
    filled = read(export.encode(encoding), "export.csv", column).filled(GRADES).decode(encoding)
    before, after = table(export, delimiter), table(filled, delimiter)
    assert tuple(row[at] for row in after[-3:]) == cells
    for old, new in zip(before, after, strict=True):
        assert old[:at] + old[at + 1 :] == new[:at] + new[at + 1 :]
    assert after[:-3] == before[:-3]
    assert filled.startswith("\ufeff") == export.startswith("\ufeff")
    assert ("\r\n" in filled) == ("\r\n" in export)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=3, max_size=3))
def test_names_of_any_kind_come_back(names: list[str]) -> None:
    out = io.StringIO()
    rows = [["Student", "ID", "Section", "Work (1)"], *([n, str(i), "A", ""] for i, n in enumerate(names))]
    csv.writer(out).writerows(rows)
    filled = read(out.getvalue().encode(), "export.csv", None).filled({"1": Grade(1, 2)}).decode()
    again = list(csv.reader(io.StringIO(filled, newline="")))
    rows[2][3] = "1"
    assert again == rows


@pytest.mark.parametrize(
    "export, column, word",
    [
        (CANVAS, None, "Name it with --column: Backprop (4711), Essay (12)"),
        (CANVAS, "Nothing", "which column"),
        (MOODLE.replace("Grade,", "Hodnocení,", 1), None, "Name it with --column"),
        ("a,b\n1,2\n", None, "nor Moodle's"),
        (ROSTER, None, "has no column of grades, no more than a roster"),
        (ROSTER, "name", "has no column of grades, no more than a roster"),
        (MOODLE, "Full name", "Name it with --column: Grade, Maximum Grade, Last modified (submission)"),
        (BRIGHTSPACE, "Sum Numerator", "which column"),
        ("a,b\n1\n", None, "not as long as its headings"),
        ("", None, "no export"),
    ],
)
def test_nothing_is_guessed(export: str, column: str | None, word: str) -> None:
    with pytest.raises(UsageError, match=r"^export\.csv") as error:
        read(export.encode(), "export.csv", column)
    assert word in str(error.value)


def test_what_can_t_be_graded_is_nobody_s_zero() -> None:
    def result(student: str, exercise: str, score: int, of: int, problem: str = "") -> dict[str, object]:
        exercises = [] if problem else [{"id": exercise, "score": score, "max_score": of}]
        return {"student": student, "score": score, "problem": problem, "exercises": exercises}

    grades, left = earned(
        [
            result("a", "ex1", 26, 26),
            result("a", "ex2", 0, 1),
            result("b", "ex2", 1, 1),
            result("c", "ex1", 0, 0, "two files"),
            result("d", "ex3", 1, 1),
        ],
        ["ex1", "ex2"],
    )
    assert grades == {"a": Grade(26, 27), "b": Grade(1, 27)}
    assert left == {"c": "two files", "d": "handed in ex3, which does not count"}


CLASS = {f"s{n}_{n}_5{n}_ex1.py": right(f"s{n}") for n in range(101, 130)}
LAST = "mallory_130_5130_"
EXTRA = {
    "others": {LAST + "ex1.py": right("m"), LAST + "gpt.ex10.py": "x = 1", LAST + "wavenet.ex4.py": "x = 1"},
    "only another": {LAST + "gpt2.ex8.py": "x = 1"},
    "nothing to be graded": {LAST + "ex1.py": "x = 1", LAST + "ex2.ipynb": "{"},
    "itself twice": {LAST + "ex1.py": right("m"), "mallory_130_5131_ex1-1.py": wrong("m")},
}
BOOK = (
    "Student,ID,SIS Login ID,Section,Week 1 (777)\n    Points Possible,,,,26\n"
    + "".join(f'"S, {n}",{n},s{n},A,\n' for n in range(101, 130))
    + '"Mallory, M",130,m,A,\n'
)


@pytest.mark.parametrize("extra", EXTRA)
def test_what_one_student_hands_in_takes_nothing_from_the_others(extra: str, tmp_path: Path) -> None:
    write(tmp_path / "up", CLASS | EXTRA[extra])
    (tmp_path / "book.csv").write_text(BOOK)
    command.grader("batch", "up", "--out", "done", "--workers", "1", cwd=tmp_path)
    grades = ("grades", "done", "--into", "book.csv", "--out", "filled.csv")
    ran = command.grader(*grades, cwd=tmp_path)
    if ran.returncode == USAGE:
        assert "not all have handed in the same of ex1, gpt" in ran.stderr and ran.stderr.count("\n") == 1
        assert "--exercise" in ran.stderr and not (tmp_path / "filled.csv").exists()
        ran = command.grader(*grades, "--exercise", "ex1", cwd=tmp_path)
    else:
        assert extra not in ("others", "only another")
    assert ran.returncode in (PASSED, FAILED)
    filled = {row[1]: row[4] for row in table((tmp_path / "filled.csv").read_text())[2:]}
    assert [filled[str(n)] for n in range(101, 130)] == ["26"] * 29


def test_what_counts_must_be_there() -> None:
    def result(student: str, **of: int) -> dict[str, object]:
        exercises = [{"id": name, "score": most, "max_score": most} for name, most in of.items()]
        return {"student": student, "problem": "", "exercises": exercises}

    one = result("a", ex1=26)
    assert earned([one, result("b", ex1=26, ex2=0)])[0] == {"a": Grade(26, 26), "b": Grade(26, 26)}
    with pytest.raises(UsageError, match="--exercise ex3: nobody has handed it in; here are ex1"):
        earned([one], ["ex1", "ex3"])
    with pytest.raises(UsageError, match="ex1 is not of as many points for all"):
        earned([one, result("b", ex1=20)])


def test_from_an_upload_to_the_file_to_import(tmp_path: Path) -> None:
    write(
        tmp_path / "up",
        {
            "Ada Lovelace_101_assignsubmission_file/ex1.py": right("ada"),
            "Grace Hopper_102_assignsubmission_file/ex1.py": wrong("grace"),
            "Nobody Known_999_assignsubmission_file/ex1.py": right("nobody"),
        },
    )
    (tmp_path / "worksheet.csv").write_text(MOODLE)

    def grader(*args: str) -> command.Ran:
        return command.grader(*args, cwd=tmp_path)

    assert grader("batch", "up", "--exercise", "ex1", "--out", "done", "--workers", "1").returncode == FAILED
    ran = grader("grades", "done", "--into", "worksheet.csv", "--out", "import.csv")
    assert ran.returncode == FAILED and "no grade for 999 (Nobody Known): not in worksheet.csv" in ran.stdout
    assert "2 grades in 'Grade'" in ran.stdout and "scaled from 26 points to a maximum of 100" in ran.stdout
    assert [row[4] for row in table((tmp_path / "import.csv").read_text())] == ["Grade", "100", "96.15", ""]
    assert (tmp_path / "worksheet.csv").read_text() == MOODLE
    ran = grader("grades", "done", "--into", "worksheet.csv", "--out", "./worksheet.csv")
    assert ran.returncode == 2 and "is the platform's export, which stays as it is" in ran.stderr
    assert (tmp_path / "worksheet.csv").read_text() == MOODLE
    (tmp_path / "worksheet.csv").write_text(MOODLE.replace("Participant 103", "Participant 999"))
    assert grader("grades", "done", "--into", "worksheet.csv", "--out", "import.csv").returncode == PASSED
    lost = grader("grades", "nowhere", "--into", "worksheet.csv", "--out", "import.csv")
    assert lost.returncode == USAGE and "grader batch" in lost.stderr
