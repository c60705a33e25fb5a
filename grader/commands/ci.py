"""What `grader check` leaves for a service that runs it: files, step outputs, annotations."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from grader.core.errors import UsageError
from grader.core.verdict import Report
from grader.suite.files import refusing, replaced, writable

FILES = ("classroom50", "junit", "codequality", "prairie", "codegrade")
BODY = "release-body.md"


def asked(args: argparse.Namespace) -> bool:
    """Whether a service is to get anything; the background server, which has no environment, declines."""
    return bool(
        args.github or args.classroom_reporter or args.autolab or any(getattr(args, name) for name in FILES)
    )


def root(environ: Mapping[str, str]) -> str:
    """The student's checkout."""
    return environ.get("GITHUB_WORKSPACE") or environ.get("CI_PROJECT_DIR") or os.getcwd()


class Service:
    """The service's end of one check. UsageError, before anything is graded, where it can't be served."""

    def __init__(self, args: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self.args, self.environ = args, environ
        self.on_github = bool(args.github or args.classroom_reporter or args.classroom50)
        if (self.on_github or args.autolab) and args.json:
            other = "--autolab" if args.autolab else "GitHub's options"
            raise UsageError(f"--json and {other} both write to standard output: choose one")
        if args.codegrade and args.policy:
            raise UsageError(
                "--codegrade: CodeGrade counts tests, each the same; it takes no policy's points"
            )
        for name in FILES:
            if path := getattr(args, name):
                writable(Path(path), f"--{name}")
        if args.classroom50:
            from grader.reports.services.classroom50 import NEEDED

            if missing := [name for name in NEEDED if not environ.get(name)]:
                raise UsageError(f"--classroom50: the environment has no {', '.join(missing)}")
        if args.classroom_reporter and not environ.get("GITHUB_OUTPUT"):
            raise UsageError(
                "--classroom-reporter: the environment has no GITHUB_OUTPUT to write `result` to"
            )
        self.token = os.urandom(16).hex()
        handed = (args.classroom50, args.classroom_reporter, args.prairie, args.autolab, args.codegrade)
        self.exits_0 = any(handed)

    def open(self, out: TextIO) -> None:
        """From here on nothing is a workflow command; nor is the error that ends a check early."""
        if self.on_github:
            from grader.reports.services.github import stopped

            out.write(stopped(self.token)[0])
            out.flush()

    def close(self, report: Report, names: Mapping[str, str], out: TextIO, whole: bool = True) -> None:
        """Hand the report over. names: each exercise's file, as it is shown. whole: `Policy.whole`."""
        paths = {exercise: self._from_the_root(name) for exercise, name in names.items()}
        self._files(report, paths, whole)
        if self.on_github:
            from grader.reports.services import github

            out.write(github.stopped(self.token)[1])
            if self.args.github:
                out.write(github.render(report, paths))
                if path := self.environ.get("GITHUB_STEP_SUMMARY"):
                    there = os.path.getsize(path) if os.path.exists(path) else 0
                    _append(path, github.markdown(report, github.SUMMARY_LIMIT - there))
        if self.args.autolab:
            from grader.reports.services import autolab

            out.write(autolab.render(report))  # the last of all lines

    def _files(self, report: Report, paths: Mapping[str, str], whole: bool) -> None:
        args = self.args
        if args.classroom50:
            from grader.reports.services import classroom50

            result = Path(args.classroom50)
            made = classroom50.render(report, self.environ, datetime.now(UTC), whole)
            replaced(result, made.encode())
            replaced(result.with_name(BODY), classroom50.body(report).encode())
        if args.classroom_reporter:
            from grader.reports.services import reporter

            _append(self.environ["GITHUB_OUTPUT"], f"result={reporter.render(report, paths)}\n")
        if args.junit:
            from grader.reports.services import junit

            replaced(Path(args.junit), junit.render(report, paths).encode())
        if args.codegrade:
            from grader.reports.services import junit

            replaced(Path(args.codegrade), junit.render(report, paths, codegrade=True).encode())
        if args.prairie:
            from grader.reports.services import prairielearn

            replaced(Path(args.prairie), prairielearn.render(report).encode())
        if args.codequality:
            from grader.reports.services import codequality

            replaced(Path(args.codequality), codequality.render(report, paths).encode())

    def _from_the_root(self, name: str) -> str:
        """A file as the service names it: from the root of the repository."""
        path = os.path.relpath(os.path.realpath(name), os.path.realpath(root(self.environ)))
        return name if path.startswith("..") else Path(path).as_posix()


def _append(path: str, content: str) -> None:
    with refusing(f"{path} can't be written"), open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(content)
