"""A class for the tests of `grader batch`: submissions, the command, and what it leaves in a folder."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import command
from conftest import DEADLINE, solution

from grader.classroom.batch import Grader, Progress
from grader.classroom.results import Result

GRADER = Path(sys.executable).with_name("grader")
PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3
OUTPUTS = ("results.jsonl", "grades.csv", "summary.json", "summary.txt", "class.html", "reports")

Ran = subprocess.CompletedProcess[bytes]


def right(mark: object = "") -> str:
    """A right answer to ex1 that no other student has, by `mark`."""
    return f"{solution('ex1')}\n# {mark}\n"


def wrong(mark: object = "") -> str:
    """One item of ex1 wrong."""
    return right(mark).replace("return counts * dcounts", "return counts + dcounts")


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files below a folder, by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(path: Path, files: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]) -> Path:
    """A zip of these files; pairs where a name is there twice."""
    pairs = files.items() if isinstance(files, Mapping) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in pairs:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return path


def environ() -> dict[str, str]:
    unwanted = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH"}
    return {k: v for k, v in os.environ.items() if k not in unwanted}


SEEDED = ("--probes", "11")  # the same fresh probes each time, where bytes are compared


def batch_command(*args: str | Path, out: Path) -> Ran:
    """`grader batch` in this process."""
    ran = command.grader("batch", *SEEDED, *args, "--out", out, cwd=Path.cwd())
    return Ran(ran.args, ran.returncode, ran.stdout.encode(), ran.stderr.encode())


def batch_process(*args: str | Path, out: Path, timeout: float = DEADLINE) -> Ran:
    """`grader batch`, as it is installed, its output piped."""
    return subprocess.run(
        [GRADER, "batch", *SEEDED, *map(str, args), "--out", str(out)],
        env=environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
    )


def results(out: Path) -> list[Result]:
    return [json.loads(line) for line in (out / "results.jsonl").read_bytes().splitlines()]


def grades(out: Path) -> list[dict[str, str]]:
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def snapshot(out: Path) -> dict[str, bytes]:
    """Every file that a batch leaves behind, by its path, and its bytes."""
    paths = (p for p in sorted(out.rglob("*")) if p.is_file() and p.name != ".lock")
    return {str(p.relative_to(out)): p.read_bytes() for p in paths}


def controls(data: bytes) -> list[str]:
    """Characters in there that a terminal could obey or a reader not see; line ends are none."""
    return [ch for ch in data.decode("utf-8") if ch not in "\r\n" and unicodedata.category(ch)[0] == "C"]


def one_line(ran: Ran) -> str:
    """What a command that would not work said: one line, and no traceback."""
    text = ran.stderr.decode()
    assert text.startswith("grader: "), text
    assert text.count("\n") == 1 and text.endswith("\n"), text
    assert text[:-1].isprintable(), ascii(text)
    return text[:-1]


class One:
    """A grader of one exercise at a time, for the tests to say what it gives."""

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        raise NotImplementedError

    def grade_all(self, exercises: Sequence[str], source: bytes, filename: str) -> list[Result]:
        return [self.grade(exercise, source, filename) for exercise in exercises]

    def close(self) -> None:
        """There is nothing to close."""


class Counting(One):
    """A grader that counts what it is asked, and asks another."""

    def __init__(self, inner: Grader) -> None:
        self.inner, self.lock = inner, threading.Lock()
        self.asked: list[tuple[str, bytes, str]] = []

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        with self.lock:
            self.asked.append((exercise, source, filename))
        return self.inner.grade(exercise, source, filename)


def quiet(progress: Progress) -> None:
    """Nobody looks at the progress."""


def verdicts(result: Result) -> dict[str, Any]:
    return {i["id"]: i["verdict"] for e in result["exercises"] for i in e["items"]}
