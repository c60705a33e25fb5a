"""`grader release`: write a repository for students into a folder, or renew one."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from grader.authoring.handout import release, wheel
from grader.authoring.handout.release import MANIFEST, Files
from grader.commands.policy import parsed
from grader.core.errors import UsageError
from grader.suite.files import moved, refusing
from grader.suite.find import Suite, find, read_submission, whole
from grader.suite.fixtures import digest

STAGE = ".release.new"


def run(args: argparse.Namespace) -> int:
    suite = find()
    refused = "whole exercises and sets are released: `grader release DIR ex1`"
    exercises = whole(suite, args.targets, lambda _: refused)
    policy = _policy(suite, exercises, args.policy) if args.policy else None
    out = Path(args.dir)
    before = _before(out, args.update)
    packed = wheel.named(args.wheel)
    files = release.files(suite, exercises, packed, not args.no_formulas, policy)
    _verified(suite, exercises, files)
    files |= packed.files
    with refusing(f"{out} can't be written"):
        notes = _renew(out, before, files) if before is not None else _place(out, files)
    many = "s" * (len(exercises) != 1)
    what = f"{out} is {'renewed' if before else 'written'}: {len(exercises)} exercise{many}."
    print("\n".join([*notes, what]))
    if not before:
        print(f"Next: `cd {out}`, `grader check` there as a student would; then commit it with git.")
    return 0


def _policy(suite: Suite, exercises: list[str], path: str) -> bytes:
    """A policy's text; UsageError where it would not do in the release, which knows its own items alone."""
    if wrong := parsed(suite, path, exercises)[1]:
        raise UsageError(f"{wrong[0]} among what is released")
    return read_submission(Path(path))


def _before(out: Path, update: bool) -> dict[str, str] | None:
    """The digests of an earlier release's files, none if the folder is empty; None if it is new."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is no folder: name a new one")
    if not out.exists():
        return None
    if not {p.name for p in out.iterdir()} - {".git"}:
        return {}
    try:
        marks = json.loads((out / MANIFEST).read_bytes())["files"]
        known = {path: str(mark) for path, mark in marks.items() if not {"", ".."} & set(path.split("/"))}
    except FileNotFoundError:
        raise UsageError(
            f"{out} is not empty, and no release: nothing is written; name a new folder"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{out / MANIFEST} can't be read: nothing is written; name a new folder") from None
    if not update:
        raise UsageError(f"{out} holds a release: --update renews it, and keeps what has been edited")
    return known


def _verified(suite: Suite, exercises: list[str], files: Files) -> None:
    """No task says TODO, and no solution is in the files: where solutions/ isn't at hand, none can be."""
    from grader.authoring import authored, skeleton
    from grader.authoring.handout import leaks

    there = {name: path for name in exercises if (path := suite.solution(name)).is_file()}
    for name in exercises:
        stub = f"exercises/{name.replace('.', '/')}.py"
        try:
            skeleton.unsaid(files[stub].decode(), stub)
        except authored.AuthoredError as error:
            do = f"say it in the authored file, then `grader build {name}`"
            raise UsageError(f"{error}: nothing is written; {do}") from None
    try:
        parts = {n: authored.read(p.read_text(encoding="utf-8"), suite.shown(p)) for n, p in there.items()}
    except authored.AuthoredError as error:
        raise UsageError(str(error)) from None
    for file, item in leaks.in_release(files, parts):
        raise UsageError(
            f"{file} would hold the solution of {item}: nothing is written; see what solutions/ has outside "
            f"of its items (comments, helpers, HINTS), then `grader build {leaks.exercise_of(file)}`"
        )


def _place(out: Path, files: Files) -> list[str]:
    """Write a new release as a whole, or nothing."""
    new = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        for path, data in {**files, MANIFEST: release.manifest(files).encode()}.items():
            _write(new / path, data)
        os.replace(new, out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return []


def _renew(out: Path, before: Mapping[str, str], files: Files) -> list[str]:
    """Put the new files in the place of those that nobody has edited; what is kept, in words."""
    notes = []
    stage = out / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    for path, data in files.items():  # a full disk is found out before anything has changed
        _write(stage / path, data)
    for path, data in files.items():
        if _edited(out / path, {before.get(path), digest(data)}) and not path.startswith("fixtures/"):
            if before.get(path) != digest(data):
                notes.append(f"kept {path}, which has been edited{_reset(path)}")
            continue
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        moved(stage / path, out / path)
    for path, mark in before.items():
        if path not in files and (out / path).is_file():
            if _edited(out / path, {mark}):
                notes.append(f"kept {path}, which has been edited; it is no longer part of the release")
            else:
                (out / path).unlink()
    _write(stage / MANIFEST, release.manifest(files).encode())
    moved(stage / MANIFEST, out / MANIFEST)
    shutil.rmtree(stage)
    return notes


def _edited(path: Path, known: set[str | None]) -> bool:
    return os.path.lexists(path) and not (path.is_file() and digest(path.read_bytes()) in known)


def _reset(path: str) -> str:
    name = path.removeprefix("exercises/").rpartition(".")[0].replace("/", ".")
    return f"; `grader reset {name}` gives the new one" if path.startswith("exercises/") else ""


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
