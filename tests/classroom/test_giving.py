"""Feedback and grades on their way back, from a real batch of the platforms' own exports."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import command
import pytest
from classroom import FAILED, PASSED, USAGE, grades, right, write, wrong, zipped
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom import giving
from grader.classroom.files import told
from grader.classroom.gradebook import Grade, read

MOODLE = (
    '\ufeffIdentifier,"Full name",Grade,"Maximum Grade",\'odd\' ,"Feedback comments"\r\n'
    '"Participant 101",Ada "the" Lee,,10.00, x ,\r\n'
    'Participant 102,"Grace Hopper",1,10.00,,"well, ""done"""\r\n'
    "\r\n"
    "Participant 103,Nobody,,10.00,,\n"
)
EXPORTS = {
    "moodle": {
        "Ada Lee_101_assignsubmission_file/ex1.py": right("ada"),
        "Grace Hopper_102_assignsubmission_file/ex1.py": wrong("grace"),
    },
    "canvas": {"leeada_101_7001_ex1.py": right("ada"), "hoppergrace_LATE_102_7002_ex1-1.py": wrong("grace")},
    "gradescope": {
        "assignment_1_export/submission_101/ex1.py": right("ada"),
        "assignment_1_export/submission_102/ex1.py": wrong("grace"),
    },
}
NAMES = {
    "moodle": [f"{who}_assignsubmission_file_feedback" for who in ("Ada Lee_101", "Grace Hopper_102")],
    "canvas": ["leeada_101_7001_feedback", "hoppergrace_LATE_102_7002_feedback"],
    "gradescope": ["submission_101/feedback", "submission_102/feedback"],
    "folder": ["101/feedback", "102/feedback"],
}


@pytest.fixture(scope="module", params=EXPORTS)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The platform, and the folder in which its export was graded into `done`."""
    folder = tmp_path_factory.mktemp("class")
    zipped(folder / "up.zip", EXPORTS[request.param])
    ran = command.grader("batch", "up.zip", "--out", "done", "--workers", "1", cwd=folder)
    assert ran.returncode == FAILED, ran.stderr
    return request.param, folder


def entries(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as made:
        return {name: made.read(name).decode() for name in made.namelist()}


@pytest.mark.parametrize("own", [True, False])
def test_each_gets_the_own_page_and_text_under_the_platform_s_name(
    graded: tuple[str, Path], own: bool
) -> None:
    export, folder = graded
    platform = export if own else "folder"
    ran = command.grader("feedback-zip", "done", "--for", platform, cwd=folder)
    assert ran.returncode == PASSED and "feedback for 2 students" in ran.stdout, ran.stderr
    found = entries(folder / f"done/feedback-{platform}.zip")
    assert set(found) == {n + end for n in NAMES[platform] for end in (".html", ".txt")}
    ada, grace = (found[n + ".html"] for n in NAMES[platform])
    assert ">26<" in ada and ">25<" in grace and "dcounts" in grace
    for page in (ada, grace):
        assert "default-src 'none'" in page and not re.search(r"(?:src|href)=[\"']?http", page)
    text = found[NAMES[platform][1] + ".txt"]
    assert "score: 25 of 26" in text and "up.zip" not in text  # a folder of the instructor's


def test_a_student_reads_of_no_other_and_of_no_score_where_nothing_was_graded() -> None:
    result = {"submission": "up/b/ex1.py", "identical_to": "up/ada/ex1.py", "score": 0, "max_score": 0,
              "problem": "refused: it is empty", "notes": [], "note": "", "exercises": [],
              "output": ""}  # fmt: skip
    assert "identical to up/ada/ex1.py" in told(result)
    assert told(giving.own(result)) == "ex1.py\nscore: none\nnot graded: refused: it is empty\n"


def test_names_of_another_platform_are_said_and_nothing_is_written(graded: tuple[str, Path]) -> None:
    export, folder = graded
    other = "moodle" if export != "moodle" else "canvas"
    ran = command.grader("feedback-zip", "done", "--for", other, "--out", "no.zip", cwd=folder)
    assert ran.returncode == USAGE and "--for folder takes all" in ran.stderr and ran.stderr.count("\n") == 1
    assert not (folder / "no.zip").exists()


def test_what_the_platform_matches_nothing_of_is_in_the_zip_too(tmp_path: Path) -> None:
    """Canvas takes no file back for a text entry, nor for what Python refuses a grade."""
    latin = "# caf\xe9\n".encode("latin-1")
    files = {"leeann_1_2_ex1.py": latin, "raybo_3_text.html": b"<p>", "f_4_5_ex1.py": b"x = 1"}
    zipped(tmp_path / "up.zip", files.items())
    command.grader("batch", "up.zip", "--exercise", "ex1", "--out", "done", "--workers", "1", cwd=tmp_path)
    notes = {row["student"]: row["note"] for row in grades(tmp_path / "done")}
    assert "line 1 a byte that is not UTF-8, which Python refuses: save it as UTF-8" in notes["1"]
    ran = command.grader("feedback-zip", "done", "--for", "canvas", cwd=tmp_path)
    assert ran.returncode == FAILED and "feedback for 2 students" in ran.stdout
    assert "canvas matches no such file: by-hand/3/feedback.html in the zip is theirs" in ran.stdout
    found = entries(tmp_path / "done/feedback-canvas.zip")
    assert {n for n in found if n.endswith(".html")} == {
        "leeann_1_2_feedback.html",
        "f_4_5_feedback.html",
        "by-hand/3/feedback.html",
    }
    assert "which Python refuses: save it as UTF-8" in found["leeann_1_2_feedback.txt"]


@pytest.mark.parametrize("graded", ["moodle"], indirect=True)
def test_grades_comments_and_remarks_go_back_and_a_regrade_keeps_them(graded: tuple[str, Path]) -> None:
    _, folder = graded
    (folder / "sheet.csv").write_bytes(MOODLE.encode())
    (folder / "done/remarks.csv").write_text("student,score,remark\n101,,a fine start\n102,20.5,\n")
    fill = ("grades", "done", "--into", "sheet.csv", "--out", "in.csv")
    ran = command.grader(*fill, cwd=folder)
    assert ran.returncode == PASSED and "nothing handed in by 1 in sheet.csv" in ran.stdout, ran.stderr
    filled = (folder / "in.csv").read_bytes().decode()
    wanted = MOODLE.replace("Lee,,10.00, x ,", "Lee,10,10.00, x ,score: 26 of 26; a fine start")
    assert filled == wanted.replace('Hopper",1,', 'Hopper",7.88,')
    # a comment of ours is replaced, another's stays
    (folder / "sheet.csv").write_bytes(filled.encode())
    (folder / "done/remarks.csv").write_text("101;;better\n", encoding="utf-8-sig")
    command.grader("batch", "up.zip", "--out", "done", "--workers", "1", cwd=folder)
    assert command.grader(*fill, cwd=folder).returncode == PASSED
    rows = list(csv.reader(io.StringIO((folder / "in.csv").read_text())))
    assert [r[-1] for r in rows[1:3]] == ["score: 26 of 26; better", 'well, "done"']
    for lines, why in (
        ("101,1,\n101,2,\n", "line 2: 101 is there twice"),
        ("student,score\n999,1\n", "line 2: nobody in the results is called 999"),
        ("101,many,\n", "line 1: many are no points"),
    ):
        (folder / "done/remarks.csv").write_text(lines)
        ran = command.grader(*fill, cwd=folder)
        assert ran.returncode == USAGE and why in ran.stderr and ran.stderr.count("\n") == 1
    (folder / "done/remarks.csv").unlink()


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\0"\r\n,;\t\ufeff'), max_size=8)


@given(
    st.lists(st.tuples(CELL, st.booleans()), min_size=2, max_size=6),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_not_a_byte_changes_but_of_the_cells_that_are_filled(
    cells: list[tuple[str, bool]], bom: bool, newline: str
) -> None:
    rows = [
        "Student,ID,Week (1)",
        *(f"{quoted * chr(34)}{cell}{quoted * chr(34)},{n},@" for n, (cell, quoted) in enumerate(cells)),
    ]
    export = "\ufeff" * bom + newline.join(rows) + newline
    book = (
        read(export.replace("@", "").encode(), "export.csv", None)
        if "@" not in "".join(c for c, _ in cells)
        else None
    )
    if book:
        grades = {str(n): Grade(n, 9) for n in range(len(cells))}
        filled = book.filled(grades).decode()
        assert filled.split(newline) == [
            line.replace("@", str(n - 1)) if n else line for n, line in enumerate(export.split(newline))
        ]


@given(st.text(max_size=30), st.integers(0, 10**6))
def test_no_student_s_name_makes_a_path_of_the_zip(student: str, n: int) -> None:
    name = giving.own_name({"submission": f"x/{n}", "student": student}, "folder")
    folder, _, file = name.partition("/")
    assert file == "feedback" and folder not in ("", ".", "..") and "\\" not in folder
    for device in ("con", "AUX.txt", "com1", "nul "):
        assert giving.safe(device).startswith("_")


def test_a_stale_report_goes_and_a_class_page_counts_what_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", {"ada/ex1.py": wrong("a"), "lee/ex1.py": right("l")})
    write(tmp_path / "b", {"ada/ex1.py": right("a")})
    (tmp_path / "p.toml").write_text("[attempts]\n")
    batch = ("batch", "--out", "done", "--workers", "1", "--policy", "p.toml")
    ran = command.grader(*batch, "a", "b", cwd=tmp_path)
    assert "2 submissions, 2 passed everything" in ran.stdout and ran.returncode == PASSED
    assert len(list((tmp_path / "done/reports").iterdir())) == 3
    command.grader(*batch, "a", cwd=tmp_path)
    assert sorted(p.name for p in (tmp_path / "done/reports").iterdir()) == [
        "a_ada_ex1.py.txt",
        "a_lee_ex1.py.txt",
    ]
