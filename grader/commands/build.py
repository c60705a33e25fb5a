"""`grader build`: derive stubs and fixtures in a process of its own, whose kernels are reproducible."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from grader.commands.probes import number
from grader.core.course import set_of
from grader.core.errors import GraderFault, UsageError
from grader.reference.reproducible import environment
from grader.suite import fixtures
from grader.suite.files import replaced
from grader.suite.find import Suite, current_folder, find


def run(args: argparse.Namespace) -> int:
    root = home()
    names = _names(root, args.targets)
    if args.private:
        return _private(Suite(root, root), names, *args.private)
    sys.stdout.flush()
    code = apart(root, "check" if args.check else "write", *names).returncode
    if code not in (0, 1, 2):
        raise GraderFault(f"building ended with exit status {code}")
    if code == 0 and args.check:
        many = "s" * (len(names) != 1)
        print(f"{len(names)} exercise{many}: stubs, notebooks and fixtures are what solutions/ gives")
    return code


def _private(suite: Suite, names: list[str], seed: str, folder: str) -> int:
    """Write fixtures with fresh probes of a secret seed, for `--fixtures`, and their hints beside them."""
    from grader.judging.fresh_probes import draw
    from grader.runner.host.client import Runner

    if any((Path(folder) / name).exists() for name in ("solutions", "exercises")):
        raise UsageError(f"--private: {folder} holds a course of its own: name another folder")
    target, secret = Path(folder).resolve(), number(seed, "--private")
    with Runner() as runner:
        for name in names:
            exercise = suite.describe(name)
            drawn, pairs = draw(runner, suite, exercise, secret)
            fixtures.save(target, drawn, {**fixtures.files(suite.root, exercise), **pairs})
    replaced(target / fixtures.PRIVATE, b"")
    target.chmod(0o700)
    print(f"{folder} has fixtures of its own for {', '.join(names)}; keep it and the seed to yourself")
    return 0


def home() -> Path:
    """The folder whose solutions/ is meant: the current one if it has any, else the project's."""
    here = current_folder()
    return here if (here / "solutions").is_dir() else find().root


def apart(root: Path, mode: str, *names: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """`grader.authoring.rebuild` in a process of its own."""
    program = Path(__file__).resolve().parent.parent.parent
    command = [sys.executable, "-P", "-m", "grader.authoring.rebuild", str(root), mode, *names]
    environ = {**environment(), "PYTHONPATH": str(program), "PATH": os.environ.get("PATH", "")}
    return subprocess.run(command, env=environ, cwd=root, text=True, capture_output=capture)


def _names(root: Path, wanted: list[str]) -> list[str]:
    """The exercises that are meant by name or by their set's; all by default."""
    base = root / "solutions"
    written = [p.relative_to(base).with_suffix("").parts for p in base.rglob("*.py")]
    names = sorted(".".join(parts) for parts in written if parts[0] != "mistakes")
    if not names:
        raise UsageError("there is no solutions/ to build from: `grader new NAME` starts an exercise here")
    for word in wanted:
        if not any(word in (name, set_of(name)) for name in names):
            sets = dict.fromkeys(map(set_of, names))
            raise UsageError(f"solutions/ has no {word}; it has the sets {', '.join(sets)}")
    return [name for name in names if not wanted or {name, set_of(name)} & set(wanted)]
