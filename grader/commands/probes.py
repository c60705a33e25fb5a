"""`--probes` and `--fixtures`: what a grade rests on. One that others read has probes of a secret seed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from grader.core.errors import UsageError
from grader.judging.fresh_probes import SEEDS, secret
from grader.suite.find import Suite, has_fixtures


def suite_of(args: argparse.Namespace, suite: Suite) -> Suite:
    """The suite, with the fixtures that --fixtures names."""
    if not args.fixtures:
        return suite
    if args.probes:
        raise UsageError("--fixtures and --probes: a set of one's own has its probes: choose one")
    if not has_fixtures(Path(args.fixtures)):
        raise UsageError(
            f"--fixtures {args.fixtures}: there are none: `grader build --private SEED {args.fixtures}` "
            "makes them"
        )
    return replace(suite, root=Path(args.fixtures).resolve())


def seed_of(args: argparse.Namespace, for_others: bool) -> int | None:
    """The seed of fresh probes; None for the saved ones. for_others: somebody else reads the grade."""
    if args.probes in (None, "saved"):
        return secret() if for_others and not args.probes and not args.fixtures else None
    return number(args.probes, "--probes", " or saved")


def number(word: str, option: str, instead: str = "") -> int:
    if not (word.isdecimal() and word.isascii() and int(word) < SEEDS):
        raise UsageError(f"{option} {word}: a seed is a number from 0 up, below 2^53{instead}")
    return int(word)
