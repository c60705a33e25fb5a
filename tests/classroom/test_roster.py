"""Who is in the class, when they handed in, and what a second run changes: by real batches."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import command
import flatcode
import pytest
from classroom import FAILED, PASSED, USAGE, grades, results, right, write, wrong
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom import changes, roster, times
from grader.core.errors import UsageError
from grader.judging.points.marks import days_late
from grader.judging.points.policy import parse

ROSTERS = {
    "ours": "id,name,section,group,extension\n101,Ada Lee,A,,\n"
    "102,Grace Hopper,B,,2026-12-05T00:00:00Z\n103,Zoë Z,B,,\n",
    "Canvas": "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Work (7)\n    Points Possible,,,,,10\n"
    '"Lee, Ada",101,s1,ada,A,\n"Hopper, Grace",102,s2,grace,B,\n"Z, Zoë",103,s3,zoe,B,\n'
    '"Student, Test",999,,x,A,\n',
    "Moodle": "Identifier,Full name,Email address,Status\nParticipant 101,Ada Lee,a@x.org,-\n"
    "Participant 102,Grace Hopper,g@x.org,-\nParticipant 103,Zoë Z,z@x.org,-\n",
    "Moodle in German": "ID;Vollständiger Name;E-Mail-Adresse\nTeilnehmer/in101;Ada Lee;a@x.org\n"
    "Teilnehmer/in102;Grace Hopper;g@x.org\nTeilnehmer/in103;Zoë Z;z@x.org\n",
    "Brightspace": "OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n"
    "#101,ada,Lee,Ada,a@x.org,#\n"
    "#102,grace,Hopper,Grace,g@x.org,#\n#103,zoe,Z,Zoë,z@x.org,#\n",
    "Gradescope": "First Name,Last Name,SID,Email,Sections\n"
    "Ada,Lee,101,a@x.org,A\nGrace,Hopper,102,g@x.org,B\n"
    "Zoë,Z,103,z@x.org,B\n",
    "GitHub Classroom": "identifier,github_username,github_id,name\n101,ada,9,Ada Lee\n"
    "102,grace,8,Grace Hopper\n103,,,Zoë Z\n",
}


@pytest.mark.parametrize("dialect", ROSTERS)
def test_a_roster_of_each_platform_is_read(dialect: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"r.csv": ROSTERS[dialect]}) / "r.csv"
    found = roster.read(path)
    assert [e.ids[0] for e in found] == ["101", "102", "103"]
    assert [roster._words(e.name) for e in found] == ["ada lee", "grace hopper", "z zoë"]


def test_github_classroom_s_grades_tell_who_is_in_a_team(tmp_path: Path) -> None:
    """By the columns of its REST API's classroom-assignment-grade."""
    heading = "assignment_name,github_username,roster_identifier,student_repository_name,group_name"
    rows = "hw,ada,s1,hw-owls,owls\nhw,bo,s2,hw-owls,owls\n"
    found = roster.read(write(tmp_path, {"grades.csv": f"{heading}\n{rows}"}) / "grades.csv")
    assert [e.ids for e in found] == [("ada", "s1"), ("bo", "s2")]
    assert roster.groups(found) == {"owls": ["ada", "bo"]}


@pytest.mark.parametrize(
    "lines, why",
    [
        ("name,section\nAda,A\n", "no column of ids"),
        ("id,name\n1,Ada\n1,Bob\n", "line 3: 1 is in line 2 already"),
        ("id,extension\n1,tomorrow\n", "line 2: 'tomorrow' is no time"),
        ("id,extension\n1,2026-12-01\n", "has no offset"),
        ("id,name\n", "nobody"),
    ],
)
def test_one_line_of_a_roster_that_is_none(lines: str, why: str, tmp_path: Path) -> None:
    write(tmp_path, {"r.csv": lines, "up/ada/ex1.py": "x = 1\n"})
    ran = command.grader("batch", "up", "--out", "done", "--roster", "r.csv", cwd=tmp_path)
    assert ran.returncode == USAGE and why in ran.stderr and ran.stderr.count("\n") == 1
    assert not (tmp_path / "done").exists()


def test_the_absent_get_what_the_policy_says_and_strangers_are_told(tmp_path: Path) -> None:
    blind = "Participant_{}_assignsubmission_file/ex1.py"
    write(
        tmp_path,
        {
            "up/" + blind.format(101): right("a"),
            "up/" + blind.format(102): wrong("g"),
            "up/" + blind.format(999): right("s"),
            "r.csv": ROSTERS["ours"],
            "zero.toml": "absent = 0\n",
            "book.csv": "Student,ID,Work (7)\nA,101,\nG,102,\nZ,103,\n",
        },
    )
    batch = ("batch", "up", "--out", "done", "--workers", "1", "--roster", "r.csv")
    ran = command.grader(*batch, cwd=tmp_path)
    assert ran.returncode == FAILED and "absent:\n  Zoë Z" in ran.stdout and "3 submissions" in ran.stdout
    assert "not on --roster r.csv: 999" in ran.stdout
    rows = {r["student"]: r for r in grades(tmp_path / "done")}
    assert rows["101"]["name"] == "Ada Lee" and "nothing is handed in" in rows["103"]["note"]
    assert {r["student"]: r["section"] for r in results(tmp_path / "done")} == {
        "101": "A",
        "102": "B",
        "103": "B",
        "999": "",
    }
    assert "Section B: 1 graded" in (tmp_path / "done/class.html").read_text()
    fill = ("grades", "done", "--into", "book.csv", "--out", "in.csv")
    assert "no grade for 103 (Zoë Z): on the roster" in command.grader(*fill, cwd=tmp_path).stdout
    cells = [line.rsplit(",", 1)[1] for line in (tmp_path / "in.csv").read_text().splitlines()]
    assert cells == ["Work (7)", "26", "25", ""]
    command.grader(*batch, "--policy", "zero.toml", cwd=tmp_path)
    command.grader(*fill, cwd=tmp_path)
    assert (tmp_path / "in.csv").read_text().splitlines()[-1] == "Z,103,0"


def test_names_that_two_have_are_nobody_s(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "up/Ann Lee - ex1.py": right("a"),
            "r.csv": 'id,name\n1,Ann Lee\n2,"Lee, Ann"\n',
            "z.toml": "absent = 0\n",
        },
    )
    args = ("batch", "up", "--out", "done", "--workers", "1", "--roster", "r.csv", "--policy", "z.toml")
    ran = command.grader(*args, cwd=tmp_path)
    assert (
        "1 submission: nothing tells whose: write it into done/owners.csv" in ran.stdout
        and "absent" not in ran.stdout
    )
    assert "nothing tells which file is theirs:\n  Ann Lee\n  Lee, Ann\n" in ran.stdout
    found = {r["student"]: r for r in results(tmp_path / "done")}
    assert [found[n]["absent"] for n in "12"] == ["unknown", "unknown"]  # and not the policy's 0
    assert "several on the roster are called" in found["1"]["problem"]


def test_a_number_of_the_platform_s_is_told_whose_it_is_with_all_its_attempts(tmp_path: Path) -> None:
    """Brightspace's own number is in no list that it gives out, and two may have one name."""
    attempts = {"41": ("905 AM", "115 PM"), "42": ("1005 AM",), "43": ("1005 AM",)}
    names = {"41": "Ann Lee", "42": "Ann Lee", "43": "Bo Fox"}
    files = {
        f"up/{who}-1 - {names[who]} - Nov 20, 2026 {time}/ex1.py": f"x = {time[:3]}\n"
        for who, times in attempts.items()
        for time in times
    }
    write(tmp_path, files | {"r.csv": "id,name\ns1,Ann Lee\ns2,Ann Lee\n"})
    batch = ("batch", "up", "--exercise", "ex1", "--out", "done", "--roster", "r.csv", "--workers", "1")
    ran = command.grader(*batch, cwd=tmp_path)
    assert "2 submissions: nothing tells whose" in ran.stdout
    assert "not on --roster r.csv: 43 (Bo Fox)\n" in ran.stdout
    table = tmp_path / "done/owners.csv"
    assert table.read_text().splitlines() == ["file,student", "41,,Ann Lee", "42,,Ann Lee"]
    table.write_text("file,student\n41,s2,Ann Lee\n42,s1,Ann Lee\n")
    ran = command.grader(*batch, "--owners", "done/owners.csv", cwd=tmp_path)
    assert "nothing tells whose" not in ran.stdout and "absent" not in ran.stdout
    found = {r["student"]: r["submission"] for r in results(tmp_path / "done")}
    assert "115 PM" in found["s2"] and "42-1" in found["s1"] and found.keys() == {"s1", "s2", "43"}


SHEET = {
    "en": (
        "Identifier,Last modified (submission)",
        "Participant 101",
        '"Friday, 20 November 2026, 11:52 PM"',
    ),
    "de": ("ID,Zuletzt geändert (Abgabe)", "Teilnehmer/in101", '"Freitag, 20. November 2026, 23:52"'),
    "fr": (
        "Identifiant,Dernière modification (travail remis)",
        "Participant 101",
        '"vendredi 20 novembre 2026, 23:52"',
    ),
    "es": (
        "Identificador,Última modificación (entrega)",
        "Participante 101",
        '"viernes, 20 de noviembre de 2026, 23:52"',
    ),
    "zh": ("编号,最后修改时间(提交)", "成员101", '"2026年11月20日 星期五 23:52"'),
}


@pytest.mark.parametrize("language", SHEET)
def test_moodle_s_worksheet_tells_times(language: str, tmp_path: Path) -> None:
    header, who, told = SHEET[language]
    path = write(tmp_path, {"t.csv": f"{header}\n{who},{told}\n{who[:-3]}102,-\n"}) / "t.csv"
    zone = timezone(timedelta(hours=1))
    assert times.read(path, zone) == {"101": datetime(2026, 11, 20, 23, 52, tzinfo=zone)}


@pytest.mark.parametrize(
    "lines, why",
    [
        ("student,time\nada,2026-11-20T10:00:00Z\nada,2026-11-21T10:00:00Z\n", "line 3: ada is there twice"),
        ("student,time\nada,noon\n", "line 2: 'noon' is no time"),
        (
            "Identifier,Last modified (submission)\nParticipant 1,20 Brumaire 2026 23:52\n",
            "line 2: '20 Brumaire",
        ),
    ],
)
def test_one_line_of_a_time_that_is_none(lines: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        times.read(write(tmp_path, {"t.csv": lines}) / "t.csv", UTC)
    assert why in str(error.value)


DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWN = {"ex1": ["a"]}


@given(
    st.integers(-3000, 9000),
    st.integers(0, 300),
    st.integers(0, 300),
    st.one_of(st.none(), st.integers(0, 5000)),
)
def test_days_late_are_as_counted_minute_by_minute(
    late: int, grace: int, buffer: int, extended: int | None
) -> None:
    rules = "[late]\ndeadline = 2026-11-20T12:00:00Z\nper_day = 0.1\n"
    rules += f"grace_minutes = {grace}\nbuffer_minutes = {buffer}\n"
    policy, wrong_ = parse(rules, "p", KNOWN)
    assert not wrong_
    due = DUE if extended is None else DUE + timedelta(minutes=extended)
    over = late - (extended or 0)
    wanted = 0
    if over > grace:
        while over - buffer > 24 * 60 * wanted:  # a day is begun
            wanted += 1
    found = days_late(policy, DUE + timedelta(minutes=late), extended=None if extended is None else due)
    assert found == wanted


@pytest.mark.parametrize(
    "lines, why",
    [
        ("absent = 1", 'absent: 1: write 0 or "blank"'),
        ("[late]\nmaximum = 1", "or flat, taken once"),
        ("[late]\nflat = 0.1\ngrace_minutes = -1", "late.grace_minutes: -1: write an integer"),
        ("[late]\nflat = 2", "late.flat: 2 is no share"),
    ],
)
def test_one_line_of_a_rule_that_is_none(lines: str, why: str) -> None:
    (line,) = parse(lines, "p.toml", KNOWN)[1]
    assert why in line


def test_late_rules_from_the_upload_to_the_score(tmp_path: Path) -> None:
    """An extension, a flat share, Canvas's mark, and a time in a platform's name."""
    write(
        tmp_path,
        {
            "up/ada_LATE_101_1_ex1.py": right("a"),
            "up/grace_102_2_ex1.py": right("g"),
            "up/zoe_103_3_ex1.py": right("z"),
            "d2l/104-1 - Lee - Nov 20, 2026 1130 AM/ex1.py": right("l"),
            "d2l/105-1 - Kim - Nov 20, 2026 1230 PM/ex1.py": right("k"),
            "r.csv": "id,extension\n101,\n102,2026-11-22T00:00:00Z\n103,\n104,\n105,\n",
            "t.csv": "student,time\n102,2026-11-21T12:00:00Z\n103,2026-11-21T12:00:00Z\n",
            "p.toml": "[late]\ndeadline = 2026-11-20T12:00:00Z\nflat = 0.5\nmark_days = 1\n",
        },
    )
    given_ = (
        "--roster",
        "r.csv",
        "--times",
        "t.csv",
        "--policy",
        "p.toml",
        "--workers",
        "1",
        "--out",
        "done",
    )
    ran = command.grader("batch", "up", "d2l", *given_, cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    found = {r["student"]: r["score"] for r in results(tmp_path / "done")}
    assert found == {"101": 13, "102": 26, "103": 13, "104": 26, "105": 13}
    assert (
        "no time" not in ran.stdout
    )  # where one has Canvas's mark and the policy counts it, the others came in time
    write(tmp_path, {"p.toml": "[late]\ndeadline = 2026-11-20T12:00:00Z\nflat = 0.5\n"})
    ran = command.grader("batch", "up", "d2l", *given_, cwd=tmp_path)
    assert "1 have the mark LATE and no time: mark_days in [late]" in ran.stdout
    assert {r["student"]: r["score"] for r in results(tmp_path / "done")} == {**found, "101": 26}


def test_a_second_run_says_what_changed_for_whom(tmp_path: Path) -> None:
    write(tmp_path / "up", {"ada/ex1.py": right("a"), "lee/ex1.py": right("l"), "kim/ex1.py": right("k")})
    batch = ("batch", "up", "--out", "done", "--workers", "1")
    command.grader(*batch, cwd=tmp_path)
    assert not (tmp_path / "done/changes.csv").exists()

    def changed(*args: str) -> list[tuple[str, ...]]:
        assert "changes.csv: against the run before" in command.grader(*batch, *args, cwd=tmp_path).stdout
        with (tmp_path / "done/changes.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        assert tuple(rows[0]) == changes.COLUMNS
        return [tuple(row) for row in rows[1:]]

    assert changed("--fresh") == []
    write(tmp_path / "up", {"ada/ex1.py": wrong("a"), "new/ex1.py": right("n")})
    (tmp_path / "up/lee/ex1.py").unlink()
    assert changed() == [
        ("ada", "ada", "ex1", "26", "25", "file", "ex1.dnorm_logits: exact -> wrong"),
        ("lee", "lee", "ex1", "26", "", "no longer there", ""),
        ("new", "new", "ex1", "", "26", "not there before", ""),
    ]
    (tmp_path / "p.toml").write_text("[points]\nex1 = 52\n")
    assert {(row[0], row[5]) for row in changed("--policy", "p.toml")} == {
        (n, "policy") for n in ("ada", "kim", "new")
    }


def test_who_was_not_graded_and_is_has_one_row() -> None:
    absent = {("ada", ""): changes.Stood("Ada", None, {"time": "0"}, {})}
    graded = {("ada", "ex1"): changes.Stood("Ada", 1, {"time": "0", "file": "a"}, {"ex1.db": "exact"})}
    assert changes.rows(absent, graded) == [("ada", "Ada", "ex1", "", "1", "not graded before", "")]
    assert changes.rows(graded, absent) == [("ada", "Ada", "ex1", "1", "", "not graded now", "")]
    assert changes.rows(absent, absent) == changes.rows(graded, graded) == []


def test_what_is_another_than_before_is_named() -> None:
    item = {"id": "ex1.dh", "verdict": "exact"}

    def stood(score: int, **made_of: str) -> dict[changes.Of, changes.Stood]:
        exercises = [{"id": "ex1", "score": score, "items": [item]}]
        own = {"student": "a", "name": "A", "exercises": exercises, "days_late": len(made_of)}
        return changes.standing([own | {"made_of": {"file": "f", "grader": "1"} | made_of}])

    whole = {"file": "g", "fixtures": "x", "grader": "2", "policy": "p", "options": "o"}
    before = stood(1, **dict.fromkeys(whole, ""))
    for what in whole:
        ((*_, why, items),) = changes.rows(before, stood(2, **dict.fromkeys(whole, "") | {what: whole[what]}))
        assert (why, items) == (what, "")
    assert changes.rows(before, stood(1, **whole)) == []  # and the same score is no change
    assert changes.rows(before, stood(2))[0][5] == "file, grader, time"
    assert changes.rows(before, stood(2, **dict.fromkeys(whole, "")))[0][5] == "graded again"


def test_results_among_the_submissions_and_empty_folders_are_no_students(tmp_path: Path) -> None:
    write(tmp_path / "up", {"ada/ex1.py": right("a")})
    (tmp_path / "up/nobody").mkdir()
    for _ in range(2):
        ran = command.grader("batch", "up", "--out", "up/grades", "--workers", "1", cwd=tmp_path)
        assert ran.returncode == PASSED and "1 submission, 1 passed" in ran.stdout, ran.stdout


def test_strict_is_another_grade_and_not_an_earlier_one(tmp_path: Path) -> None:
    code = (
        "# %%\n#: forward\n# %%\ndlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/32\n"
    )
    write(tmp_path / "up", {"ada/ex1.ipynb": flatcode.built(code)[1]})
    batch = ("batch", "up", "--exercise", "ex1", "--out", "done", "--workers", "1")
    command.grader(*batch, cwd=tmp_path)
    usual = results(tmp_path / "done")[0]
    command.grader(*batch, "--strict", cwd=tmp_path)
    strict = results(tmp_path / "done")[0]
    assert usual["key"] != strict["key"] and usual["score"] == 1 and strict["score"] == 0
    (tmp_path / "r.toml").write_text('[rename]\nnothere = "dlogits"\n')
    ran = command.grader(*batch, "--rename", "r.toml", cwd=tmp_path)
    assert ran.returncode == USAGE and "has no nothere" in ran.stderr


PEOPLE = """\
submission_1:
  :submitters:
  - :name: Ada L.
    :sid: '101'
    :email: a@x.org
  - :name: Grace Hopper
    :sid: ''
    :email: G@x.org
submission_2:
  :submitters:
  - :name: Somebody Else
    :email: e@x.org
"""


def test_who_handed_in_together_has_one_grade_each_by_the_roster(tmp_path: Path) -> None:
    """Gradescope's submitters by number, address or name; a group of the roster by the upload's name."""
    write(
        tmp_path,
        {
            "gs/submission_1/ex1.py": right("a"),
            "gs/submission_2/ex1.py": wrong("e"),
            "gs/submission_metadata.yml": PEOPLE,
            "moodle/Group 4_77_assignsubmission_file/ex1.py": wrong("g"),
            "r.csv": "id,name,group,email\n101,Ada Lee,,a@x.org\ns102,Grace Hopper,,g@x.org\n"
            "s103,Zoë Z,Group 4,z@x.org\ns104,Kim Y,Group 4,k@x.org\n",
            "book.csv": "Student,ID,SIS Login ID,Work (7)\nA,101,,\n",
        },
    )
    ran = command.grader("batch", "gs", "moodle", "--out", "done", "--roster", "r.csv", cwd=tmp_path)
    assert "not on --roster r.csv: 2" in ran.stdout and "absent" not in ran.stdout
    found = {r["student"]: (r["name"], r["score"]) for r in results(tmp_path / "done")}
    assert found == {
        "101": ("Ada Lee", 26),
        "s102": ("Grace Hopper", 26),
        "s103": ("Zoë Z", 25),
        "s104": ("Kim Y", 25),
        "2": ("Somebody Else", 25),
    }
    back = command.grader("feedback-zip", "done", "--for", "gradescope", cwd=tmp_path)
    assert "feedback for 3 students" in back.stdout and "no feedback for s103 (Zoë Z)" in back.stdout
    page = (
        command.grader("report", "--class", "done", "--anonymous", cwd=tmp_path),
        tmp_path / "done/anonymous.html",
    )
    said = page[1].read_text()
    assert page[0].returncode == PASSED and "<a href" not in said
    assert {*re.findall(r"student \d+", said)} == {f"student {n}" for n in range(1, 6)}
    names = ("Ada", "Grace", "Zoë", "Kim", "Somebody", "Group 4", "gs/", "s103", "s104", "@x.org")
    assert not [name for name in names if name in said]
    assert command.grader("report", "--class", "done", cwd=tmp_path).returncode == PASSED
    links = re.findall(r'<a href="(reports/[^"]+\.html)"', (tmp_path / "done/class.html").read_text())
    assert len(links) == 5 and "Grace Hopper" in "".join((tmp_path / "done" / k).read_text() for k in links)


def test_files_of_nobody_are_listed_for_the_table_that_tells(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "up/ex1.py": "x = 1\n",
            "up/ex1 (1).py": "x = 2\n",
            "r.csv": "id,name\ns1,Ada Lee\ns2,Bob Ray\n",
        },
    )
    batch = ("batch", "up", "--exercise", "ex1", "--out", "done", "--roster", "r.csv")
    ran = command.grader(*batch, cwd=tmp_path)
    assert "2 submissions: nothing tells whose: write it into done/owners.csv, and name that" in ran.stdout
    table = tmp_path / "done/owners.csv"
    assert "nothing tells which file is theirs:\n  Ada Lee\n  Bob Ray\n" in ran.stdout
    assert table.read_text().split() == ["file,student", "ex1", "(1).py,", "ex1.py,"]
    table.write_text("file,student\nex1 (1).py,s2\nex1.py,Lee Ada\n")
    ran = command.grader(*batch, "--owners", "done/owners.csv", cwd=tmp_path)
    assert "absent" not in ran.stdout and "nothing tells whose" not in ran.stdout
    assert {r["name"]: r["submission"] for r in results(tmp_path / "done")} == {
        "Ada Lee": "up/ex1.py",
        "Bob Ray": "up/ex1 (1).py",
    }
    table.write_text("file;student\nex1.py;s1\n")
    write(tmp_path, {"up/ex1 (2).py": "x = 3\n"})
    command.grader(*batch, "--owners", "done/owners.csv", cwd=tmp_path)
    added = {"ex1 (1).py;", "ex1 (2).py;"}  # below what is there, as the table has it
    assert table.read_text().splitlines()[:2] == ["file;student", "ex1.py;s1"]
    assert {*table.read_text().splitlines()[2:]} == added
    table.write_text("file,student\nex1.py,s1\nex1.py,s2\n")
    ran = command.grader(*batch, "--owners", "done/owners.csv", cwd=tmp_path)
    assert ran.returncode == USAGE and "line 3: ex1.py is there twice" in ran.stderr
