"""A small class in the export of each platform: every student once, and the file that counts."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import EXERCISES, ROOT

from grader.classroom.roster import Entry, named
from grader.core.errors import Unreadable, UsageError
from grader.submissions.owners import owners
from grader.submissions.stubs import Released
from grader.submissions.tables import table
from grader.submissions.uploads import Intake, Upload, uploads
from grader.suite import find

RELEASED = Released(find.find())
STUB, BOOK = (ROOT.joinpath("exercises", f"ex1{end}").read_bytes() for end in (".py", ".ipynb"))
Attempts = list[dict[str, bytes]]  # of one student, each by file


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def book() -> bytes:
    """The released notebook as another editor saves it: its cells are the same."""
    return json.dumps(json.loads(BOOK) | {"metadata": {"editor": "another"}}).encode()


WORK = [b"# the work of %d\n" % k for k in range(12)]
CLASS: dict[str, tuple[Attempts, str]] = {  # what each hands in, and what is said where nothing is graded
    "plain": ([{"ex1.py": WORK[0]}], ""),
    "again": ([{"ex1.py": b"# early\n"}, {"ex1-1.py": WORK[1]}], ""),
    "in a zip": ([{"ex1.zip": zipped({"ex1.py": WORK[2]})}], ""),
    "in a zip of Windows": ([{"hw.zip": zipped({"hw/ex1.py": WORK[3]})}], ""),
    "both, one changed": ([{"ex1.py": WORK[4], "ex1.ipynb": book()}], ""),
    "more words": ([{"ex1_Müller.py": WORK[5]}], ""),
    "UTF-16": ([{"ex1.py": WORK[6].decode().encode("utf-16")}], ""),
    "capitals": ([{"EX1.PY": WORK[7]}], ""),
    "an ending too many": ([{"ex1.py.txt": WORK[8]}], ""),
    "a picture": ([{"ex1.pdf": b"%PDF"}], "no .py or .ipynb file"),
    "a zip in a zip": ([{"a.zip": zipped({"b.zip": zipped({"ex1.py": WORK[9]})})}], "a zip in a zip"),
    "a text": ([{"text.html": b"<p>"}], "no .py or .ipynb file"),
}
Files = Iterator[tuple[str, bytes]]


def canvas() -> Files:
    for k, (attempts, _) in enumerate(CLASS.values()):
        for n, (name, data) in enumerate(attempts[-1].items()):
            entry = name if name == "text.html" else f"{70 + n}_{name}"
            yield f"leeann{'_LATE' if k == 3 else ''}_{40 + k}_{entry}", data


def moodle(word: str = "Ann Lee", tail: str = "/") -> Files:
    for k, (attempts, _) in enumerate(CLASS.values()):
        for name, data in {n: d for one in attempts for n, d in one.items()}.items():
            yield f"{word}_{40 + k}_assignsubmission_file{tail}{name}", data


def gradescope() -> Files:
    for k, (attempts, _) in enumerate(CLASS.values()):
        for name, data in attempts[-1].items():
            yield f"assignment_1_export/submission_{40 + k}/{name}", data


def every() -> Iterator[tuple[int, int, str, bytes]]:
    """Each file of each attempt, where a platform keeps them all: student, attempt, name, bytes."""
    for k, (attempts, _) in enumerate(CLASS.values()):
        for n, own in enumerate(attempts):
            for name, data in own.items():
                yield 40 + k, n, name.replace("-1", ""), data


def brightspace(day: str = "Nov 20, 2026", hour: int = 9, half: str = " PM", tail: str = "/") -> Files:
    yield "index.html", b"<html>"
    for who, n, name, data in every():
        yield f"{who}-6 - Ann Lee - {day} {hour + n}05{half}{tail}{name}", data


def blackboard() -> Files:
    for who, n, name, data in every():
        head = f"Backprop ex1_{who}_attempt_2026-11-20-2{n}-05-11"
        yield f"{head}.txt", f"Name: Ann Lee ({who})\nAssignment: Backprop ex1\n".encode()
        yield f"{head}_{name}", data


def ilias() -> Files:
    for who, n, name, data in every():
        yield f"Abgaben/Lee_Ann_alee_{who}/2026112021051{n}_{name}", data


def teams() -> Files:
    for who, n, name, data in every():
        yield f"Submitted files/{who}/Backprop/Version {n + 1}/{name}", data
        yield f"Working files/{who}/Backprop/{name}", b"# not handed in yet"


def sakai() -> Files:
    yield "Backprop/grades.csv", b"x"
    for k, (attempts, _) in enumerate(CLASS.values()):
        yield f"Backprop/Lee, Ann({40 + k})/timestamp.txt", b"20261120215211000"
        for name, data in attempts[-1].items():
            yield f"Backprop/Lee, Ann({40 + k})/Submission attachment(s)/{name}", data


def repositories() -> Files:
    for k, (attempts, _) in enumerate(CLASS.values()):
        own = {f"exercises/{name}": data for name, data in attempts[-1].items()}
        there = {name.casefold() for name in own}
        released = {"exercises/ex1.py": STUB, "exercises/ex1.ipynb": BOOK}
        own |= {name: data for name, data in released.items() if name not in there}
        for name, data in {**own, "README.md": b"x", "solutions/ex1.py": b"x"}.items():
            yield f"backprop-submissions/backprop-{40 + k}/{name}", data


EXPORTS: dict[str, Callable[[], Files]] = {
    "Canvas": canvas,
    "Moodle": moodle,
    "Moodle, older": lambda: moodle(tail="_/"),
    "Moodle, flat": lambda: moodle(tail="_"),
    "Moodle, blind": lambda: moodle("成员"),
    "Gradescope": gradescope,
    "Brightspace": brightspace,
    "Brightspace, without folders": lambda: brightspace(tail=" - "),
    "Brightspace, of other countries": lambda: brightspace("20 November, 2026", 21, ""),
    "Blackboard": blackboard,
    "Sakai": sakai,
    "ILIAS": ilias,
    "Teams": teams,
    "GitHub Classroom": repositories,
}
RELEASE = "as it was released"  # of a repository in which a student has changed none of the stubs


def taken(path: Path, only: str | None = "ex1", teams: dict[str, list[str]] | None = None) -> list[Upload]:
    return uploads([path], Intake(EXERCISES, only, teams, RELEASED))


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("only", ["ex1", None])
def test_every_student_is_there_once_with_the_file_that_counts(
    name: str, only: str | None, tmp_path: Path
) -> None:
    (tmp_path / "export.zip").write_bytes(zipped(dict(EXPORTS[name]())))
    found = {u.chosen.student: u for u in taken(tmp_path / "export.zip", only)}
    assert len(taken(tmp_path / "export.zip", only)) == len(CLASS)
    assert sorted(found) == [str(40 + k) for k in range(len(CLASS))]
    for k, (_, problem) in enumerate(CLASS.values()):
        one = found[str(40 + k)]
        if problem:
            said = (problem, RELEASE) if name == "GitHub Classroom" else (problem,)
            assert any(p in one.chosen.problem for p in said)
        else:
            assert (one.chosen.problem, one.read().decode("utf-8-sig").encode()) == ("", WORK[k])


def test_one_repository_is_one_student(tmp_path: Path) -> None:
    for name, data in {"ex1.py": WORK[0], "ex1.ipynb": BOOK, "ex2.py": STUB.replace(b"ex1", b"ex2")}.items():
        (tmp_path / "ann" / "exercises").mkdir(parents=True, exist_ok=True)
        (tmp_path / "ann" / "exercises" / name).write_bytes(data)
    (one,) = taken(tmp_path / "ann")
    assert (one.chosen.student, one.chosen.file, one.chosen.problem) == ("ann", "ex1.py", "")


def test_files_whose_names_tell_no_student_are_nobodys(tmp_path: Path) -> None:
    names = ["ex1.py", "ex1(1).py", "ex1(2).py", "Ann Lee - ex1.py"]
    (tmp_path / "export.zip").write_bytes(zipped({f"Backprop/{n}": WORK[k] for k, n in enumerate(names)}))
    found = taken(tmp_path / "export.zip")
    assert [u.chosen.student for u in found if not u.chosen.problem] == ["Ann Lee"]
    assert sum("nothing tells whose it is" in u.chosen.problem for u in found) == 3


def test_a_team_is_refused_until_a_table_says_who_is_in_it(tmp_path: Path) -> None:
    files = {
        "Team 1_77_assignsubmission_file/ex1.py": WORK[0],
        "Ann Lee_78_assignsubmission_file/ex1.py": WORK[1],
    }
    (tmp_path / "export.zip").write_bytes(zipped(files))
    told = {u.chosen.student: u.chosen.problem for u in taken(tmp_path / "export.zip")}
    assert "--teams FILE" in told["Team 1"] and told["78"] == ""
    found = taken(tmp_path / "export.zip", teams={"Team 1": ["80", "81"]})
    assert {u.chosen.student: u.read() for u in found} == {"78": WORK[1], "80": WORK[0], "81": WORK[0]}
    assert len({u.id for u in found}) == 3


def test_the_newest_attempt_counts_by_its_time_or_its_name(tmp_path: Path) -> None:
    for names in (
        ["ex1.py", "ex1 (1).py"],
        ["ex1.py", "ex1_final.py"],
        ["ex1-2.py", "ex1-10.py"],
        ["ex1.py", "EX1_v2.py"],
    ):
        files = {f"ann/{names[0]}": WORK[0], f"ann/{names[1]}": WORK[1], "bob/ex1.py": WORK[2]}
        (tmp_path / "export.zip").write_bytes(zipped(files))
        ann, _ = taken(tmp_path / "export.zip")
        assert (ann.read(), ann.chosen.attempts) == (WORK[1], 2), names


def test_a_zip_of_windows_is_read(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("ann/ex1.py")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as made:
        info.filename, info.create_system = "ann\\ex1.py", 0
        made.writestr(info, WORK[0])
    data = (tmp_path / "export.zip").read_bytes()
    (tmp_path / "export.zip").write_bytes(data.replace(b"ann/ex1.py", b"ann\\ex1.py"))
    (one,) = taken(tmp_path / "export.zip")
    assert (one.chosen.student, one.chosen.problem, one.read()) == ("ann", "", WORK[0])


def test_a_table_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--teams .*nowhere.csv can't be read"):
        table(str(tmp_path / "nowhere.csv"), "--teams")


def test_a_table_or_the_roster_tells_the_owners_of_files_whose_names_do_not(tmp_path: Path) -> None:
    files = {
        "ex1.py": WORK[0],
        "ex1(1).py": WORK[1],
        "ex1.zip": zipped({"hw/ex1.py": WORK[2]}),
        "ex1(2).zip": zipped({"ex1.py": WORK[3]}),
        "zoe\u0308_lee-ex1.py": WORK[4],  # in two marks, as a Mac writes it
        "ex1 s2204.py": WORK[5],
        "Ann Lee - ex1.ipynb": BOOK,
    }
    (tmp_path / "export.zip").write_bytes(zipped({f"Backprop/{name}": data for name, data in files.items()}))
    table = {"Backprop/ex1.py": "ann", "Backprop/ex1(1).py": "bob", "Backprop/ex1.zip": "cleo"}
    table |= {"Backprop/ex1(2).zip": "dan", "Backprop/Ann Lee - ex1.ipynb": "ann"}
    entries = [
        Entry(("s2203",), "Zo\u00eb Lee"),
        Entry(("s2204",), "Ed Fox"),
        Entry(("s2205",), "Lee Zo\u00eb Fox"),
    ]
    intake = Intake(EXERCISES, "ex1", None, RELEASED, whose=table, named=named(entries))
    found = {u.chosen.student: u for u in uploads([tmp_path / "export.zip"], intake)}
    who = ["ann", "bob", "cleo", "dan", "s2203", "s2204"]
    assert {s: u.read() for s, u in found.items()} == dict(zip(who, WORK, strict=False))
    assert not any(u.chosen.problem for u in found.values())
    with pytest.raises(UsageError, match=r"no file here is ex1.py: name it as here, Backprop/"):
        uploads([tmp_path / "export.zip"], Intake(EXERCISES, "ex1", whose={"ex1.py": "ann"}))


def test_whose_number_says_nothing_of_what_is_newer(tmp_path: Path) -> None:
    for name in ("ex1.py", "ex1(1).py"):
        (tmp_path / name).write_bytes(name.encode())
    intake = Intake(EXERCISES, "ex1", whose={"ex1.py": "ann", "ex1(1).py": "ann"})
    (one,) = uploads([tmp_path], intake)
    assert "nothing tells which is newer" in one.chosen.problem
    two = {
        f"B/Ann Lee - ex1{m}.py": w for m, w in zip(("", "(1)"), WORK, strict=False)
    }  # perhaps two who are called so
    (tmp_path / "export.zip").write_bytes(zipped(two))
    (one,) = taken(tmp_path / "export.zip")
    assert "--owners FILE says it of B/Ann Lee - ex1(1).py, B/Ann Lee - ex1.py" in one.chosen.problem


def test_a_name_that_fits_two_on_the_roster_is_nobody_s() -> None:
    find = named([Entry(("1",), "Ann Lee"), Entry(("2",), "Lee, Ann"), Entry(("3",), "Bob Ray")])
    assert [find(stem) for stem in ("ann_lee_ex1", "ex1 Bob.Ray", "ex1 bob", "ex1-3")] == ["", "3", "", ""]


def test_a_name_is_one_however_its_marks_are_written(tmp_path: Path) -> None:
    """As a Mac writes it, and as a keyboard does in a table of the instructor's."""
    (tmp_path / "export.zip").write_bytes(zipped({"Zoe\u0308 L/ex1.py": WORK[0], "e\u0301.py": WORK[1]}))
    found = uploads([tmp_path / "export.zip"], Intake(EXERCISES, "ex1", whose={"\u00e9.py": "ann"}))
    assert {u.chosen.student: u.read() for u in found} == {"Zo\u00eb L": WORK[0], "ann": WORK[1]}


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (zipped({"ex1.py": b"x"}), "is a zip that is called as a program"),
        ("x = 1\n".encode("utf-16-le"), "is no text: save it as UTF-8"),
        (
            b"x = 1\n# caf\xe9\n",
            "has in line 2 a byte that is not UTF-8, which Python refuses: save it as UTF-8",
        ),
        (b"x = 1\n\0\n", "has in line 2 a NUL, which Python refuses: delete it"),
        (b"# coding: nothing\n", "begins with a wrong coding line"),
    ],
)
def test_what_holds_no_program_is_said(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "ex1.py").write_bytes(data)
    with pytest.raises(Unreadable, match=why):
        taken(tmp_path / "ex1.py")[0].read()


def test_a_coding_line_behind_a_long_first_line_counts_here_as_in_a_check(tmp_path: Path) -> None:
    data = b"# " + b"x" * 300 + b"\n# coding: latin-1\n# caf\xe9\n"
    (tmp_path / "ex1.py").write_bytes(data)
    assert taken(tmp_path / "ex1.py")[0].read() == data


def test_a_text_with_a_coding_line_is_read_as_python_does(tmp_path: Path) -> None:
    (tmp_path / "ex1.py").write_bytes(data := b"# coding: latin-1\n# caf\xe9\n")
    assert taken(tmp_path / "ex1.py")[0].read() == data


def test_a_notebook_with_an_ending_that_a_browser_added_is_one(tmp_path: Path) -> None:
    files = {"ann/ex1.ipynb.txt": b"{}", "bob/ex1.ipynb.json": b"{}", "eve/ex1.json": b"{}"}
    (tmp_path / "export.zip").write_bytes(zipped(files))
    assert [bool(u.chosen.problem) for u in taken(tmp_path / "export.zip")] == [False, False, True]


def test_files_that_google_numbers_are_a_class_s_and_nobody_s(tmp_path: Path) -> None:
    """A folder of nothing else is not one student with many attempts."""
    with zipfile.ZipFile(tmp_path / "up.zip", "w") as made:
        for name in ("ex1.py", "ex1(1).py", "ex1(2).py"):
            made.writestr(f"Backprop ex1/{name}", name)
    found = uploads([tmp_path / "up.zip"], Intake(["ex1"], "ex1"))
    assert len(found) == 3 and all(u.chosen.nobodys for u in found)


SHAPES: dict[str, tuple[dict[str, bytes], dict[str, int | str]]] = {  # by student a work, or what is said
    "Canvas, late and again": (
        {
            "leeann_LATE_123_456_ex1-2.py": WORK[1],
            "foxcy_125_458_ex1-1.py": WORK[2],
            "raybo_126_text.html": b"",
            "raylin_127_link.html": b"",
        },
        {"123": 1, "125": 2, "126": "it has text.html", "127": "it has link.html"},
    ),
    "Moodle, one name twice": (
        {f"Jos\u00e9 Garc\u00eda-L\u00f3pez_{n}_assignsubmission_file/src/ex1.py": WORK[n] for n in (7, 8)},
        {"7": 7, "8": 8},
    ),
    "Moodle, in no team": (
        {
            "Default group_assignsubmission_file/ex1.py": WORK[1],
            "Team 1_4_assignsubmission_file/ex1.py": WORK[2],
        },
        {"Default group": "is a team's", "Team 1": "is a team's"},
    ),
    "Moodle, a team of a participant's number": (
        {
            "Team 1_4_assignsubmission_file/ex1.py": WORK[1],
            "Ann Lee_4_assignsubmission_file/ex1.py": WORK[2],
        },
        {"Team 1": "is a team's", "4": 2},
    ),
    "Moodle, flat and in no team": (
        {"Keine_assignsubmission_file_ex1.py": WORK[1], "Team 1_4_assignsubmission_file_ex1.py": WORK[2]},
        {"Keine": "is a team's", "Team 1": "is a team's"},
    ),
    "Blackboard, logins with a _": (
        {
            f"HW_1_{who}_attempt_2026-11-20-20-01-11{tail}": data
            for k, who in enumerate(("a_ray", "b_ray"))
            for tail, data in (
                (".txt", f"Name: Ray ({who})\n".encode()),
                ("_ex1.py", WORK[k]),
                ("_h.pdf", b"x"),
            )
        },
        {"a_ray": 0, "b_ray": 1},
    ),
    "Blackboard, a later attempt of no program": (
        {
            "H_ann_attempt_2026-11-20-20-01-11_ex1.py": WORK[1],
            "H_ann_attempt_2026-11-21-20-01-11_a.pdf": b"x",
        },
        {"ann": 1},
    ),
    "Gradescope, a whole repository": (
        {"a_export/submission_7/exercises/ex1.py": WORK[1], "a_export/submission_8/ex1.py": WORK[2]},
        {"7": 1, "8": 2},
    ),
    "Sakai, marked before": (
        {
            "HW/Ray, Bo(bo)/Feedback Attachment(s)/ex1.py": WORK[2],
            "HW/Ray, Bo(bo)/Submission attachment(s)/ex1.py": WORK[1],
            "HW/grades.csv": b"x",
        },
        {"bo": 1},
    ),
    "Sakai, with nothing": (
        {"HW/Ray, Bo(bo)/timestamp.txt": b"2026", "HW/Lee, A(ann)/Submission attachment(s)/ex1.py": WORK[1]},
        {"bo": "nothing is handed in", "ann": 1},
    ),
    "Sakai, of a group, which lists its members": (
        {
            "HW/Gr, 1 (5-a)/members.txt": b"Ray, Bo(bo); Lee,(ann)",
            "HW/Gr, 1 (5-a)/Submission attachment(s)/ex1.py": WORK[1],
            "HW/Fox,(cy)/Submission attachment(s)/ex1.py": WORK[2],
        },
        {"bo": 1, "ann": 1, "cy": 2},
    ),
    "Google, two of one name": (
        {"B/ex1.py": WORK[1], "B/ex1 (1).py": WORK[2]},
        {"ex1.py": "nothing tells whose", "ex1 (1).py": "nothing tells whose"},
    ),
    "Google, copies of no name": (
        {"B/Copy of ex1.ipynb": BOOK, "B/Copy of ex1(1).ipynb": BOOK, "B/Ann Lee - ex1.py": WORK[1]},
        {"Copy of ex1.ipynb": "nothing tells", "Copy of ex1(1).ipynb": "nothing tells", "Ann Lee": 1},
    ),
    "Google, each file of one name with another ending": (
        {
            "B/ex1.py": WORK[1],
            "B/ex1.zip": zipped({"a.py": WORK[2], "b.py": WORK[3]}),
            "B/ex1.pdf": b"",
            "B/ex1(1).py": b"",
        },
        dict.fromkeys(("ex1.py", "ex1.zip", "ex1.pdf", "ex1(1).py"), "nothing tells whose"),
    ),
    "GitHub Classroom, with its list": (
        {"hw-11-20-2026/ann/exercises/ex1.py": WORK[1], "hw-11-20-2026/grades.csv": b"x"},
        {"ann": 1},
    ),
    "Autolab": (
        {"a_b@uni.edu_2_ex1.py": WORK[1], "a_b@uni.edu_10_ex1.py": WORK[2], "c@uni.edu_1_ex1.py": WORK[3]},
        {"a_b@uni.edu": 2, "c@uni.edu": 3},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_platforms_also_make_of_a_class(name: str, tmp_path: Path) -> None:
    files, wanted = SHAPES[name]
    (tmp_path / "export.zip").write_bytes(zipped(files))
    found = taken(tmp_path / "export.zip")
    assert sorted(u.chosen.student for u in found) == sorted(wanted)
    for one in found:
        want = wanted[one.chosen.student]
        if isinstance(want, str):
            assert want in one.chosen.problem
        else:
            assert (one.chosen.problem, one.read()) == ("", WORK[want])
    assert [u.chosen.student for u in found if u.chosen.absent] == ["bo"] * ("with nothing" in name)
    assert "later attempt" not in name or found[0].chosen.note == "a later attempt has no program: a.pdf"


@pytest.mark.parametrize("told, hour", [("115 PM", 13), ("1115 PM", 23), ("1215 AM", 0), ("1:15 p.m.", 13)])
def test_a_time_of_three_digits_has_an_hour_of_one(told: str, hour: int) -> None:
    (one,) = owners([f"12-3 - Ann Lee - Nov 20, 2026 {told}/ex1.py"], {})
    assert (one.student, one.name, one.time) == ("12", "Ann Lee", datetime(2026, 11, 20, hour, 15))


@pytest.mark.parametrize("told", ["2026-11-20T21:52:11.200Z", "20261120215211200", "2026-11-20T21:52:11Z"])
def test_sakai_s_own_file_tells_the_time(told: str, tmp_path: Path) -> None:
    files = {
        "HW/Lee, A(ann)/timestamp.txt": told.encode(),
        "HW/Lee, A(ann)/Submission attachment(s)/ex1.py": WORK[1],
        "HW/Lee, A(ann)/Submission attachment(s)/timestamp.txt": b"2020-01-01T00:00:00Z",  # a student's
        "HW/Ray, B(bo)/timestamp.txt": b"yesterday",
        "HW/Ray, B(bo)/Submission attachment(s)/ex1.py": WORK[2],
    }
    (tmp_path / "export.zip").write_bytes(zipped(files))
    times = {u.chosen.student: u.submitted for u in taken(tmp_path / "export.zip")}
    assert times == {"ann": datetime(2026, 11, 20, 21, 52, 11, tzinfo=UTC), "bo": None}


def test_blackboard_s_logins_are_the_roster_s_where_no_note_tells(tmp_path: Path) -> None:
    files = {f"HW_1_{who}_attempt_2026-11-20-20-01-11_ex1.py": WORK[1] for who in ("a_ray", "b_ray")}
    (tmp_path / "export.zip").write_bytes(zipped(files))
    found = uploads([tmp_path / "export.zip"], Intake(EXERCISES, "ex1", ids=frozenset(("a_ray", "b_ray"))))
    assert [(u.chosen.student, u.chosen.problem) for u in found] == [("a_ray", ""), ("b_ray", "")]


def test_a_time_in_another_language_is_not_known(tmp_path: Path) -> None:
    files = {f"12-3 - Ann Lee - {d} marraskuuta 2026 1405/ex1.py": WORK[d] for d in (1, 2)}
    (tmp_path / "export.zip").write_bytes(zipped(files))
    (one,) = taken(tmp_path / "export.zip")
    assert "nothing tells which is newer" in one.chosen.problem
