"""What platforms export, and what students put in it: whose each file is, and what is refused."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from classroom import batch_command as batch
from classroom import one_line, right, write, zipped
from conftest import ROOT, examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_SOURCE
from grader.submissions.choosing import Chosen, choose
from grader.submissions.files import Folder
from grader.submissions.owners import IGNORED, METADATA, composed, owners
from grader.submissions.uploads import Intake, Upload, uploads
from grader.suite.files import read_file

EXERCISES = ["ex1", "ex2", "ex3", "ex4"]
CODE = "def dprobs(probs, dlogprobs):\n    return dlogprobs / probs\n"


def chosen(
    paths: Sequence[str], only: str | None = "ex1", people: Mapping[str, str] | None = None
) -> list[Chosen]:
    return choose(owners(paths, people or {}), EXERCISES, only)


# --- one file, whose is it -------------------------------------------------------------------------

ONE = {
    # path: student, name, late
    "smithjohn_12_345_ex1.py": ("12", "smithjohn", False),
    "smithjohn_LATE_12_345_ex1.py": ("12", "smithjohn", True),
    "smithjohn_12_345_ex1-3.py": ("12", "smithjohn", False),
    "smithjohn_12_345_my_final_ex1.py": ("12", "smithjohn", False),
    "smithjohn_12_345_9_9_ex1.py": ("12", "smithjohn", False),
    "müllerlea_12_345_ex1.py": ("12", "müllerlea", False),
    "李明_12_345_ex1.py": ("12", "李明", False),
    "anon_12_345_ex1.py": ("12", "anon_12", False),
    "anon_A1b2C_345_ex1.py": ("A1b2C", "anon_A1b2C", False),
    "LATE_anon_A1b2C_345_ex1.py": ("A1b2C", "anon_A1b2C", True),
    "Ann Lee_77_assignsubmission_file/ex1.py": ("77", "Ann Lee", False),
    "Ann Lee_77_assignsubmission_file_/ex1.py": ("77", "Ann Lee", False),
    "Ann Lee_77_assignsubmission_file_/a/b/ex1.py": ("77", "Ann Lee", False),
    "Ann Lee_77_assignsubmission_file_ex1.py": ("77", "Ann Lee", False),
    "Ann_Lee 2_77_assignsubmission_file_ex1.py": ("77", "Ann_Lee 2", False),
    "Participant_77_assignsubmission_file/ex1.py": ("77", "Participant 77", False),
    "Participant_77_assignsubmission_file_ex1.py": ("77", "Participant 77", False),
    "submission_345/ex1.py": ("345", "Ann Lee, Bob Ray", False),
    "assignment_1_export/submission_345/ex1.py": ("345", "Ann Lee, Bob Ray", False),
    "assignment_1_export/submission_346/src/ex1.py": ("346", "submission_346", False),
    "ann/ex1.py": ("ann", "ann", False),
    "ann.py": ("ann", "ann", False),
    "Zoë O'Neil-Łuk.py": ("Zoë O'Neil-Łuk", "Zoë O'Neil-Łuk", False),
}


@pytest.mark.parametrize("path", ONE)
def test_a_file_is_its_owners(path: str) -> None:
    (one,) = owners([path], {"submission_345": "Ann Lee, Bob Ray"})
    assert (one.path, one.student, one.name, one.late) == (path, *ONE[path])
    (it,) = chosen([path], people={"submission_345": "Ann Lee, Bob Ray"})
    assert (it.path, it.student, it.name, it.late) == (path, *ONE[path])
    assert it.problem == "" and it.exercise == "ex1"


def test_a_canvas_name_that_had_an_underscore_or_no_word_character_keeps_its_user_id() -> None:
    """`\\w` has the underscore in it; a name in a script that is stripped whole leaves nothing."""
    assert [o.student for o in owners(["o_neil_12_345_ex1.py"], {})] == ["12"]
    assert [o.student for o in owners(["_12_345_ex1.py"], {})] == ["12"]


FORGED = {
    "Moodle, flat": (
        "Eve_12_assignsubmission_file_x_77_assignsubmission_file_ex1.py",
        "Ann_77_assignsubmission_file_ex1.py",
        "Eve_12_assignsubmission_file_x_77_assignsubmission_file_ex1",  # nobody can tell
    ),
    "Moodle, a name with a mark": (
        "Eve_77_assignsubmission_file__12_assignsubmission_file_/ex1.py",
        "Ann_77_assignsubmission_file_/ex1.py",
        "12",
    ),
    "Moodle, folders": (
        "Eve_12_assignsubmission_file/x_77_assignsubmission_file_ex1.py",
        "Ann_77_assignsubmission_file/ex1.py",
        "12",
    ),
    "Canvas": ("eve_12_345_ann_77_346_ex1.py", "ann_77_346_ex1.py", "12"),
    "Canvas, late": ("eve_12_345_ann_LATE_77_346_ex1.py", "ann_77_346_ex1.py", "12"),
    "Canvas, blind": ("anon_AAAAA_345_anon_77_346_ex1.py", "anon_77_346_ex1.py", "AAAAA"),
    "Gradescope": ("submission_12/submission_77/ex1.py", "submission_77/ex1.py", "12"),
}


@pytest.mark.parametrize("forged, honest, owner", FORGED.values(), ids=FORGED)
def test_a_file_name_does_not_make_a_file_somebody_elses(forged: str, honest: str, owner: str) -> None:
    found = {o.path: o.student for o in owners([forged, honest], {})}
    assert found == {forged: owner, honest: "77"}
    assert [c.problem for c in chosen([forged, honest]) if c.student == "77"] == [""]


# --- a student's files: nothing is guessed ----------------------------------------------------------

CASES: dict[str, tuple[list[str], str | None, list[tuple[str, str, str, str]]]] = {
    # paths, --exercise, (path, exercise, part of the note, part of the problem)
    "late": (["ann_LATE_1_2_ex1.py"], None, [("ann_LATE_1_2_ex1.py", "ex1", "late", "")]),
    "repeated": (
        ["ann_1_2_ex1.py", "ann_1_3_ex1-1.py", "ann_1_4_ex1-2.py"],
        None,
        [("ann_1_4_ex1-2.py", "ex1", "the newest of 3 uploads", "")],
    ),
    "repeated ten times": (
        ["ann_1_2_ex1-9.py", "ann_1_3_ex1-10.py"],
        "ex1",
        [("ann_1_3_ex1-10.py", "ex1", "the newest of 2 uploads", "")],
    ),
    "several exercises": (
        ["ann/ex1.py", "ann/ex2.py"],
        None,
        [("ann/ex1.py", "ex1", "", ""), ("ann/ex2.py", "ex2", "", "")],
    ),
    "several files, one called after the exercise": (
        ["ann/ex1.py", "ann/helper.py"],
        "ex1",
        [("ann/ex1.py", "ex1", "not graded: helper.py", "")],
    ),
    "several files, none called after it": (
        ["ann/a.py", "ann/b.py"],
        "ex1",
        [("ann/a.py", "ex1", "", "several files could be ex1: a.py, b.py")],
    ),
    "one file in two folders": (
        ["ann/old/ex1.py", "ann/new/ex1.py", "bob/ex1.py"],
        "ex1",
        [("ann/new/ex1.py", "ex1", "", "several files could be ex1"), ("bob/ex1.py", "ex1", "", "")],
    ),
    "a wrong file": (
        ["ann/essay.pdf", "ann/photo.jpg"],
        "ex1",
        [("ann/essay.pdf", "ex1", "", "no .py or .ipynb file; it has essay.pdf, photo.jpg")],
    ),
    "called after no exercise": (
        ["ann/homework.py"],
        None,
        [("ann/homework.py", "", "", "no file is called after an exercise (homework.py)")],
    ),
    "the same name twice": (
        ["ann_1_2_ex1.py", "ann_1_3_ex1.py"],
        "ex1",
        [("ann_1_2_ex1.py", "ex1", "", "handed in twice")],
    ),
    "the same number twice": (
        ["ann_1_2_ex1-1.py", "ann_1_3_ex1-1.py", "ann_1_4_ex1.py"],
        "ex1",
        [("ann_1_2_ex1-1.py", "ex1", "", "handed in twice")],
    ),
    "two people of one name": (
        ["leeann_1_2_ex1.py", "leeann_7_3_ex1.py"],
        "ex1",
        [("leeann_1_2_ex1.py", "ex1", "", ""), ("leeann_7_3_ex1.py", "ex1", "", "")],
    ),
    "the lecture's one notebook": (
        ["ann/makemore.ipynb"],
        None,
        [("ann/makemore.ipynb", e, "", "") for e in EXERCISES],
    ),
    "the lecture's one notebook, for one exercise": (
        ["ann/makemore.ipynb"],
        "ex2",
        [("ann/makemore.ipynb", "ex2", "", "")],
    ),
    "a notebook called after an exercise": (
        ["ann/ex1.ipynb"],
        None,
        [("ann/ex1.ipynb", "ex1", "", "")],
    ),
    "a stub file and a notebook": (
        ["ann/ex1.ipynb", "ann/ex1.py"],
        "ex1",
        [("ann/ex1.ipynb", "ex1", "", "several files could be ex1: ex1.ipynb, ex1.py")],
    ),
    "two notebooks": (
        ["ann/a.ipynb", "ann/b.ipynb"],
        None,
        [("ann/a.ipynb", "ex1", "", "several files could be ex1: a.ipynb, b.ipynb")],
    ),
    "only what a Mac leaves": (
        ["ann/__MACOSX/._ex1.py", "ann/.DS_Store", "ann/ex1.py"],
        "ex1",
        [("ann/ex1.py", "ex1", "", "")],
    ),
}


@pytest.mark.parametrize("paths, only, wanted", CASES.values(), ids=CASES)
def test_a_students_files_are_graded_or_told(
    paths: list[str], only: str | None, wanted: list[tuple[str, str, str, str]]
) -> None:
    found = chosen(paths, only)
    assert [(c.path, c.exercise) for c in found] == [w[:2] for w in wanted]
    for one, (_, _, note, problem) in zip(found, wanted, strict=True):
        assert note in one.note and problem in one.problem
        assert bool(one.problem) == bool(problem)


def test_a_notebook_of_ours_is_its_exercises_whatever_it_is_called_now(tmp_path: Path) -> None:
    for name, exercise in {
        "ann/My work (2).ipynb": "ex2",
        "bob/b.ipynb": "ex1",
        "bob/c.ipynb": "ex3",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / f"exercises/{exercise}.ipynb").read_bytes())
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve/half.ipynb").write_text('{"grader"')
    for only, wanted in {
        None: [("ann", "ex2"), ("bob", "ex1"), ("bob", "ex3"), *(("eve", e) for e in EXERCISES)],
        "ex3": [("ann", "ex3"), ("bob", "ex3"), ("eve", "ex3")],
    }.items():
        found = [u.chosen for u in uploads([tmp_path], Intake(EXERCISES, only))]
        assert [(c.student, c.exercise) for c in found] == wanted
        assert not any(c.problem for c in found)


def test_a_flat_script_is_the_lectures_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann/my work.py").write_text("logits = h @ W2 + b2\ndh = dlogits @ W2.T\n")
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob/stub.py").write_text("def dh(W2, dlogits):\n    logits = 1\n    dh = dlogits @ W2.T\n")
    found = [u.chosen for u in uploads([tmp_path], Intake(EXERCISES, None))]
    assert [(c.student, c.exercise) for c in found if not c.problem] == [("ann", e) for e in EXERCISES]
    assert [c.student for c in found if c.problem] == ["bob"]


def test_files_beside_an_exercises_are_named_without_exercise_too() -> None:
    """The same folder: with --exercise it is said that helper.py was not graded."""
    (it,) = chosen(["ann/ex1.py", "ann/helper.py"], None)
    assert (it.path, it.problem) == ("ann/ex1.py", "")
    assert "helper.py" in it.note


WRAPPED = {
    "Canvas": ["ann_1_2_ex1.py", "bob_LATE_3_4_ex1.py"],
    "Canvas, blind": ["anon_AAAAA_2_ex1.py", "LATE_anon_BBBBB_4_ex1.py"],
    "Moodle": ["Ann_1_assignsubmission_file/ex1.py", "Bob_3_assignsubmission_file/ex1.py"],
    "Moodle, older": ["Ann_1_assignsubmission_file_/ex1.py", "Bob_3_assignsubmission_file_/ex1.py"],
    "Moodle, flat": ["Ann_1_assignsubmission_file_ex1.py", "Bob_3_assignsubmission_file_ex1.py"],
    "Moodle, blind": [f"Participant_{n}_assignsubmission_file_/ex1.py" for n in (1, 3)],
    "Gradescope": ["submission_1/ex1.py", "submission_3/ex1.py"],
    "folders": ["ann/ex1.py", "bob/ex1.py"],
}


@pytest.mark.parametrize("paths", WRAPPED.values(), ids=WRAPPED)
def test_a_folder_around_an_export_changes_nothing(paths: list[str]) -> None:
    bare = {(c.path, c.student, c.name, c.problem) for c in chosen(paths)}
    inside = {
        (c.path.removeprefix("export/"), c.student, c.name, c.problem)
        for c in chosen([f"export/{p}" for p in paths])
    }
    assert inside == bare
    assert len(bare) == 2 and not any(problem for *_, problem in bare)


words = st.text(st.sampled_from("aB1_- .'ë李/\\") | st.characters(exclude_categories=["Cs"]), max_size=14)
parts = words | st.sampled_from(
    ["LATE", "anon", "_12_", "_345_", "assignsubmission_file", "submission_7", "ex1.py", "ex2-1.py", "/", "_"]
)
names = st.lists(parts, min_size=1, max_size=8).map("".join)


@given(st.lists(names, max_size=12, unique=True), st.sampled_from([None, "ex1"]))
@settings(max_examples=examples(300))
def test_whatever_files_are_called_each_is_somebodys_and_everybody_is_told(
    paths: list[str], only: str | None
) -> None:
    owned = owners(paths, {})
    kept = [p for p in paths if not IGNORED.search(p) and PurePosixPath(p).name != METADATA]
    assert Counter(o.path for o in owned) == Counter(kept)
    found = choose(owned, EXERCISES, only)
    by_student: dict[str, list[str]] = {}
    for owner in owned:
        by_student.setdefault(owner.student, []).append(owner.path)
    assert {c.student for c in found} == set(by_student)
    assert len({(c.path, c.exercise) for c in found}) == len(found)
    for one in found:
        assert one.path in by_student[one.student]
        assert one.problem or one.exercise in EXERCISES
        assert not (one.problem and one.note)
    if only:  # every file of code is graded, or named as one that is not
        for student, own in by_student.items():
            (one,) = [c for c in found if c.student == student]
            code = [o.file for o in owned if o.path in own and o.file.endswith(".py")]
            if not one.problem:
                assert len(set(code)) == 1 or "not graded: " in one.note


platform_names = st.text(
    st.characters(categories=("Lu", "Ll", "Lo", "Nd"), include_characters=" '-"), min_size=1
)


@given(platform_names, st.integers(1, 10**9), st.integers(1, 10**9), st.booleans())
def test_any_name_on_a_platform_is_read_back(name: str, user: int, attachment: int, late: bool) -> None:
    bare = "".join(ch for ch in name.lower() if re.fullmatch(r"\w", ch)) or "x"
    (canvas,) = owners([f"{bare}{'_LATE' if late else ''}_{user}_{attachment}_ex1.py"], {})
    assert (canvas.student, canvas.name, canvas.late) == (str(user), composed(bare), late)
    assert canvas.file == "ex1.py"
    for tail in ("/ex1.py", "_/ex1.py", "_ex1.py"):
        (moodle,) = owners([f"{name}_{user}_assignsubmission_file{tail}"], {})
        assert (moodle.student, moodle.file) == (str(user), "ex1.py")
        assert moodle.name == composed(name)


# --- folders and zips ------------------------------------------------------------------------------

METADATA_TEXT = """\
submission_345:
  :submitters:
  - :name: Ann Lee
    :sid: '100'
    :email: ann@example.org
  - :name: Bob Ray
    :sid: '101'
    :email:
  :created_at: 2024-05-01 10:00:00.000000000 Z
  :score: 0.0
submission_346:
  :submitters:
  - :name: "=cmd|' /C calc'!A0"
    :sid: '102'
"""
FORGED_METADATA = "submission_346: {':submitters': [{':name': Eve}]}\n"
EXPORTS: dict[str, tuple[dict[str, str], list[tuple[str, str, bool]]]] = {
    "Canvas": (
        {"leeann_1_2_ex1.py": CODE, "raybob_LATE_3_4_ex1.py": CODE, "anon_AbCdE_9_ex1.py": CODE},
        [("AbCdE", "anon_AbCdE", False), ("1", "leeann", False), ("3", "raybob", True)],
    ),
    "Moodle": (
        {
            "Ann Lee_1_assignsubmission_file/ex1.py": CODE,
            "Participant_3_assignsubmission_file/ex1.py": CODE,
            "Zoë_5_assignsubmission_file_/ex1.py": CODE,
        },
        [("1", "Ann Lee", False), ("3", "Participant 3", False), ("5", "Zoë", False)],
    ),
    "Moodle, flat": (
        {"Ann Lee_1_assignsubmission_file_ex1.py": CODE, "Zoë_5_assignsubmission_file_ex1.py": CODE},
        [("1", "Ann Lee", False), ("5", "Zoë", False)],
    ),
    "Gradescope": (
        {
            f"assignment_9_export/{METADATA}": METADATA_TEXT,
            "assignment_9_export/submission_345/ex1.py": CODE,
            "assignment_9_export/submission_346/ex1.py": CODE,
        },
        [("345", "Ann Lee, Bob Ray", False), ("346", "=cmd|' /C calc'!A0", False)],
    ),
    "folder of folders": (
        {"ann/ex1.py": CODE, "bob/ex1.py": CODE},
        [("ann", "ann", False), ("bob", "bob", False)],
    ),
    "folder of files": ({"ann.py": CODE, "bob.py": CODE}, [("ann", "ann", False), ("bob", "bob", False)]),
}


@pytest.mark.parametrize("way", ["zip", "unzipped", "its own folder"])
@pytest.mark.parametrize("files, people", EXPORTS.values(), ids=EXPORTS)
def test_an_export_is_read_zipped_and_unzipped(
    files: dict[str, str], people: list[tuple[str, str, bool]], way: str, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "export.zip", files) if way == "zip" else write(tmp_path / "in", files)
    if way == "its own folder" and (path / "assignment_9_export").is_dir():
        path = path / "assignment_9_export"
    found = uploads([path], Intake(EXERCISES, "ex1"))
    assert [(u.chosen.student, u.chosen.name, u.chosen.late) for u in found] == people
    assert [u.read() for u in found] == [CODE.encode()] * len(people)
    assert not any(u.chosen.problem for u in found)


def test_names_come_from_gradescopes_own_list_and_not_from_a_students(tmp_path: Path) -> None:
    files = {
        f"assignment_9_export/submission_345/{METADATA}": FORGED_METADATA,
        "assignment_9_export/submission_345/ex1.py": CODE,
        "assignment_9_export/submission_346/ex1.py": CODE,
        f"assignment_9_export/{METADATA}": METADATA_TEXT,
    }
    for path in (zipped(tmp_path / "export.zip", files), write(tmp_path / "in", files)):
        found = {u.chosen.student: u.chosen.name for u in uploads([path], Intake(EXERCISES, "ex1"))}
        assert found["346"].startswith("=cmd") and found["345"] == "Ann Lee, Bob Ray"


OTHERS_TIMES = "submission_101: {':submitters': [], ':created_at': 2030-01-01 00:00:00.000000000 Z}\n"
STUDENTS_LISTS = {
    "Moodle": [f"Ann_77_assignsubmission_file/{METADATA}", "Ann_77_assignsubmission_file/ex1.py",
               "Ann_77_assignsubmission_file/submission_101/ex1.py", "Bob_101_assignsubmission_file/ex1.py"],
    "Moodle, of one": [f"Bob_101_assignsubmission_file/{METADATA}", "Bob_101_assignsubmission_file/ex1.py",
                       "Bob_101_assignsubmission_file/submission_101/ex2.py"],
    "Canvas": [f"ann_77_5_{METADATA}", "ann_77_5_ex1.py", "bob_101_6_ex1.py"],
    "Gradescope": [f"e/submission_77/{METADATA}", "e/submission_77/ex1.py", "e/submission_101/ex1.py"],
    "Gradescope, deeper": [f"e/submission_77/e/{METADATA}", "e/submission_77/e/submission_101/ex1.py",
                           "e/submission_101/ex1.py"],
    "folders": [f"ann/{METADATA}", "ann/submission_101/ex1.py", "101/ex1.py"],
}  # fmt: skip


@pytest.mark.parametrize("paths", STUDENTS_LISTS.values(), ids=STUDENTS_LISTS)
def test_no_student_tells_when_another_has_submitted(paths: list[str], tmp_path: Path) -> None:
    files = {p: OTHERS_TIMES if p.endswith(METADATA) else CODE for p in paths}
    for path in (zipped(tmp_path / "export.zip", files), write(tmp_path / "in", files)):
        found = uploads([path], Intake(EXERCISES, None))
        assert "101" in {u.chosen.student for u in found}
        assert not any(u.submitted for u in found)


def test_a_time_of_rails_is_read(tmp_path: Path) -> None:
    told = "!ruby/object:ActiveSupport::TimeWithZone\n    utc: 2024-05-01 10:00:00.5 Z\n    zone: &z x\n"
    listed = f"submission_7:\n  :submitters:\n  - :name: Ann\n  :created_at: {told}"
    files = {f"e/{METADATA}": listed, "e/submission_7/ex1.py": CODE}
    (one,) = uploads([zipped(tmp_path / "e.zip", files)], Intake(EXERCISES, None))
    assert one.submitted == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_gradescopes_own_list_tells_when(tmp_path: Path) -> None:
    files = {f"e/{METADATA}": METADATA_TEXT, "e/submission_345/ex1.py": CODE, "e/submission_346/ex1.py": CODE}
    mac = {"__MACOSX/e/._ex1.py": "x"}
    for path in (zipped(tmp_path / "e.zip", files | mac), write(tmp_path / "in", files), tmp_path / "in/e"):
        when = {u.chosen.student: u.submitted for u in uploads([path], Intake(EXERCISES, None))}
        assert when == {"345": datetime(2024, 5, 1, 10, tzinfo=UTC), "346": None}


YAML = {
    "empty": "",
    "a list": "- 1\n- 2\n",
    "not YAML": "a: b: c: [\n\t}",
    "bytes": b"\xff\xfe\x00\x01",
    "Ruby objects": "submission_1: !ruby/object:Object {}\n",
    "no submitters": "submission_1:\n  :score: 1\n",
    "submitters of another kind": "submission_1:\n  :submitters: 7\n",
    "a name that is a number": "submission_1:\n  :submitters:\n  - :name: 7\n",
    "deeply nested": "[" * 5000,
    "a timestamp that is none": "submission_1: !!timestamp never\n",
    "a boolean that is none": "submission_1: !!bool perhaps\n",
    "a date that is none": "submission_1: 2024-99-99\n",
    "a huge integer": "submission_1: " + "9" * 10_000 + "\n",
    "a name of aliases": "a0: &a0 [x, x]\n" + "".join(
        f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 17)
    ) + "submission_1: {':submitters': [{':name': *a16}], ':created_at': *a16}\n",
    "aliases of aliases": "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_odd_metadata_stops_nobodys_grade(text: str | bytes, tmp_path: Path) -> None:
    files = {f"e/{METADATA}": text, "e/submission_1/ex1.py": CODE, "e/submission_2/ex1.py": CODE}
    found = uploads([write(tmp_path / "in", files)], Intake(EXERCISES, "ex1"))
    assert [(u.chosen.student, u.chosen.problem) for u in found] == [("1", ""), ("2", "")]
    assert all(len(u.chosen.name) < 100 for u in found)


def test_a_person_without_a_name_is_not_called_none(tmp_path: Path) -> None:
    text = "submission_1:\n  :submitters:\n  - :name:\n    :sid: '5'\n"
    folder = write(tmp_path / "in", {f"e/{METADATA}": text, "e/submission_1/ex1.py": CODE})
    (it,) = uploads([folder], Intake(EXERCISES, "ex1"))
    assert it.chosen.name != "None"


# --- what is no file -------------------------------------------------------------------------------


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_SOURCE + 1)


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (lambda p: p.symlink_to("/etc/passwd"), "is a link"),
    "a link to a good file": (lambda p: p.symlink_to(p.with_name("ann.py")), "is a link"),
    "a link to nothing": (lambda p: p.symlink_to("nothing"), "is a link"),
    "a link to a folder": (lambda p: p.symlink_to("/etc"), "is a link"),
    "a pipe": (os.mkfifo, "is not a file"),
    "too large": (sparse, f"is too large ({MAX_SOURCE + 1} bytes, at most {MAX_SOURCE})"),
    "a folder": (lambda p: p.mkdir(), ""),
    "a folder with a file": (lambda p: write(p, {"note.txt": "x"}), "no .py or .ipynb file"),
}


def told(found: Sequence[Upload]) -> dict[str, str]:
    """The bytes of each upload, or why there are none, by file name."""
    said = {}
    for one in found:
        why = one.chosen.problem
        if not why:
            try:
                why = "read " + one.read().decode()
            except Unreadable as error:
                why = str(error)
        assert PurePosixPath(one.id).name not in said
        said[PurePosixPath(one.id).name] = why
    return said


@pytest.mark.parametrize("make, why", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_is_told_and_the_others_are_read(
    make: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    write(tmp_path, {"ann.py": CODE, "zoe.py": CODE})
    make(tmp_path / "mid.py")
    said = told(uploads([tmp_path], Intake(EXERCISES, "ex1")))
    assert (said.pop("ann.py"), said.pop("zoe.py")) == ("read " + CODE, "read " + CODE)
    assert len(said) == 1, "nothing is said about it"
    assert why in next(iter(said.values()))


@pytest.mark.parametrize(
    "path, why",
    [("/dev/zero", "is not a file"), ("/dev/tty", "is not a file|can't be read"), ("/", "is not a file")],
)
def test_devices_and_folders_are_not_read(path: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_file(Path(path))


def test_a_file_named_on_the_command_line_brings_nothing_from_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"ann.py": CODE, "bob.py": CODE, "a\x1bb.py": CODE})
    (tmp_path / "elsewhere").symlink_to("/etc")
    found = uploads([tmp_path / "ann.py"], Intake(EXERCISES, "ex1"))
    assert [Path(u.id).name for u in found] == ["ann.py"]
    both = uploads([tmp_path / "ann.py", tmp_path / "bob.py"], Intake(EXERCISES, "ex1"))
    assert [Path(u.id).name for u in both] == ["ann.py", "bob.py"]


def test_a_name_on_disk_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"ann.py": CODE})
    (tmp_path / os.fsdecode(b"\xff\xfe.py")).write_text(CODE)
    said = told(uploads([tmp_path], Intake(EXERCISES, "ex1")))
    assert said.pop("ann.py") == "read " + CODE
    assert list(said.values()) == ["refused: it has a control character in its name"]


# --- hostile zips ----------------------------------------------------------------------------------

Member = tuple[zipfile.ZipInfo | str, bytes]


def mode(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    return info


def of(members: Sequence[Member]) -> bytes:
    held = io.BytesIO()
    with pytest.warns(UserWarning) if _doubled(members) else _nothing(), zipfile.ZipFile(held, "w") as file:
        for info, data in members:
            file.writestr(info, data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _doubled(members: Sequence[Member]) -> bool:
    found = [m if isinstance(m, str) else m.filename for m, _ in members]
    return len(set(found)) < len(found)


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def lied(data: bytes, name: bytes, size: int) -> bytes:
    """The zip with another size of a member stated, in its own header and in the directory."""
    at = data.index(name) - 30
    assert data[at : at + 4] == b"PK\3\4"
    data = data[: at + 22] + struct.pack("<I", size) + data[at + 26 :]
    at = data.rindex(name) - 46
    assert data[at : at + 4] == b"PK\1\2"
    return data[: at + 24] + struct.pack("<I", size) + data[at + 28 :]


def encrypted(data: bytes, name: bytes) -> bytes:
    at = data.index(name) - 30
    data = data[: at + 6] + b"\1\0" + data[at + 8 :]
    at = data.rindex(name) - 46
    return data[: at + 8] + b"\1\0" + data[at + 10 :]


CODED = CODE.encode()
MEMBERS: dict[str, tuple[str, list[Member], str]] = {
    "slip": ("../../a.py", [("../../a.py", CODED)], "climbs out of its folder"),
    "slip in the middle": ("x/../../a.py", [("x/../../a.py", CODED)], "climbs out of its folder"),
    "absolute": ("/etc/cron.d/a.py", [("/etc/cron.d/a.py", CODED)], "absolute path"),
    "slip of Windows": ("..\\a.py", [("..\\a.py", CODED)], "of another system"),
    "drive": ("C:/a.py", [("C:/a.py", CODED)], "of another system"),
    "share": ("\\\\host\\a.py", [("\\\\host\\a.py", CODED)], "of another system"),
    "link": ("a.py", [(mode("a.py", stat.S_IFLNK), b"/etc/passwd")], "is a link or a device"),
    "character device": ("a.py", [(mode("a.py", stat.S_IFCHR), CODED)], "is a link or a device"),
    "block device": ("a.py", [(mode("a.py", stat.S_IFBLK), CODED)], "is a link or a device"),
    "pipe": ("a.py", [(mode("a.py", stat.S_IFIFO), CODED)], "is a link or a device"),
    "bomb": ("a.py", [("a.py", bytes(50 << 20))], "more than a hundred times its size"),
    "large": ("a.py", [("a.py", os.urandom(MAX_SOURCE + 1))], "is too large"),
    "folded names": ("A.py", [("a.py", CODED), ("A.py", CODED)], "has the same name as a.py"),
    "folded names of Unicode": (
        "zoe\u0308x.py",
        [("zoëx.py", CODED), ("zoe\u0308x.py", CODED)],
        "has the same name as zoëx.py",
    ),
    "escape": ("a\x1b[2Jb.py", [("a\x1b[2Jb.py", CODED)], "control character in its name"),
    "line break": ("a\nb.py", [("a\nb.py", CODED)], "control character in its name"),
    "other direction": ("a\u202eyp.b.py", [("a\u202eyp.b.py", CODED)], "control character in its name"),
    "twice": ("a.py", [("a.py", CODED), ("a.py", b"x")], "is there twice"),
    "three times": ("a.py", [("a.py", CODED), ("a.py", b"x"), ("a.py", b"y")], "is there twice"),
    "long": ("a" * 1001 + ".py", [("a" * 1001 + ".py", CODED)], "more than 1000 characters"),
}


@pytest.mark.parametrize("name, members, why", MEMBERS.values(), ids=MEMBERS)
def test_a_hostile_member_is_refused_by_name_and_the_others_are_taken(
    name: str, members: list[Member], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(of([("first.py", CODED), *members, ("last.py", CODED)]))
    found = uploads([path], Intake(EXERCISES, "ex1"))
    good = {u.chosen.path: u for u in found if u.chosen.path in ("first.py", "last.py")}
    assert [u.read() for u in good.values()] == [CODED, CODED]
    bad = [u for u in found if u.chosen.path == name]
    assert len(bad) == 1
    problem = bad[0].chosen.problem
    if not problem:
        with pytest.raises(Unreadable) as caught:
            bad[0].read()
        problem = str(caught.value)
    assert why in problem and problem.isprintable()
    assert os.listdir(tmp_path) == ["class.zip"]


def test_a_member_whose_size_lies_is_damaged_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    whole = of([("ann.py", CODED), ("mallory.py", CODED * 50), ("zoe.py", CODED)])
    for size, why in (
        (10, "is damaged"),
        (len(CODED) * 50 + 1, "is damaged"),
        (MAX_SOURCE + 1, "too large|more than a hundred times|damaged"),
        (2**32 - 2, "more than a hundred times"),
    ):
        path.write_bytes(lied(whole, b"mallory.py", size))
        said = told(uploads([path], Intake(EXERCISES, "ex1")))
        assert (said.pop("ann.py"), said.pop("zoe.py")) == ("read " + CODE, "read " + CODE)
        assert re.search(why, said["mallory.py"]), said


def test_an_encrypted_member_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(encrypted(of([("ann.py", CODED), ("mallory.py", CODED)]), b"mallory.py"))
    said = told(uploads([path], Intake(EXERCISES, "ex1")))
    assert said == {"ann.py": "read " + CODE, "mallory.py": "refused: it is encrypted"}


def test_a_member_without_a_name_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    data = of([("ann.py", CODED), ("bob.py", CODED)])
    path.write_bytes(data.replace(b"bob.py", b"\0ob.py"))  # read up to the zero: nothing
    assert "read " + CODE in told(uploads([path], Intake(EXERCISES, "ex1"))).values()


def test_a_member_whose_names_differ_is_damaged(tmp_path: Path) -> None:
    """Its own header and the directory call it differently."""
    path = tmp_path / "class.zip"
    data = of([("ann.py", CODED), ("bob.py", CODED)])
    path.write_bytes(data.replace(b"bob.py", b"zoe.py", 1))
    said = told(uploads([path], Intake(EXERCISES, "ex1")))
    assert said["ann.py"] == "read " + CODE and said["bob.py"].startswith("is damaged")


def test_an_unknown_compression_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    data = of([("ann.py", CODED), ("bob.py", CODED)])
    for signature, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        at = data.rindex(signature)
        data = data[: at + offset] + b"\x63\0" + data[at + offset + 2 :]
    path.write_bytes(data)
    said = told(uploads([path], Intake(EXERCISES, "ex1")))
    assert said["ann.py"] == "read " + CODE and said["bob.py"].startswith("is damaged")


def test_a_zip_of_too_many_members_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(50_001):
            file.writestr(zipfile.ZipInfo(f"{number}.py"), b"")
    with pytest.raises(UsageError, match="has 50001 members, more than 50000"):
        uploads([path], Intake(EXERCISES, "ex1"))


NO_ZIPS = {
    "text": b"this is not a zip",
    "empty": b"",
    "only its signature": b"PK\3\4" + bytes(60),
    "cut short": of([("ann.py", CODED), ("bob.py", CODED)])[:-30],
    "cut in the middle": of([("ann.py", CODED), ("bob.py", CODED)])[:120],
}


@pytest.mark.parametrize("data", NO_ZIPS.values(), ids=NO_ZIPS)
def test_what_is_no_zip_is_told_in_one_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        uploads([path], Intake(EXERCISES, "ex1"))
    message = str(caught.value)
    assert message.startswith(f"{path} is not a zip") and message.isprintable()


def test_a_zip_that_is_a_pipe_or_a_folder_or_missing_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "none.zip"
    with pytest.raises(UsageError, match="does not exist|can't be read"):
        uploads([missing], Intake(EXERCISES, "ex1"))
    with pytest.raises(UsageError, match="is not a file"):
        device = tmp_path / "zero.zip"
        device.symlink_to("/dev/zero")
        uploads([device], Intake(EXERCISES, "ex1"))
    folder = write(tmp_path / "folder.zip", {"ann.py": CODE})
    assert [u.read() for u in uploads([folder], Intake(EXERCISES, "ex1"))] == [CODED]


WHOLE = of([("ann.py", CODED), ("d/bob.py", CODED), ("zoë.py", CODED)])


@given(data=st.data())
@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_zip_is_told_and_never_gives_other_bytes(data: st.DataObject, tmp_path: Path) -> None:
    held = bytearray(WHOLE)
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(held) - 1), st.integers(0, 255)), min_size=1, max_size=6)
    ):
        held[at] = value
    cut = data.draw(st.just(len(held)) | st.integers(0, len(held)))
    path = tmp_path / "class.zip"
    path.write_bytes(held[:cut])
    try:
        found = uploads([path], Intake(EXERCISES, "ex1"))
    except UsageError as error:
        assert str(error).isprintable()
        return
    for one in found:
        if not one.chosen.problem:
            try:
                assert one.read() in (CODED, b"")
            except Unreadable as error:
                assert str(error).isprintable()


# --- as the command tells it -----------------------------------------------------------------------


def test_the_command_tells_what_it_can_not_take_in_one_line(tmp_path: Path) -> None:
    fake = write(tmp_path, {"fake.zip": b"no zip", "empty/x": b""}) / "fake.zip"
    (tmp_path / "empty" / "x").unlink()
    out = tmp_path / "out"
    for path, said in (
        (tmp_path / "none", "does not exist"),
        (fake, "is not a zip"),
        (tmp_path / "empty", "nothing to grade"),
    ):
        ran = batch(path, "--exercise", "ex1", out=out)
        assert ran.returncode == 2 and said in one_line(ran)
    assert not out.exists()


def test_a_zips_own_name_is_made_harmless(tmp_path: Path) -> None:
    path = write(tmp_path, {"a\x1b[2J.zip": b"no zip"}) / "a\x1b[2J.zip"
    ran = batch(path, "--exercise", "ex1", out=tmp_path / "out")
    assert ran.returncode == 2
    assert "is not a zip" in one_line(ran)


def test_a_hostile_zip_leaves_nothing_on_disk_and_harms_no_grade(tmp_path: Path) -> None:
    """One of each kind together, by the command; nothing appears beside the results."""
    members: list[Member] = [("ann/ex1.py", right("ann").encode())]
    for number, (_, some, _) in enumerate(MEMBERS.values()):
        if number and len(some) == 1 and isinstance(some[0][0], zipfile.ZipInfo):
            members.append((mode(f"link{number}.py", some[0][0].external_attr >> 16 & 0o170000), some[0][1]))
        elif len(some) == 1:
            members.append(some[0] if some[0][0] != "a.py" else (f"a{number}.py", some[0][1]))
    members.append(("zoe/ex1.py", right("zoe").encode()))
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "class.zip").write_bytes(of(members))
    ran = batch(inside / "class.zip", "--exercise", "ex1", out=tmp_path / "out")
    assert ran.returncode == 1, ran.stderr
    assert b"\x1b" not in ran.stdout and "\u202e" not in ran.stdout.decode()
    assert sorted(os.listdir(tmp_path)) == ["in", "out"] and os.listdir(inside) == ["class.zip"]
    lines = (tmp_path / "out" / "grades.csv").read_text().splitlines()
    passed = [line for line in lines[1:] if ',"yes",' in line]
    assert len(passed) == 2 and len(lines) == 1 + len(members)


def test_folders_without_end_are_refused_and_cost_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "ex1.py").write_text("x = 1\n")
    deep = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("a", dir_fd=deep)
        inner = os.open("a", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    folder = Folder(tmp_path)
    assert list(folder.files()) == ["ada/ex1.py"]
    assert list(folder.refused().values()) == ["has folders more than 50 deep"]
    subprocess.run(["rm", "-r", tmp_path / "a"], check=True)  # shutil's own recurses
