"""Fixtures on disk: an exercise's public description and its saved tensors, read and verified.

`fixtures/<exercise>/exercise.json` describes the exercise and lists every other file with its digest.
`<fixture>.given.safetensors` is what a submission is run on, `<fixture>.reference.safetensors` what it is
graded against; a reference that is given as well, as off the probes, is saved once, with the given. All
but exercise.json are gzip files; a digest is that of the content, since another zlib may pack it
otherwise. No torch is needed to read them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from grader.core.errors import GraderFault
from grader.core.exercise import FORMAT, Exercise, Fixtures, Reference, Stated
from grader.suite.files import replaced

PRIVATE = ".private"  # lies beside the fixtures that `build --private` wrote
GZIP = 31  # zlib's word for a gzip file
TEXTS = ("diagnosis", "hints", "derived")
FILES = ("exercise.json", ".safetensors.gz")  # how the names of an exercise's files end


def installed(root: Path) -> bool:
    """Whether `root` is the package itself, as a wheel has it: with the fixtures, without solutions."""
    return (root / "cli.py").is_file() and (root / "fixtures").is_dir()


def repair(root: Path, exercise: str = "") -> str:
    """The command that puts fixtures right: all of them, or an exercise's."""
    if (root / ".release.json").is_file():
        return "`git checkout fixtures` puts it back"
    if (root / PRIVATE).is_file():
        return f"`grader build --private SEED {root}` makes it anew"
    if installed(root):
        return (
            "`pip install --force-reinstall --no-deps WHEEL`, with the wheel that was installed, puts it back"
        )
    return f"`grader build {exercise}` rebuilds it" if exercise else "`grader build` makes them"


def stated(data: bytes) -> Stated:
    return Stated(digest(data), len(data))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seal(exercise: Exercise) -> str:
    """The text of exercise.json: the description, a field a line, and a digest over all of it."""
    whole = {**exercise.to_json(), "digest": mark(exercise)}
    fields = (f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in whole.items())
    return "{\n" + ",\n".join(fields) + "\n}\n"


def mark(exercise: Exercise) -> str:
    """A digest over an exercise's description, which has those of all its files."""
    return digest(json.dumps(exercise.to_json(), sort_keys=True).encode())


def describe(root: Path, exercise: str) -> Exercise:
    """An exercise; GraderFault, in one line, where it is missing, damaged or too new."""
    path = _folder(root, exercise) / "exercise.json"
    with _verifying(path.relative_to(root), repair(root, exercise)):
        now = os.stat(path)
    return _described(root, exercise, path, (now.st_size, now.st_mtime_ns, now.st_ino))


@lru_cache(256)  # a command asks for one again and again, and a server for the same
def _described(root: Path, exercise: str, path: Path, _: tuple[int, ...]) -> Exercise:
    short, mend = path.relative_to(root), repair(root, exercise)
    with _verifying(short, mend):
        description = json.loads(path.read_bytes())
        stated = description["format"]
        told = description.pop("digest")
    if stated != FORMAT:
        raise GraderFault(
            f"{short} has format {ascii(stated)[:20]}, this grader reads format {FORMAT}: "
            f"upgrade the grader, or {mend} in this one's format"
        )
    if digest(json.dumps(description, sort_keys=True).encode()) != told:
        raise GraderFault(f"{short} was altered: {mend}")
    with _verifying(short, mend):
        return Exercise.from_json(description)


@contextlib.contextmanager
def _verifying(short: Path, mend: str) -> Iterator[None]:
    """Reading a file: GraderFault, in one line, where it is missing or damaged."""
    try:
        yield
    except FileNotFoundError:
        raise GraderFault(f"{short} is missing: {mend}") from None
    except OSError as error:
        raise GraderFault(f"{short} can't be read ({error.strerror}): {mend}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise GraderFault(f"{short} is damaged: {mend}") from None


def exercises(root: Path) -> list[str]:
    """The ids of all exercises that have fixtures: ex1, or gpt.ex3 for one of a set."""
    return sorted(_below(str(root / "fixtures"), ""))


def _below(folder: str, name: str) -> Iterator[str]:
    """The same of one folder, which is called so; `os.walk` takes four times as long."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        return
    if name and any(one.endswith(FILES) for one, _ in found):
        yield name
    for one, is_folder in found:
        if is_folder:
            yield from _below(f"{folder}/{one}", f"{name}.{one}" if name else one)


def stamp(root: Path, exercise: str) -> tuple[tuple[str, int, int, int], ...]:
    """What is another once a file of an exercise's has changed: names, sizes, times; nothing is read."""
    try:
        with os.scandir(_folder(root, exercise)) as entries:
            found = [(e.name, e.stat()) for e in entries]
    except OSError:  # `describe` tells
        return ()
    return tuple(sorted((name, s.st_size, s.st_mtime_ns, s.st_ino) for name, s in found))


def read(root: Path, exercise: Exercise) -> Fixtures:
    """The saved tensors of an exercise; GraderFault names a file that is missing or altered."""
    found = files(root, exercise, ("diagnosis",))
    given = {e.name: found[f"{e.name}.given.safetensors"] for e in exercise.fixtures}
    items = [item.name for item in exercise.items]
    references = {n: reference(found[f"{n}.reference.safetensors"], data, items) for n, data in given.items()}
    return Fixtures(given, references, found["diagnosis.json"])


def files(root: Path, exercise: Exercise, texts: Sequence[str] = TEXTS) -> dict[str, bytes]:
    """The contents of an exercise's files but exercise.json, by name, verified as `read` does."""
    stated: dict[str, Stated] = {}
    for entry in exercise.fixtures:
        stated[f"{entry.name}.given.safetensors"] = entry.given
        stated[f"{entry.name}.reference.safetensors"] = entry.reference
    stated |= {f"{name}.json": getattr(exercise, name) for name in texts}
    return {name: _verified(root, exercise, name, one) for name, one in stated.items()}


def save(root: Path, exercise: Exercise, contents: Mapping[str, bytes]) -> None:
    """Write an exercise's files below `root`: of `contents`, by name, those that its description states."""
    folder = _folder(root, exercise.id)
    told = {entry.name for entry in exercise.fixtures} | {*TEXTS}
    for name, data in contents.items():
        if name.partition(".")[0] in told:
            replaced(folder / f"{name}.gz", packed(data))
    replaced(folder / "exercise.json", seal(exercise).encode())


def sealed(exercises: Sequence[Exercise]) -> str:
    """One digest over some exercises: over their descriptions, which have the digests of all their files."""
    return digest(json.dumps(sorted((e.id, mark(e)) for e in exercises)).encode())


def hints(root: Path, exercise: Exercise) -> dict[str, Any]:
    """An exercise's hints: `items` to their rungs, `lines` to what to say of them."""
    return dict(json.loads(_verified(root, exercise, "hints.json", exercise.hints)))


def derived(root: Path, exercise: Exercise) -> dict[str, str]:
    """What a learner begins with: the texts of the "stub" and, where there is one, of the "notebook"."""
    return dict(json.loads(_verified(root, exercise, "derived.json", exercise.derived)))


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

    def taken(mark: str) -> dict[str, Any]:
        return {k.removeprefix(mark): tensors.pop(k) for k in [*tensors] if k.startswith(mark)}

    sizes, bounds = ({k: float(v) for k, v in taken(mark).items()} for mark in ("size.", "bound."))
    plain = {k: v.tobytes() for k, v in taken("plain:").items()}
    return Reference(tensors, sizes, bounds, plain)


def shapes(data: bytes) -> dict[str, tuple[tuple[int, ...], str]]:
    """By name each tensor's shape, and its kind: f, i or b; from the header alone. Not of plain data."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {
        name: (tuple(entry["shape"]), {"F": "f", "I": "i", "B": "b"}[entry["dtype"][0]])
        for name, entry in header.items()
        if name != "__metadata__" and not name.startswith("plain:")
    }


def _verified(root: Path, exercise: Exercise, name: str, stated: Stated) -> bytes:
    path = _folder(root, exercise.id) / f"{name}.gz"
    short, mend = path.relative_to(root), repair(root, exercise.id)
    with _verifying(short, mend):
        data = unpacked(path.read_bytes(), stated.bytes + 1)
    if len(data) != stated.bytes or digest(data) != stated.sha256:
        raise GraderFault(f"{short} was altered: {mend}")
    return data


def _folder(root: Path, exercise: str) -> Path:
    return root.joinpath("fixtures", *exercise.split("."))
