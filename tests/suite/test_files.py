"""A file replaced whole: what is left where it can't be, and where a link or a leftover lies in its place."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from grader.core.errors import UsageError
from grader.suite.files import replaced, replacing


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
