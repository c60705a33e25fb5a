"""Files read and replaced where others write: links, leftovers, and what is left where it can't be done."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.core.errors import Unreadable, UsageError
from grader.submissions.files import Folder
from grader.suite.files import read_file, replaced, replacing
from grader.suite.find import read_submission


@pytest.mark.parametrize("there", [b"before", None])
def test_an_error_while_writing_leaves_what_was_there(there: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    if there is not None:
        path.write_bytes(there)
    with pytest.raises(OSError, match="full"), replacing(path) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == ({"a.csv": there} if there else {})


@pytest.mark.parametrize("name", ["a.csv", "a.csv.new"])
def test_a_link_is_replaced_and_never_followed(name: str, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / name).symlink_to("precious")
    replaced(tmp_path / "a.csv", b"new")
    left = {p.name: (p.is_symlink(), p.read_bytes()) for p in tmp_path.iterdir()}
    assert left == {"precious": (False, b"kept"), "a.csv": (False, b"new")}


def test_what_an_ended_process_left_is_no_part_of_the_next_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv.new").write_bytes(b"x" * 1000)
    replaced(tmp_path / "a.csv", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.csv", b"new")]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.new"])
def test_a_folder_in_its_place_is_told_in_one_line_and_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="a.csv can't be written: [^\\n]+$"):
        replaced(tmp_path / "a.csv", b"new")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.fixture
def class_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bob has a file; mallory's folders lead to it."""
    (tmp_path / "bob/exercises/gpt").mkdir(parents=True)
    (tmp_path / "bob/exercises/gpt/ex1.py").write_text("bob")
    (tmp_path / "bob/ex1.py").symlink_to("exercises/gpt/ex1.py")
    (tmp_path / "mallory").mkdir()
    (tmp_path / "mallory/exercises").symlink_to("../bob/exercises")
    (tmp_path / "whole").symlink_to("bob")
    monkeypatch.chdir(tmp_path)
    return tmp_path


PATHS = {
    "bob/exercises/gpt/ex1.py": "",
    "mallory/../bob/exercises/gpt/ex1.py": "",
    "bob/ex1.py": "is a link",
    "mallory/exercises/gpt/ex1.py": "lies behind a link, exercises",
    "whole/exercises/gpt/ex1.py": "lies behind a link, whole",
    "mallory/exercises/../../bob/exercises/gpt/ex1.py": "lies behind a link, exercises",
    "mallory/nothing/ex1.py": "can't be read (No such file or directory)",
    "bob/ex1.py/ex1.py": "lies behind a link, ex1.py",
    "bob/exercises": "is not a file",
    ".": "is not a file",
    "..": "is not a file",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("absolute", [False, True])
def test_no_link_is_followed_on_the_way_to_a_file(path: str, absolute: bool, class_: Path) -> None:
    def said(read: Callable[[], bytes]) -> str:
        before = len(os.listdir("/dev/fd"))
        try:
            assert read() == b"bob"
            return ""
        except Unreadable as error:
            return str(error)
        finally:
            assert len(os.listdir("/dev/fd")) == before

    assert said(lambda: read_file(class_ / path if absolute else Path(path))) == PATHS[path]


def test_the_folder_that_is_named_may_be_a_link(class_: Path) -> None:
    assert read_file(Path("exercises/gpt/ex1.py"), folder=Path("whole")) == b"bob"
    with pytest.raises(Unreadable, match="lies behind a link, exercises"):
        read_file(Path("exercises/gpt/ex1.py"), folder=class_ / "mallory")


def test_a_folder_that_becomes_a_link_once_it_has_been_looked_at_is_not_followed(class_: Path) -> None:
    own = class_ / "in/mallory"
    (own / "exercises").mkdir(parents=True)
    (own / "exercises/ex1.py").write_text("mallory")
    source = Folder(class_ / "in")
    assert list(source.files()) == ["mallory/exercises/ex1.py"]
    (own / "exercises").rename(class_ / "away")
    (own / "exercises").symlink_to("../../bob/exercises/gpt")
    with pytest.raises(Unreadable, match="lies behind a link, exercises"):
        source.read("mallory/exercises/ex1.py")


def test_one_s_own_link_is_told_in_a_line_with_what_to_do(class_: Path) -> None:
    path = "mallory/exercises/gpt/ex1.py"
    with pytest.raises(UsageError) as told:
        read_submission(Path(path))
    assert str(told.value) == (
        f"{path} lies behind a link, exercises: name the file itself, or copy it there"
    )
    with pytest.raises(Unreadable, match="behind a link"):  # a shell's * leads through links
        Folder(Path(path).parent, only="ex1.py").read("ex1.py")
