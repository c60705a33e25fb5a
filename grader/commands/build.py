"""`grader build`: derive stubs and fixtures in a process of its own, whose kernels are reproducible."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from grader.errors import GraderFault, UsageError
from grader.fixture import installed
from grader.settings import environment
from grader.suite import Suite, find


def run(args: argparse.Namespace) -> int:
    suite = find()
    names = _names(suite, args.targets)
    mode = "check" if args.check else "write"
    command = [sys.executable, "-m", "grader.build", str(suite.root), mode, *names]
    environ = {**environment(), "PYTHONPATH": str(suite.root), "PATH": os.environ.get("PATH", "")}
    sys.stdout.flush()
    code = subprocess.run(command, env=environ, cwd=suite.root).returncode
    if code not in (0, 1, 3):
        raise GraderFault(f"building ended with exit status {code}")
    if code == 0 and args.check:
        print(f"{len(names)} exercises: stubs, notebooks and fixtures are what solutions/ gives")
    return code


def _names(suite: Suite, wanted: list[str]) -> list[str]:
    base = suite.root / "solutions"
    if installed(suite.root):
        raise UsageError(
            "an installed grader has no solutions/ to build from: `grader build` needs a checkout"
        )
    written = [p.relative_to(base).with_suffix("").parts for p in base.rglob("*.py")]
    names = sorted(".".join(parts) for parts in written if parts[0] != "mistakes")
    if not names:
        raise UsageError(f"{base} has no authored exercise; fixtures can only be built beside solutions/")
    for name in wanted:
        if name not in names:
            raise UsageError(f"solutions/ has no {name}; it has {', '.join(names)}")
    return wanted or names
