"""Fixtures on disk: an exercise's public description and its saved tensors, read and verified.

`fixtures/<exercise>/exercise.json` describes the exercise and lists every tensor file with its
digest; `<fixture>.given.safetensors` is what a submission is run on, and
`<fixture>.reference.safetensors` what it is graded against. No torch is needed to read them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import GraderFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1


@dataclass(frozen=True)
class Reference:
    """What one fixture's answers are compared with, by item name.

    values: the reference gradients. sizes: the size each answer would have if nothing in it
    cancelled (see `Program.pull`), which sets the absolute part of the tolerance. bounds: for the items
    whose float32 is too far from their float64 for that rule. plain: outputs that are no tensors, encoded.
    """

    values: Mapping[str, NDArray[Any]]
    sizes: Mapping[str, float]
    bounds: Mapping[str, float] = field(default_factory=dict)
    plain: Mapping[str, bytes] = field(default_factory=dict)
    raw: dict[str, tuple[bytes, Any]] = field(default_factory=dict, compare=False)  # kept by compare.held


@dataclass(frozen=True)
class Fixtures:
    """An exercise's saved tensors, verified. `given` holds the files' bytes, as a child gets them."""

    given: Mapping[str, bytes]
    references: Mapping[str, Reference]
    diagnosis: bytes = b"{}"  # what is known of mistakes, by item; see `diagnose.Known`


def installed(root: Path) -> bool:
    """Whether `root` is the package itself, as a wheel has it: with the fixtures, without solutions."""
    return (root / "cli.py").is_file() and (root / "fixtures").is_dir()


def repair(root: Path, exercise: str = "") -> str:
    """The command that puts fixtures right: all of them, or an exercise's."""
    if (root / ".release.json").is_file():
        return "`git checkout fixtures` puts it back"
    if installed(root):
        return "`pip install --force-reinstall --no-deps backprop-grader` puts it back"
    return f"`grader build {exercise}` rebuilds it" if exercise else "`grader build` makes them"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seal(description: Mapping[str, Any]) -> str:
    """The text of exercise.json: the description and a digest over all of it."""
    body = {k: v for k, v in description.items() if k != "digest"}
    mark = digest(json.dumps(body, sort_keys=True).encode())
    return json.dumps({**body, "digest": mark}, indent=1) + "\n"


def describe(root: Path, exercise: str) -> dict[str, Any]:
    """An exercise's description; GraderFault, in one line, where it is missing, damaged or too new."""
    path = _folder(root, exercise) / "exercise.json"
    mend = repair(root, exercise)
    try:
        description = json.loads(path.read_bytes())
        stated = description["format"]
        mark = description.pop("digest")
    except FileNotFoundError:
        raise GraderFault(f"{_short(root, path)} is missing: {mend}") from None
    except OSError as error:
        raise GraderFault(f"{_short(root, path)} can't be read ({error.strerror}): {mend}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise GraderFault(f"{_short(root, path)} is damaged: {mend}") from None
    if stated != FORMAT:
        raise GraderFault(
            f"{_short(root, path)} has format {ascii(stated)[:20]}, this grader reads format {FORMAT}: "
            f"upgrade the grader, or {mend} in this one's format"
        )
    if digest(json.dumps(description, sort_keys=True).encode()) != mark:
        raise GraderFault(f"{_short(root, path)} was altered: {mend}")
    return dict(description)


def exercises(root: Path) -> list[str]:
    """The ids of all exercises that have fixtures: ex1, or gpt.ex3 for one of a set."""
    base = root / "fixtures"
    found = (
        [p for end in ("exercise.json", "*.safetensors") for p in base.rglob(end)] if base.is_dir() else []
    )
    return sorted({".".join(p.parent.relative_to(base).parts) for p in found})


def stamp(root: Path, exercise: str) -> tuple[tuple[str, int, int, int], ...]:
    """What is another once a file of an exercise's has changed: names, sizes, times; nothing is read."""
    try:
        with os.scandir(_folder(root, exercise)) as entries:
            found = [(e.name, e.stat()) for e in entries]
    except OSError:  # `describe` tells
        return ()
    return tuple(sorted((name, s.st_size, s.st_mtime_ns, s.st_ino) for name, s in found))


def read(root: Path, description: Mapping[str, Any]) -> Fixtures:
    """The saved tensors of an exercise; GraderFault names a file that is missing or altered."""
    given: dict[str, bytes] = {}
    references: dict[str, Reference] = {}
    for entry in description["fixtures"]:
        given[entry["name"]] = _file(root, description["id"], entry, "given")
        references[entry["name"]] = reference(_file(root, description["id"], entry, "reference"))
    known = _verified(root, description["id"], "diagnosis.json", description["diagnosis"])
    return Fixtures(given, references, known)


def files(root: Path, description: Mapping[str, Any]) -> dict[str, bytes]:
    """All of an exercise's files but exercise.json, by name, verified as `read` does."""
    out = {
        f"{entry['name']}.{part}.safetensors": _file(root, description["id"], entry, part)
        for entry in description["fixtures"]
        for part in ("given", "reference")
    }
    for kind in ("diagnosis", "hints"):
        out[f"{kind}.json"] = _verified(root, description["id"], f"{kind}.json", description[kind])
    return out


def sealed(descriptions: Sequence[Mapping[str, Any]]) -> str:
    """One digest over some exercises: over their descriptions, which have the digests of all their files."""
    marks = sorted((d["id"], digest(json.dumps(d, sort_keys=True).encode())) for d in descriptions)
    return digest(json.dumps(marks).encode())


def hints(root: Path, description: Mapping[str, Any]) -> dict[str, Any]:
    """An exercise's hints: `items` to their rungs, `lines` to what to say of them."""
    told = json.loads(_verified(root, description["id"], "hints.json", description["hints"]))
    return dict(told)


def reference(data: bytes) -> Reference:
    """A reference file's tensors and sizes, from its bytes."""
    import safetensors.numpy

    tensors = safetensors.numpy.load(data)
    sizes = {k.removeprefix("size."): float(v) for k, v in tensors.items() if k.startswith("size.")}
    bounds = {k.removeprefix("bound."): float(v) for k, v in tensors.items() if k.startswith("bound.")}
    plain = {k.removeprefix("plain:"): v.tobytes() for k, v in tensors.items() if k.startswith("plain:")}
    told = ("size.", "bound.", "plain:")
    return Reference({k: v for k, v in tensors.items() if not k.startswith(told)}, sizes, bounds, plain)


def shapes(data: bytes) -> dict[str, tuple[tuple[int, ...], str]]:
    """By name each tensor's shape, and its kind: f, i or b; from the header alone. Not of plain data."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {
        name: (tuple(entry["shape"]), {"F": "f", "I": "i", "B": "b"}[entry["dtype"][0]])
        for name, entry in header.items()
        if name != "__metadata__" and not name.startswith("plain:")
    }


def _file(root: Path, exercise: str, entry: Mapping[str, Any], part: str) -> bytes:
    return _verified(root, exercise, f"{entry['name']}.{part}.safetensors", entry[part])


def _verified(root: Path, exercise: str, name: str, stated: Mapping[str, Any]) -> bytes:
    path = _folder(root, exercise) / name
    mend = repair(root, exercise)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise GraderFault(f"{_short(root, path)} is missing: {mend}") from None
    except OSError as error:
        raise GraderFault(f"{_short(root, path)} can't be read ({error.strerror}): {mend}") from None
    if len(data) < stated["bytes"]:
        raise GraderFault(
            f"{_short(root, path)} is truncated ({len(data)} of {stated['bytes']} bytes): {mend}"
        )
    if digest(data) != stated["sha256"]:
        raise GraderFault(f"{_short(root, path)} was altered: {mend}")
    return data


def _folder(root: Path, exercise: str) -> Path:
    return root.joinpath("fixtures", *exercise.split("."))


def _short(root: Path, path: Path) -> str:
    return str(path.relative_to(root))
