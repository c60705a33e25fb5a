"""`grader completion`: a script for the shell, made of the parser and of the exercises' names."""

from __future__ import annotations

import argparse


def run(args: argparse.Namespace) -> int:
    return 0
