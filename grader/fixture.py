"""Fixtures on disk: an exercise's public description and its saved tensors, read and verified.

`fixtures/<exercise>/exercise.json` describes the exercise and lists every other file with its digest.
`<fixture>.given.safetensors` is what a submission is run on, `<fixture>.reference.safetensors` what it is
graded against; a reference that is given as well, as off the probes, is saved once, with the given. All
but exercise.json are gzip files; a digest is that of the content, since another zlib may pack it
otherwise. No torch is needed to read them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import GraderFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 2
FEW = "few."  # before a parameter's name: its value after the first steps of a training
GZIP = 31  # zlib's word for a gzip file


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
    """The text of exercise.json: the description, a field a line, and a digest over all of it."""
    body = {k: v for k, v in description.items() if k != "digest"}
    whole = {**body, "digest": digest(json.dumps(body, sort_keys=True).encode())}
    fields = (f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in whole.items())
    return "{\n" + ",\n".join(fields) + "\n}\n"


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
        [p for end in ("exercise.json", "*.safetensors.gz") for p in base.rglob(end)] if base.is_dir() else []
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
    items = [item["name"] for item in description["items"]]
    for entry in description["fixtures"]:
        data = given[entry["name"]] = _file(root, description["id"], entry, "given")
        references[entry["name"]] = reference(_file(root, description["id"], entry, "reference"), data, items)
    return Fixtures(given, references, _text(root, description, "diagnosis.json"))


def files(root: Path, description: Mapping[str, Any]) -> dict[str, bytes]:
    """The contents of all of an exercise's files but exercise.json, by name, verified as `read` does."""
    out = {
        f"{entry['name']}.{part}.safetensors": _file(root, description["id"], entry, part)
        for entry in description["fixtures"]
        for part in ("given", "reference")
    }
    return out | {
        name: _text(root, description, name) for name in ("diagnosis.json", "hints.json", "derived.json")
    }


def sealed(descriptions: Sequence[Mapping[str, Any]]) -> str:
    """One digest over some exercises: over their descriptions, which have the digests of all their files."""
    marks = sorted((d["id"], digest(json.dumps(d, sort_keys=True).encode())) for d in descriptions)
    return digest(json.dumps(marks).encode())


def hints(root: Path, description: Mapping[str, Any]) -> dict[str, Any]:
    """An exercise's hints: `items` to their rungs, `lines` to what to say of them."""
    return dict(json.loads(_text(root, description, "hints.json")))


def derived(root: Path, description: Mapping[str, Any]) -> dict[str, str]:
    """What a learner begins with: the texts of the "stub" and, where there is one, of the "notebook"."""
    return dict(json.loads(_text(root, description, "derived.json")))


def packed(content: bytes) -> bytes:
    """A gzip file without a date."""
    packer = zlib.compressobj(9, wbits=GZIP)
    return packer.compress(content) + packer.flush()


def unpacked(data: bytes, most: int = 0) -> bytes:
    """The content of a gzip file. ValueError where it is none, not whole, or followed by more.

    most: bytes that are made of it, and no more; 0 for all.
    """
    unpacker = zlib.decompressobj(GZIP)
    try:
        content = unpacker.decompress(data, most)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it is not one whole gzip file")
    return content


def reference(data: bytes, given: bytes = b"", items: Iterable[str] = ()) -> Reference:
    """A reference file's tensors and sizes, from its bytes; those of `items` that it lacks from `given`'s."""
    import safetensors.numpy

    tensors = safetensors.numpy.load(data)
    if lacking := [name for name in items if name not in tensors and f"plain:{name}" not in tensors]:
        shared = safetensors.numpy.load(given)
        tensors |= {name: shared[name] for name in lacking if name in shared}
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


def _text(root: Path, description: Mapping[str, Any], name: str) -> bytes:
    return _verified(root, description["id"], name, description[name.partition(".")[0]])


def _verified(root: Path, exercise: str, name: str, stated: Mapping[str, Any]) -> bytes:
    path = _folder(root, exercise) / f"{name}.gz"
    mend = repair(root, exercise)
    try:
        data = unpacked(path.read_bytes(), stated["bytes"] + 1)
    except FileNotFoundError:
        raise GraderFault(f"{_short(root, path)} is missing: {mend}") from None
    except OSError as error:
        raise GraderFault(f"{_short(root, path)} can't be read ({error.strerror}): {mend}") from None
    except ValueError:
        raise GraderFault(f"{_short(root, path)} is damaged: {mend}") from None
    if len(data) != stated["bytes"] or digest(data) != stated["sha256"]:
        raise GraderFault(f"{_short(root, path)} was altered: {mend}")
    return data


def _folder(root: Path, exercise: str) -> Path:
    return root.joinpath("fixtures", *exercise.split("."))


def _short(root: Path, path: Path) -> str:
    return str(path.relative_to(root))
