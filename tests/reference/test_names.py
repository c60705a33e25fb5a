"""The lecture's names: the embedded list, the splits of the lecture, and files that are no list of names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from grader.core.errors import UsageError
from grader.reference.lecture import LETTERS, dataset, embedded_names, read_names, splits

LECTURE = Path(os.environ.get("GRADER_LECTURE_NAMES") or ROOT.parent / "shared" / "names.txt")
names = st.text(LETTERS, min_size=1, max_size=12)


def test_the_embedded_list_has_its_names_in_lower_case() -> None:
    found = embedded_names()
    assert len(found) == 32_469
    assert all(name and set(name) <= set(LETTERS) for name in found)


@pytest.mark.skipif(not LECTURE.is_file(), reason=f"the lecture's names are not at {LECTURE}")
def test_the_lectures_own_names_split_into_the_lectures_numbers_of_rows() -> None:
    parts = splits(read_names(LECTURE), seed=42)
    assert [len(dataset(part)[0]) for part in parts] == [182_625, 22_655, 22_866]
    assert [len(dataset(part)[1]) for part in parts] == [182_625, 22_655, 22_866]


@given(st.lists(names, max_size=40), st.integers(0, 99))
def test_the_splits_share_out_every_name_and_the_same_seed_gives_the_same(
    given_names: list[str], seed: int
) -> None:
    parts = splits(given_names, seed)
    assert sorted(sum(parts, [])) == sorted(given_names)
    assert parts == splits(given_names, seed)


@given(st.lists(names, max_size=8), st.integers(1, 5))
def test_a_dataset_has_a_row_for_each_letter_and_each_full_stop(rows: list[str], block: int) -> None:
    xs, ys = dataset(rows, block)
    assert len(xs) == len(ys) == sum(len(name) + 1 for name in rows)
    assert all(len(x) == block for x in xs)
    shown = "".join("." if y == 0 else LETTERS[y - 1] for y in ys)
    assert shown == "".join(name + "." for name in rows)
    for before, after, y in zip(xs, xs[1:], ys, strict=False):
        assert after == ([*before[1:], y] if y else [0] * block)


GOOD = {
    "one a line": b"emma\nolivia\n",
    "without a last line break": b"emma\nolivia",
    "of Windows": b"emma\r\nolivia\r\n",
    "with empty lines at the end": b"emma\nolivia\n\n\r\n",
}
BAD = {
    "empty": (b"", "is empty"),
    "of line breaks only": (b"\n\r\n\n", "is empty"),
    "not UTF-8": (b"emma\nol\xffvia\n", "is not UTF-8 (byte 7)"),
    "of UTF-16": ("emma\n".encode("utf-16"), "is not UTF-8 (byte 0)"),
    "with a capital": (b"emma\nOlivia\n", ", line 2: 'O' is not one of the letters a to z"),
    "with a space": (b"emma \n", ", line 1: ' ' is not one of the letters a to z"),
    "with a hyphen": (b"a\nb\nanne-marie\n", ", line 3: '-' is not one of the letters a to z"),
    "with an accent": ("a\nzoë\n".encode(), ", line 2: '\\xeb' is not one of the letters a to z"),
    "with a tab": (b"emma\t5\n", ", line 1: "),
    "with an escape": (b"\x1b[31m\n", ", line 1: '\\x1b'"),
    "with a byte order mark": (b"\xef\xbb\xbfemma\n", ", line 1: '\\ufeff'"),
    "with a line break of old": (b"emma\rolivia\n", ", line 1: '\\r'"),
    "with a zero": (b"em\0ma\n", ", line 1: '\\x00'"),
    "with a gap": (b"emma\n\nolivia\n", ", line 2: empty line, expected a name"),
    "with a gap of Windows": (b"\r\nemma\r\n", ", line 1: empty line, expected a name"),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_list_of_names_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    assert read_names(path) == ["emma", "olivia"]


@pytest.mark.parametrize("data, said", BAD.values(), ids=BAD)
def test_a_file_that_is_no_list_of_names_is_told_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_names(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and said in message
    assert message.isprintable()


def test_a_names_file_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.txt", "No such file"), (tmp_path, "directory")):
        with pytest.raises(UsageError, match=said) as caught:
            read_names(path)
        assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


@given(st.binary(max_size=60))
def test_any_bytes_are_names_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random-names.txt"
    path.write_bytes(data)
    try:
        found = read_names(path)
    except UsageError as error:
        assert str(error).startswith(str(path)) and str(error).isprintable()
    else:
        assert found and all(name and set(name) <= set(LETTERS) for name in found)
