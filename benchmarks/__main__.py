"""`python -m benchmarks`: every benchmark in a process of its own, and all results in one file.

One that fails is reported, the others go on, and the exit code is 1. `--compare OLD NEW` prints the numbers
of two such files beside each other, with their ratios. What is above `budget.toml` gets a warning, no more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT

BUDGET: dict[str, dict[str, float]] = tomllib.loads(
    Path(__file__).with_name("budget.toml").read_text(encoding="utf-8")
)
NOT_ONE = {"__init__", "__main__", "common"}
NAMES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in NOT_ONE)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (usually all)")
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes: does each run at all?")
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json", help="usually bench.json")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"))
    args = parser.parse_args(argv)
    if args.compare:
        try:
            old, new = (json.loads(path.read_text(encoding="utf-8")) for path in args.compare)
        except (OSError, ValueError) as error:
            parser.error(f"{error}")  # ends with 2
        return compare(old, new)
    return measure(args.names or NAMES, args.out, args.smoke)


def measure(names: Sequence[str], out: Path, smoke: bool) -> int:
    """Run these, and write what each gives to `out` as soon as it is there. 1 where one failed."""
    document: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "smoke": smoke,
        "failed": [],
        "results": {},
    }
    for name in names:
        print(f"{name}:", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--smoke"] if smoke else [])]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            results = json.loads(done.stdout) if done.returncode == 0 else None
        except ValueError:
            results = None
        if results is None:
            document["failed"].append(name)
            print(f"  failed with exit code {done.returncode}", flush=True)
        else:
            document["results"][name] = results
            for what, value in results.items():
                print(f"  {value:<10g} {what}", flush=True)
            for warning in over(name, results):
                print(f"  warning: {warning}", flush=True)
        out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"results: {out}")
    if document["failed"]:
        print(f"failed: {', '.join(document['failed'])}")
    return 1 if document["failed"] else 0


def over(name: str, results: dict[str, float]) -> list[str]:
    """What of a benchmark's results is above its budget, in words."""
    budget = BUDGET.get(name, {})
    return [
        f"{what} is {value:g}, its budget {budget[what]:g}"
        for what, value in results.items()
        if what in budget and value > budget[what]
    ]


def compare(old: dict[str, Any], new: dict[str, Any]) -> int:
    """Print each number of both with new / old; the names that one of them lacks."""
    for what in ("machine", "smoke"):
        if old[what] != new[what]:
            print(f"not the same {what}: {old[what]}, {new[what]}")
    print("       old        new  new / old")
    for name in sorted(old["results"].keys() | new["results"].keys()):
        before, now = (d["results"].get(name, {}) for d in (old, new))
        for what in [*now, *(w for w in before if w not in now)]:
            a, b = before.get(what), now.get(what)
            ratio = f"{b / a:10.2f}" if a and b is not None else " " * 10
            print(f"{_number(a)} {_number(b)} {ratio}  {name}: {what}")
    return 0


def _number(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:g}':>10}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
