"""What is derived, written, or held against what is there: `grader build` runs it as a process of its own.

A process of its own, whose CPU kernels `settings.reproducible` has fixed, as `build` needs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from grader.authoring import kept
from grader.authoring.authored import AuthoredError
from grader.authoring.build import Files, derive, network
from grader.core.errors import GraderFault
from grader.suite import fixtures
from grader.suite.files import replaced


def main(argv: list[str]) -> int:
    """`python -m grader.authoring.rebuild ROOT MODE EXERCISE...`: exit 0 or 1; 2 where an authored file is
    unfinished or breaks a rule. MODE: write, check (compare), or network (say what `grader new`
    needs to know of one that is only begun).
    """
    root, mode, names = Path(argv[0]), argv[1], argv[2:]
    status = 0
    for name in names:
        path = root.joinpath("solutions", *name.split(".")).with_suffix(".py")
        try:
            if mode == "network":
                print(json.dumps(network(path.read_text(encoding="utf-8"), str(path.relative_to(root)))))
                continue
            wrong = root.joinpath("solutions", "mistakes", *name.split(".")).with_suffix(".py")
            known = wrong.read_text(encoding="utf-8") if wrong.is_file() else ""
            tell = print if mode == "write" else lambda line: None
            files = derive(path.read_text(encoding="utf-8"), name, known, tell, kept.read(root, name))
        except AuthoredError as error:
            print(f"grader: {error}", file=sys.stderr)
            return 2
        status |= compare(root, name, files) if mode == "check" else write(root, name, files)
    return status


def compare(root: Path, name: str, files: Files) -> int:
    """Say which derived file differs from what the authored file gives. 0 where none does, else 1."""
    stale = []
    for path, data in files.items():
        old = root / path
        if not old.is_file():
            stale.append(f"{path} is missing")
        elif _content(path, old.read_bytes()) != _content(path, data):
            told = "is out of date"
            if path.startswith("exercises/"):
                told = f"is not the {'stub' if path.endswith('.py') else 'derived notebook'} (edited?)"
            stale.append(f"{path} {told}")
    for old in _leftover(root, name, files):
        stale.append(f"{old.relative_to(root).as_posix()} belongs to no fixture")
    for line in stale:
        print(f"grader: {line}: `grader build {name}` rebuilds it", file=sys.stderr)
    return 1 if stale else 0


def _leftover(root: Path, name: str, files: Files) -> list[Path]:
    """What lies in an exercise's folder of fixtures and is no longer derived."""
    folder = root.joinpath("fixtures", *name.split("."))
    kinds = ("*.safetensors", "*.json", "*.gz")
    found = (old for kind in kinds for old in folder.glob(kind))
    return sorted(old for old in found if old.relative_to(root).as_posix() not in files)


def _content(path: str, data: bytes) -> bytes:
    """What counts of a file: of a packed one not how it is packed, which another zlib does otherwise."""
    try:
        return fixtures.unpacked(data) if path.endswith(".gz") else data
    except ValueError:
        return data


def write(root: Path, name: str, files: Files) -> int:
    """Write what is derived. A stub or a notebook that a learner has edited is kept, and said."""
    try:
        known = {text.encode() for text in fixtures.derived(root, fixtures.describe(root, name)).values()}
    except GraderFault:
        known = set()
    for old in _leftover(root, name, files):
        old.unlink()
    for path, data in files.items():
        target = root / path
        learners = path.startswith("exercises/")
        if learners and target.exists() and target.read_bytes() not in known | {data}:
            kind = "stub" if path.endswith(".py") else "notebook"
            print(f"kept {path}, which has been edited; `grader reset {name}` gives the {kind}")
            continue
        if target.exists() and _content(path, target.read_bytes()) == _content(path, data):
            continue
        replaced(target, data)
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1:]))
