"""Damaged submissions, many of them: each gets one clear result, and the grader stays as it was.

A usual run tries 60 of them, `make test-all` 1200 more; GRADER_FUZZ_SEED tries others.
"""

from __future__ import annotations

import gc
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
from classroom import One, controls, quiet, right, snapshot
from conftest import DEADLINE, ROOT, descriptors, solution

from grader.classroom import batch, files
from grader.classroom.local import Local
from grader.classroom.results import Result
from grader.core.exercise import Task
from grader.core.limits import MAX_SOURCE
from grader.runner.host.client import WALL
from grader.submissions.uploads import Intake, uploads

SEED = int(os.environ.get("GRADER_FUZZ_SEED", "1"))
SCHEMA = json.loads((ROOT / "grader/reports/report.schema.json").read_text())
CODE = solution("ex1").encode()
ITEMS = [line[4 : line.index("(")] for line in CODE.decode().splitlines() if line.startswith("def d")]
SLACK = 6 << 20  # of the zygote's memory: its allocator's, not a submission's

Damage = Callable[[random.Random], bytes]


def flipped(r: random.Random) -> bytes:
    data = bytearray(CODE)
    for _ in range(r.choice([1, 1, 3, 30, 1000])):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return bytes(data)


def cut(r: random.Random) -> bytes:
    return CODE[: r.randrange(len(CODE))]


def shuffled(r: random.Random) -> bytes:
    lines = CODE.splitlines(keepends=True)
    at = r.randrange(len(lines))
    part = lines[at : at + r.choice([3, 10, len(lines)])]
    r.shuffle(part)
    return b"".join(lines[:at] + part + lines[at + len(part) :])


def doubled(r: random.Random) -> bytes:
    lines = CODE.splitlines(keepends=True)
    return b"".join(line * r.choice([0, 1, 1, 1, 1, 1, 2]) for line in lines)


def zeroed(r: random.Random) -> bytes:
    data = bytearray(CODE)
    for _ in range(r.choice([1, 20])):
        data[r.randrange(len(data))] = 0
    return bytes(data)


def inserted(r: random.Random) -> bytes:
    text = CODE.decode()
    at = r.randrange(len(text))
    kinds = [range(0x80), range(0xD800), range(0xE000, 0x110000)]
    more = "".join(chr(r.choice(r.choice(kinds))) for _ in range(r.choice([1, 5, 200])))
    return (text[:at] + more + text[at:]).encode()


def noise(r: random.Random) -> bytes:
    return r.randbytes(r.choice([0, 1, 10, 10_000]))


PAIRS = [
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("-", ""),
    ("not ", ""),
    ("f(", ")"),
    ("lambda: ", ""),
    ("a.", ""),
]


def nested(r: random.Random) -> bytes:
    depth = r.choice([50, 150, 1000, 100_000])
    start, end = r.choice(PAIRS)
    return CODE + f"\nx = {start * depth}1{end * depth}\n".encode()


def indented(r: random.Random) -> bytes:
    depth = r.choice([19, 90, 101, 400])
    return CODE + b"\n" + b"".join(b" " * n + b"if 1:\n" for n in range(depth)) + b" " * depth + b"pass\n"


def long_line(r: random.Random) -> bytes:
    room = MAX_SOURCE - len(CODE) - 100
    sums = b"x = " + b"1 + " * (room // 40) + b"1"
    line = r.choice([b"# " + b"x" * room, b"x = '" + b"y" * room + b"'", sums])
    return CODE + b"\n" + line + b"\n"


def marked(r: random.Random) -> bytes:
    return r.choice([b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]) + CODE


def recoded(r: random.Random) -> bytes:
    return CODE.decode().encode(r.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037"]))


ODD = ["utf-16", "utf-7", "nonsense", "latin-1", "ascii", "rot13", "zip", "hex", "idna", "unicode_escape"]
ODD += ["punycode", "raw_unicode_escape", "undefined", "\x1b[31m", "../x", "a" * 5000]


def cookie(r: random.Random) -> bytes:
    name = r.choice(ODD)
    return f"# -*- coding: {name} -*-\n".encode() + CODE + r.choice([b"", b"# \xe9\n", b"# \xff\xfe\n"])


def ended(r: random.Random) -> bytes:
    return CODE.replace(b"\n", r.choice([b"\r\n", b"\r", b"\n\r", b"\x0c\n", b"\x1a\n", b"\\\n"]))


def swapped(r: random.Random) -> bytes:
    tokens = CODE.decode().split(" ")
    for _ in range(r.choice([1, 4, 40])):
        a, b = r.randrange(len(tokens)), r.randrange(len(tokens))
        tokens[a], tokens[b] = tokens[b], tokens[a]
    return " ".join(tokens).encode()


DAMAGE: list[Damage] = [
    flipped, cut, shuffled, doubled, zeroed, inserted, noise, nested,
    indented, long_line, marked, recoded, cookie, ended, swapped,
]  # fmt: skip


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Timed(One):
    """A grader that notes how long each took."""

    def __init__(self, inner: batch.Grader) -> None:
        self.inner = inner
        self.took: list[float] = []

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        start = time.monotonic()
        try:
            return self.inner.grade(exercise, source, filename)
        finally:
            self.took.append(time.monotonic() - start)


@pytest.fixture(scope="module")
def local(exercises: dict[str, Task]) -> Iterator[Local]:
    one = Local({"ex1": exercises["ex1"]})
    yield one
    one.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    "numbers", [range(60), pytest.param(range(60, 1260), marks=pytest.mark.slow)], ids=len
)
def test_each_damaged_submission_gets_one_clear_result(
    numbers: range, local: Local, exercises: dict[str, Task], tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    made = {f"{n:05}-{DAMAGE[n % len(DAMAGE)].__name__}.py": n for n in numbers}
    for name, n in made.items():
        (folder / name).write_bytes(DAMAGE[n % len(DAMAGE)](random.Random(f"{SEED} {n}")))
    for n in range(6):  # warm: what is allocated once
        assert local.grade("ex1", right(n).encode(), "warm.py")["passed"]
    assert local.runner
    zygote = local.runner.starter.process.pid
    gc.collect()  # what other tests left
    before = descriptors("self"), descriptors(zygote), memory(zygote)

    timed = Timed(local)
    found = uploads([folder], Intake(["ex1"], "ex1"))
    assert [Path(u.id).name for u in found] == sorted(made)
    told: list[Result] = []

    def kept() -> Iterator[Result]:
        for result in batch.run(batch.Class(found, {"ex1": exercises["ex1"]}), out, timed, 2, quiet):
            told.append(result)
            yield result

    summary = files.write(kept(), out)
    assert summary.faults == 0 and summary.submissions == len(numbers)
    assert max(timed.took) < WALL + DEADLINE
    for result in told:
        name = Path(result["submission"]).name
        jsonschema.validate(result, SCHEMA)
        if result["problem"]:
            said = result["problem"]
            assert said.startswith("refused: it ") and controls(said.encode()) == [], (name, said)
            continue
        (exercise,) = result["exercises"]
        assert [i["id"] for i in exercise["items"]] == [f"ex1.{item}" for item in ITEMS], name
        for item in exercise["items"]:
            assert item["passed"] or item["verdict"] == "not-written" or item["reason"], (name, item)
            assert item["reason"].isprintable() and len(item["reason"]) < 1500, (name, item)
    for name, data in snapshot(out).items():
        assert controls(data) == [], name

    assert local.runner and local.runner.starter.process.pid == zygote, "the zygote had to be started again"
    gc.collect()
    after = descriptors("self"), descriptors(zygote), memory(zygote)
    # a leak would be one for each submission; threads that other tests have left open and close some too
    assert after[0] - before[0] < len(numbers) // 2
    assert after[1] == before[1]
    assert after[2] - before[2] < SLACK
    assert local.grade("ex1", CODE, "right.py")["passed"]


@pytest.mark.parametrize("damage", [marked, ended, long_line], ids=lambda d: d.__name__)
def test_what_python_itself_would_take_still_passes(damage: Damage, local: Local) -> None:
    """A right answer with a byte order mark, other line ends or a long line is a right answer."""
    wanted = {
        "marked": b"\xef\xbb\xbf" + CODE,
        "ended": CODE.replace(b"\n", b"\r\n"),
        "long_line": CODE + b"\n# " + b"x" * (MAX_SOURCE - len(CODE) - 10),
    }
    assert local.grade("ex1", wanted[damage.__name__], "it.py")["passed"]
