"""Saved tensors: damage is found and named, stamps tell their origin, probes give nothing away."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from conftest import GRADIENTS, ROOT, examples
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.core.errors import GraderFault
from grader.core.exercise import FORMAT, Fixtures, Task, sizes
from grader.suite import fixtures as fixture


def folder(exercise: str) -> Path:
    return ROOT.joinpath("fixtures", *exercise.split("."))


EX1 = folder("ex1")
FILES = sorted(p.name for p in EX1.glob("*.gz"))
PROBES = [(e, p.name.split(".")[0]) for e in GRADIENTS for p in folder(e).glob("probe-*.given.*")]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a copy of ex1's fixtures; a test leaves it as it was."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(EX1, root / "fixtures" / "ex1")
    return root


@pytest.fixture
def root(copied: Path) -> Iterator[Path]:
    yield copied
    shutil.rmtree(copied / "fixtures")
    shutil.copytree(EX1, copied / "fixtures" / "ex1")


def read_all(root: Path) -> Fixtures:
    description = fixture.describe(root, "ex1")
    fixture.hints(root, description), fixture.derived(root, description)
    return fixture.read(root, description)


def fault(root: Path, name: str) -> str:
    """What is said of a damaged ex1: one line that names the file and its repair."""
    with pytest.raises(GraderFault) as caught:
        read_all(root)
    message = str(caught.value)
    assert message.startswith(f"fixtures/ex1/{name} ") and "`grader build ex1`" in message
    assert message.isprintable()
    return message


def test_untouched_fixtures_are_read_in_full(copied: Path) -> None:
    description = fixture.describe(copied, "ex1")
    fixtures = fixture.read(copied, description)
    listed = [entry.name for entry in description.fixtures]
    assert list(fixtures.given) == list(fixtures.references) == listed
    items = {item.name for item in description.items}
    for reference in fixtures.references.values():
        assert items <= reference.values.keys() and items <= reference.sizes.keys()
        assert all(np.isfinite(v).all() and v.any() for v in reference.values.values())
        assert all(np.isfinite(v) and v > 0 for v in reference.sizes.values())


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def repack(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(fixture.packed(change(fixture.unpacked(path.read_bytes()))))


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, "is missing"),
    "emptied": (lambda p: p.write_bytes(b""), "is damaged"),
    "cut by a byte": (lambda p: p.write_bytes(p.read_bytes()[:-1]), "is damaged"),
    "cut in half": (lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]), "is damaged"),
    "longer by a byte": (lambda p: p.write_bytes(p.read_bytes() + b"\0"), "is damaged"),
    "of zeros": (lambda p: p.write_bytes(bytes(p.stat().st_size)), "is damaged"),
    "not packed": (lambda p: p.write_bytes(fixture.unpacked(p.read_bytes())), "is damaged"),
    "packed anew, cut by a byte": (lambda p: repack(p, lambda data: data[:-1]), "was altered"),
    "packed anew, longer by a byte": (lambda p: repack(p, lambda data: data + b"\0"), "was altered"),
    "packed anew, of zeros": (lambda p: repack(p, lambda data: bytes(len(data))), "was altered"),
    "of another file": (lambda p: p.write_bytes(fixture.packed(b"{}")), "was altered"),
    "a folder": (_folder, "can't be read (Is a directory)"),
}
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, "is missing"),
    "emptied": (lambda p: p.write_bytes(b""), "is damaged"),
    "cut in half": (lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]), "is damaged"),
    "no JSON": (lambda p: p.write_text("hello"), "is damaged"),
    "not UTF-8": (lambda p: p.write_bytes(b'{"format": "\xff"}'), "is damaged"),
    "a list": (lambda p: p.write_text("[1]"), "is damaged"),
    "null": (lambda p: p.write_text("null"), "is damaged"),
    "a text": (lambda p: p.write_text('"format digest"'), "is damaged"),
    "an empty object": (lambda p: p.write_text("{}"), "is damaged"),
    "without its digest": (lambda p: p.write_text('{"format": 1}'), "is damaged"),
    "deep": (lambda p: p.write_text("[" * 100_000), "is damaged"),
    "a folder": (_folder, "can't be read (Is a directory)"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage, said", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_a_fault_that_names_it(
    root: Path, damage: Callable[[Path], Any], said: str, name: str
) -> None:
    damage(root / "fixtures" / "ex1" / name)
    assert said in fault(root, name)


@pytest.mark.parametrize("damage, said", BROKEN.values(), ids=BROKEN)
def test_a_damaged_description_is_a_fault_that_names_it(
    root: Path, damage: Callable[[Path], Any], said: str
) -> None:
    damage(root / "fixtures" / "ex1" / "exercise.json")
    assert said in fault(root, "exercise.json")


@given(st.sampled_from(FILES), st.integers(0), st.integers(1, 255))
@settings(max_examples=examples(60))
def test_one_flipped_byte_is_a_fault_or_changes_no_content(
    copied: Path, name: str, at: int, mask: int
) -> None:
    path = copied / "fixtures" / "ex1" / name
    original = path.read_bytes()
    data = bytearray(original)
    data[at % len(data)] ^= mask
    path.write_bytes(data)
    try:
        if _content(bytes(data)) == fixture.unpacked(original):  # the header's date, or its system
            read_all(copied)
        else:
            fault(copied, name)
    finally:
        path.write_bytes(original)


@given(st.sampled_from(FILES), st.integers(0), st.integers(1, 255))
@settings(max_examples=examples(60))
def test_one_flipped_byte_of_a_content_is_a_fault(copied: Path, name: str, at: int, mask: int) -> None:
    path = copied / "fixtures" / "ex1" / name
    original = path.read_bytes()
    data = bytearray(fixture.unpacked(original))
    data[at % len(data)] ^= mask
    path.write_bytes(fixture.packed(bytes(data)))
    try:
        assert "was altered" in fault(copied, name)
    finally:
        path.write_bytes(original)


def test_how_a_content_is_packed_does_not_matter(root: Path) -> None:
    path = root / "fixtures" / "ex1" / FILES[0]
    before, original = read_all(root), path.read_bytes()
    path.write_bytes(gzip.compress(fixture.unpacked(original), 1, mtime=1))
    assert path.read_bytes() != original and read_all(root).given == before.given


def _content(data: bytes) -> bytes | None:
    try:
        return fixture.unpacked(data)
    except ValueError:
        return None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


@given(st.integers(0), st.integers(1, 255))
@settings(max_examples=examples(60))
def test_one_flipped_byte_in_a_description_is_a_fault_or_only_white_space(
    copied: Path, at: int, mask: int
) -> None:
    path = copied / "fixtures" / "ex1" / "exercise.json"
    original = path.read_bytes()
    data = bytearray(original)
    data[at % len(data)] ^= mask
    path.write_bytes(data)
    try:
        if _json(bytes(data)) == json.loads(original):
            read_all(copied)
        else:
            fault(copied, "exercise.json")
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize("stated", [1, 3, 0, -1, 99, "2", "2\n3", None, 1.5, [1]], ids=repr)
def test_another_format_is_a_fault_that_names_both_and_the_repair(root: Path, stated: Any) -> None:
    path = root / "fixtures" / "ex1" / "exercise.json"
    told = {**json.loads(path.read_text()), "format": stated}
    del told["digest"]
    mark = fixture.digest(json.dumps(told, sort_keys=True).encode())
    path.write_text(json.dumps({**told, "digest": mark}))
    said = fault(root, "exercise.json")
    assert f"this grader reads format {FORMAT}" in said and "upgrade the grader" in said


def _edited(description: dict[str, Any], field: str) -> Any:
    value = description[field]
    if isinstance(value, list):
        return value[1:]
    if isinstance(value, dict):
        return {**value, "extra": 1}
    return f"{value} " if value is not None else {}


FIELDS = sorted(json.loads((EX1 / "exercise.json").read_text()).keys() - {"format"})


@pytest.mark.parametrize("field", FIELDS)
def test_an_edited_field_of_a_description_is_a_fault(root: Path, field: str) -> None:
    path = root / "fixtures" / "ex1" / "exercise.json"
    description = json.loads(path.read_text())
    path.write_text(json.dumps({**description, field: _edited(description, field)}))
    assert "was altered" in fault(root, "exercise.json")


def test_a_field_added_or_taken_away_is_a_fault(root: Path) -> None:
    path = root / "fixtures" / "ex1" / "exercise.json"
    description = json.loads(path.read_text())
    for changed in ({**description, "bonus": 1}, {k: v for k, v in description.items() if k != "items"}):
        path.write_text(json.dumps(changed))
        assert "was altered" in fault(root, "exercise.json")


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_each_tensor_file_is_stamped_with_all_that_its_bytes_depend_on(exercise: str) -> None:
    description = fixture.describe(ROOT, exercise)
    for entry in description.fixtures:
        for part in ("given", "reference"):
            path = folder(exercise) / f"{entry.name}.{part}.safetensors.gz"
            data = fixture.unpacked(path.read_bytes())
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            stamp = json.loads(header["__metadata__"]["stamp"])
            origin = {"fixture": entry.name, "format": FORMAT, **description.stamp}
            assert stamp == {**entry.settings, **origin}
            assert {"seed", "torch", "cpu_capability"} <= stamp.keys()
            assert stamp["cpu_capability"] == "DEFAULT"


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_every_file_of_the_folder_is_listed_and_has_its_listed_size(exercise: str) -> None:
    description = fixture.describe(ROOT, exercise)
    stated = {
        f"{part}.json.gz": getattr(description, part).bytes for part in ("diagnosis", "hints", "derived")
    }
    for entry in description.fixtures:
        for part in ("given", "reference"):
            stated[f"{entry.name}.{part}.safetensors.gz"] = getattr(entry, part).bytes
    for name, size in stated.items():
        assert len(fixture.unpacked((folder(exercise) / name).read_bytes())) == size
    listed = {"exercise.json", *stated}
    assert {p.name for p in folder(exercise).iterdir()} == listed


def test_all_fixtures_together_stay_a_few_megabytes() -> None:
    assert sum(p.stat().st_size for p in (ROOT / "fixtures").rglob("*") if p.is_file()) < 8_000_000


# demb's whole task is to give dembcat another shape: its values are those it was given
ANSWER_IS_A_VIEW = {"demb"}


def _handed_on(own: str, value: Any, given_: dict[str, Any]) -> bool:
    """Whether the right answer is an upstream gradient as it came: of a sum, a view, a residual."""
    return any(
        name[:1] == "d"
        and name not in (own, own.rpartition(":")[2])
        and tensor.size == value.size
        and np.array_equal(tensor.reshape(-1), value.reshape(-1))
        for name, tensor in given_.items()
    )


@pytest.mark.parametrize("exercise, probe", PROBES)
def test_nothing_given_on_a_probe_holds_its_reference(
    exercises: dict[str, Task], exercise: str, probe: str
) -> None:
    fixtures = exercises[exercise][1]
    given_ = safetensors.numpy.load(fixtures.given[probe])
    for name, value in fixtures.references[probe].values.items():
        if value.size < 4 or name.rpartition(":")[2] in ANSWER_IS_A_VIEW or _handed_on(name, value, given_):
            continue
        assert value.tobytes() not in fixtures.given[probe], name
        for other, tensor in given_.items():
            if tensor.size == value.size:
                assert not np.allclose(tensor.reshape(-1), value.reshape(-1), 1e-4, 1e-7), (
                    f"{other} is {name}"
                )
                assert not np.allclose(tensor.reshape(-1), -value.reshape(-1), 1e-4, 1e-7), (
                    f"-{other} is {name}"
                )


@pytest.mark.parametrize("exercise, probe", PROBES)
def test_every_upstream_gradient_of_a_probe_is_random(
    exercises: dict[str, Task], exercise: str, probe: str
) -> None:
    description, fixtures = exercises[exercise]
    given_ = safetensors.numpy.load(fixtures.given[probe])
    upstream = {k: v for k, v in given_.items() if k[:1] == "d" and k[1:] in description.tensors}
    assert {name for item in description.items for name in item.available} <= upstream.keys()
    for name, value in upstream.items():
        assert value.shape == given_[name[1:]].shape
        if value.size >= 30:
            assert 0.5 < value.std() < 1.5 and abs(value.mean()) < 0.6, name


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_two_probes_have_other_sizes_than_the_lecture_no_two_of_them_alike(exercise: str) -> None:
    entries = fixture.describe(ROOT, exercise).fixtures
    every = {e.name: sizes(e.settings) for e in entries if e.name != "training"}
    other = {k: v for k, v in every.items() if k.startswith("probe") and v != every["lecture"]}
    assert len(other) == 2
    for name, of_probe in other.items():
        found = list(of_probe.values())
        if {"block_size", "n_embd"} <= of_probe.keys():
            found.append(of_probe["block_size"] * of_probe["n_embd"])  # and the width of the joined context
        assert len(set(found)) == len(found), name


LOOK_UP = [(e, p) for e, p in PROBES if "Xb" in fixture.describe(ROOT, e).inputs]


@pytest.mark.parametrize("exercise, probe", LOOK_UP)
def test_every_probe_looks_up_some_row_of_the_embedding_more_than_once(
    exercises: dict[str, Task], exercise: str, probe: str
) -> None:
    looked_up = safetensors.numpy.load(exercises[exercise][1].given[probe])["Xb"]
    assert len(np.unique(looked_up)) < looked_up.size


def test_a_link_in_fixtures_is_not_followed_and_hides_nothing(tmp_path: Path) -> None:
    """One to itself, or to what it lies in, would make a listing of all exercises end, or never end."""
    there = tmp_path / "fixtures/gpt/ex1"
    there.mkdir(parents=True)
    (there / "exercise.json").touch()
    for name, to in (("x", "x"), ("above", "."), ("gpt/around", "..")):
        (tmp_path / "fixtures" / name).symlink_to(to)
    assert fixture.exercises(tmp_path) == ["gpt.ex1"]
