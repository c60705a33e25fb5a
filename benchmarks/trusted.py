"""What the worst submission of each kind costs the trusted side: seconds of its processor time, and MB.

Each kind is at the limits of `core/limits.py`, which are to keep it below 2 s and 200 MB. Each runs in two
processes of its own: one whose time is counted, with that of the processes that compute references for it,
and one whose allocations are. A kind is a function that makes an input in a folder and gives what the trusted
side does with it; the results have the worst of those that are alike, and each is told as it is measured. The
last number sets the slowest in relation to a usual submission of the same run.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Results, exercises, parsed, script, solution
from grader.commands.report import evidence_of
from grader.core import limits, plain
from grader.core.errors import Unreadable
from grader.core.exercise import TRAINING, File, Item, Task
from grader.core.verdict import Report
from grader.judging.grade import WHOLE, _graded
from grader.reports import document, feedback, terminal
from grader.reports.pages import page
from grader.reports.screen import Screen
from grader.runner import wire
from grader.runner.host.client import Run, Runner
from grader.runner.untrusted.recording import MOST
from grader.submissions import cells
from grader.submissions.files import MAX_MEMBERS
from grader.submissions.script import OWN, Script
from grader.submissions.script import script as as_script
from grader.submissions.uploads import Intake, uploads

LECTURE = ("ex1", "ex2", "ex3", "ex4")
Work = Callable[[], object]
Sent = Callable[[Task, Item, str], tuple[dict[str, Any], bytes] | None]
CODE = b'{"cell_type": "code", "source": "x = 1"}'


def main(argv: Sequence[str]) -> Results:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="kinds with this in their name")
    args = parsed(parser, argv, size=(100, 1))
    chosen = {name: make for name, make in KINDS.items() if args.only in name or name == USUAL}
    results: Results = {}
    for name, make in chosen.items():
        seconds, peak = cost(make, args.size / 100)
        print(f"{seconds:8.3f} s {peak:8.1f} MB  {name}", file=sys.stderr, flush=True)
        for value, unit in ((seconds, "s"), (peak, "MB")):
            kind = f"{name.partition(': ')[0]}, the worst: {unit}" if name != USUAL else f"{name}: {unit}"
            results[kind] = max(value, results.get(kind, 0))
    slowest = max(value for what, value in results.items() if what.endswith(": s"))
    return results | {f"the slowest / {USUAL}": slowest / results[f"{USUAL}: s"]}


def cost(make: Callable[[Path, float], Work], size: float) -> tuple[float, float]:
    """Seconds and MB of what a kind's input, of that part of the limits, costs."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        fork = multiprocessing.get_context("fork")
        answers = fork.SimpleQueue()
        for measure in (timed, traced):
            child = fork.Process(target=_tell, args=(answers, measure, make, Path(folder), size))
            child.start()
            child.join()
            if child.exitcode != 0:
                raise RuntimeError(f"{make} could not be measured")
        return answers.get(), answers.get()


def _tell(answers: Any, measure: Callable[[Work], float], *kind: Any) -> None:
    make, folder, size = kind
    answers.put(measure(make(folder, size)))


def timed(work: Work) -> float:
    gc.collect()
    gc.freeze()
    began, Asking.spent = time.process_time(), 0.0
    _done(work)
    return time.process_time() - began + Asking.spent


def traced(work: Work) -> float:
    tracemalloc.start()
    _done(work)
    return tracemalloc.get_traced_memory()[1] / (1 << 20)


def _done(work: Work) -> None:
    try:
        work()
    except Unreadable:  # which is an answer
        pass


# --- files -----------------------------------------------------------------------------------------


def book(rest: bytes = b"", inner: bytes = CODE, form: bytes = b'"nbformat": 4') -> bytes:
    """A notebook's bytes. rest: of its metadata. inner: its cells."""
    return b'{"metadata": {"grader": {}, "x": [%s0]}, %s, "cells": [%s]}' % (rest, form, inner)


def repeated(what: bytes, times: float) -> bytes:
    return what * max(1, int(times))


def told(what: bytes) -> bytes:
    return b'"%s", ' % what


def of_values(what: bytes, size: float) -> bytes:
    """As many as a notebook may hold, with all that has to be written with each."""
    return repeated(what, size * (limits.MAX_VALUES - 100) / sum(map(what.count, (b",", b":", b"[", b"{"))))


def long_text(end: bytes, size: float, wide: int = 4) -> bytes:
    return repeated(b"a", size * limits.MAX_TEXT / wide - 1000) + end


def keys(size: float) -> bytes:
    pairs = (b'"%x": 0' % k for k in range(int(size * limits.MAX_VALUES / 2) - 100))
    return b"{%s}, " % b", ".join(pairs)


EMOJI = "\N{GRINNING FACE}".encode()
NOTEBOOKS: dict[str, Callable[[float], bytes]] = {
    "lists": lambda size: book(of_values(b"[], ", size)),
    "numbers": lambda size: book(of_values(b"1e9, ", size)),
    "objects": lambda size: book(of_values(b'{"a": 0}, ', size)),
    "keys": lambda size: book(keys(size)),
    "emoji": lambda size: book(of_values(told(EMOJI), size)),
    "long numbers": lambda size: book(repeated(b"9" * 4299 + b", ", size * limits.MAX_NOTEBOOK / 4302)),
    "brackets": lambda size: repeated(b"[", size * limits.MAX_VALUES),
    "commas in a text": lambda size: book(told(repeated(b",", size * limits.MAX_NOTEBOOK - 1000))),
    "quotes in a text": lambda size: book(told(repeated(rb"\",", size * limits.MAX_NOTEBOOK / 3 - 1000))),
    "an emoji after a long text": lambda size: book(told(long_text(EMOJI, size))),
    "an emoji before it": lambda size: book(told(EMOJI + long_text(b"", size))),
    "an escaped emoji": lambda size: book(told(long_text(rb"\ud83d\ude00", size))),
    "a long text": lambda size: book(told(long_text(b"", size, 2))),
    "a long text in a cell": lambda size: book(
        inner=b'{"cell_type": "markdown", "source": "%s"}' % long_text(EMOJI, size)
    ),
    "cells": lambda size: book(
        inner=repeated(CODE + b", ", size * min(limits.MAX_LINES / 2, limits.MAX_VALUES / 5) - 100) + CODE
    ),
    "lines": lambda size: of_code(repeated(rb"a=\n", size * limits.MAX_LINES - 9)),
    "magics": lambda size: of_code(repeated(rb"%time x=1\n", size * limits.MAX_LINES - 9)),
    "shell lines": lambda size: of_code(repeated(rb"x=[\n!a\n", size * limits.MAX_LINES / 2 - 9)),
    "quotes in code": lambda size: of_code(repeated(b"'a\\\"b", size * limits.MAX_CODE / 4 - 9)),
    "cells of ours": lambda size: book(
        told(OWN + repeated(b"check('a', globals())", size * limits.MAX_NOTEBOOK / 21 - 90))
    ),
    "conflicts": lambda size: b'{"cells": [' + repeated(b"\n<<<<<<", size * limits.MAX_NOTEBOOK / 7 - 9),
}
FLAT = b"loss = 1\n"
SCRIPTS: dict[str, bytes] = {
    "newlines": b"\n",
    "assignments": b"a=\n",
    "several names": b"a,da,=\n",
    "one line": b"a,",
    "shell lines": b"!\n",
    "shell lines of one that is flat": b"dprobs=\n!\n",
    "comparisons": b"cmp('a',\n",
    "emoji": EMOJI,
}


def of_code(source: bytes) -> bytes:
    return book(inner=b'{"cell_type": "code", "source": "%s"}' % source)


def as_file(made: Callable[[float], bytes], name: str, folder: Path, size: float) -> Work:
    """A file read, and taken for the exercises of the lecture, as a class's notebooks are."""
    path = folder / name
    path.write_bytes(made(size))
    tasks = exercises(*LECTURE)

    def work() -> None:
        data = path.read_bytes()
        for task in tasks.values():
            as_script(File(name, data), task.exercise)

    return work


def repeated_line(line: bytes, size: float) -> bytes:
    return FLAT + repeated(line, (size * limits.MAX_SOURCE - len(FLAT)) // len(line))


def marked(size: float) -> bytes:
    ours = b'{"cell_type": "raw", "metadata": {"grader": {"feedback": true}}}, {"cell_type": "raw"}, '
    return book(inner=of_values(ours, size) + CODE)


def old(cell: bytes, times: float, head: bytes = b"") -> bytes:
    inner = head + repeated(cell + b", ", times - 20) + cell
    return (
        b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "x"}, "worksheets": [{"cells": [%s]}]}'
        % inner
    )


OLD_CODE = (
    b'{"cell_type": "code", "input": "", "outputs": [], "language": "", "metadata": {}, "collapsed": true}'
)
BOOKS: dict[str, Callable[[float], bytes]] = {
    "marked cells": marked,
    "cells": lambda size: book(inner=of_values(b'{"cell_type": "raw"}, ', size) + CODE),
    "numbers": NOTEBOOKS["numbers"],
    "an emoji": NOTEBOOKS["an emoji after a long text"],
    "an emoji in a cell": NOTEBOOKS["a long text in a cell"],
    "blanks": lambda size: book(repeated(b" ", size * limits.MAX_TEXT / 2 - 1000)),
    "cells of nbformat 3": lambda size: old(OLD_CODE, size * limits.MAX_VALUES / limits.OLD / 16),
    "a heading of nbformat 3": lambda size: old(
        b'{"cell_type": "heading", "level": 100000000, "source": ""}', 1
    ),
}


def annotated(made: Callable[[float], bytes], folder: Path, size: float) -> Work:
    """A notebook as `grader feedback` takes it apart and puts it together."""
    path = folder / "x.ipynb"
    path.write_bytes(made(size))

    def work() -> None:
        read = cells.without_feedback(cells.read(cells.upgraded(path.read_bytes())))
        under = dict.fromkeys(range(1, min(len(read.cells), 60)), "x" * 500)
        cells.with_feedback(read, "top", under)

    return work


def members(folder: Path, size: float) -> Work:
    """A class's zip, of which one is somebody's submission."""
    with zipfile.ZipFile(folder / "class.zip", "w") as file:
        for k in range(int(size * MAX_MEMBERS) or 1):
            file.writestr(f"student {k}/{'ö' * 400}/ex1.py", b"")
    return lambda: uploads([folder / "class.zip"], Intake(LECTURE))


# --- what a run sends ------------------------------------------------------------------------------


class Asking(Runner):
    """A runner that begins with its first child, and adds up what the questions to the oracle took."""

    spent = 0.0

    def __init__(self, task: Task) -> None:
        self.task, self.loaded = task, {}

    def run(self, *args: Any, **keywords: Any) -> Run:
        self.begin()
        return super().run(*args, **keywords)

    def begin(self) -> None:
        if not self.loaded:
            super().__init__()
            self.load(self.task.exercise, self.task.fixtures.given)

    def _job(self, request: Mapping[str, Any], source: bytes) -> Any:
        self.begin()
        job = super()._job(request, source)
        finish = job.finish

        def finished() -> None:
            finish()
            Asking.spent += job.end["cpu"] if request["op"] == "reference" else 0.0

        job.finish = finished
        return job


def judged(
    exercise: str, sent: Sent, source: Callable[[Task, float], str], folder: Path, size: float
) -> Work:
    """A run that sent such records, parsed, judged and shown. source: of the submission."""
    (task,) = exercises(exercise).values()
    on = [name for name in task.fixtures.given if name != TRAINING]
    code = Script(source(task, size).encode(), name="x.py")
    asked = {(f, i.name): i for f in on for i in task.exercise.items}
    stream = folder / "stream"
    with stream.open("wb") as file:
        file.write(wire.encode({"off": []}) + wire.encode({"loaded": True}))
        left = int(size * limits.MAX_SENT)
        for (fixture, name), item in asked.items():
            if (record := sent(task, item, fixture)) is None:
                continue
            header, data = record
            left -= len(data)
            if header["encoded"] == wire.PLAIN:
                left -= limits.VALUE * (data.count(b",") + data.count(b"["))
            if left > 10_000:
                file.write(wire.encode({"fixture": fixture, "item": name, "status": "value", **header}, data))
        file.write(wire.encode({"end": True}))
    runner = Asking(task)

    def work() -> None:
        parser = wire.Parser(asked, {key for key, item in asked.items() if item in task.exercise.outputs})
        with stream.open("rb") as file:
            while chunk := file.read(1 << 20):
                parser.feed(chunk)
        run = Run(parser.records, b"", False, "", False, True)
        report, run = _graded(runner, task, code, WHOLE, run)
        whole = Report("x.py", (report,))
        sheet = page.Sheet(report, task.exercise, {None: code.source}, evidence_of(task, report, run))
        screen = terminal.render(whole, Screen(80, True, False))
        for shown in (document.render(whole), screen, page.render(whole, [sheet])):
            assert shown
        feedback.top(whole)
        if runner.loaded:
            runner.close()

    return work


def of_tensors(shape: Callable[[tuple[int, ...]], tuple[int, ...]], reads: int = 0) -> Sent:
    """Random numbers. shape: theirs, by the reference's. reads: how many gradients are told as read."""

    def sent(task: Task, item: Item, fixture: str) -> tuple[dict[str, Any], bytes]:
        dims = shape(task.fixtures.references[fixture].values[item.name].shape)
        values = np.random.default_rng(len(item.name)).standard_normal(dims).astype("<f4")
        header = {"dtype": "float32", "encoded": "float32", "shape": list(dims), "sent": True}
        known = [name for name in item.available if name not in item.siblings]
        return header | ({"reads": known[-reads:]} if reads else {}), values.tobytes()

    return sent


def right(task: Task, item: Item, fixture: str) -> tuple[dict[str, Any], bytes]:
    values = task.fixtures.references[fixture].values[item.name]
    shape = {"shape": list(values.shape)}
    return {"dtype": "float32", "encoded": "float32", "sent": True, **shape}, values.tobytes()


def of_nothing(task: Task, item: Item, fixture: str) -> None:
    """As where the process ended."""


def of_data(value: object) -> Sent:
    data = plain.encode(value)
    return lambda *_: ({"dtype": "plain", "encoded": "plain", "sent": True}, data)


def usual(task: Task, _: float) -> str:
    return solution(task.exercise.id.replace(".", "/")).decode()


def shape_changes(task: Task, size: float) -> str:
    """Functions in which a shape changes as often as is followed, and comes out as it came in."""
    line = "    x = x.sum(-1)[..., None]\n"  # of two operations
    first = "    x = {0}[..., None, None, None]\n"
    return functions(task, first + line * int(size * (MOST // 2 - 10)))


def to_change(task: Task, size: float) -> str:
    """Functions as long as those that are run with changes."""
    line = "    x = x * {0}.sum(0, keepdim=True) + {0}\n"  # of 20 nodes
    return functions(task, "    x = {0}\n" + line * int(size * (limits.MAX_CHANGED - 30) / 24))


def functions(task: Task, body: str) -> str:
    heads = {
        i.tensor: f"def {i.name}({', '.join({i.tensor: 0, **dict.fromkeys(i.params)})}):\n"
        for i in task.exercise.items
    }
    return "".join(f"{head}{body.format(tensor)}    return x\n" for tensor, head in heads.items())


def statements(task: Task, size: float) -> str:
    """A source as long as is read to explain a mistake, in many statements."""
    heads = "".join(f"def {i.name}(n):\n    return n\n" for i in task.exercise.items)
    return heads + "a\n" * int(size * (limits.EXPLAINED - len(heads)) / 2)


def long(task: Task, size: float) -> str:
    """The solution, and empty lines for as long as a source may be."""
    text = usual(task, size)
    return "\n" * int(size * limits.MAX_SOURCE - len(text)) + text


def calls(task: Task, size: float) -> str:
    """Functions that all use one another, in a source as long as is read."""
    names = sorted({i.judged for i in task.exercise.outputs})
    times = size * limits.EXPLAINED / len(names) / len(", ".join([*names, ""])) - 2
    return "".join(f"def {n}(*a):\n    x = [{', '.join(names * max(1, int(times)))}]\n" for n in names)


MANY = limits.MAX_PLAIN - 10
DATA: dict[str, object] = {
    "numbers": list(range(MANY)),
    "decimals": [k / 7 for k in range(MANY)],
    "tuples in a set": {(k,) for k in range(MANY // 2)},
    "objects": [{k: 0} for k in range(MANY // 3)],
    "empty lists": [[]] * MANY,
    "an object": dict.fromkeys(range(MANY // 2), 0),
    "long numbers": [16**9990 + k for k in range(100)],
    "tensors": [plain.Tensor("float32", (0,), b"")] * MANY,
    "a long text": "a" * (plain.MAX_BYTES - 10),
    "emoji": EMOJI.decode() * (plain.MAX_BYTES // 12 - 1),
}
SHAPES: dict[str, Callable[[tuple[int, ...]], tuple[int, ...]]] = {
    "the right shape": lambda shape: shape,
    "another shape": lambda _: (1024, 1024),
    "one axis too many": lambda shape: ((1 << 18) // max(1, int(np.prod(shape))), *shape),
    "sixty axes": lambda _: (1,) * 60 + (1 << 18,),
}

USUAL = "a usual submission"
KINDS: Mapping[str, Callable[[Path, float], Work]] = {
    USUAL: partial(judged, "ex1", right, usual),
    **{f"a notebook: {k}": partial(as_file, made, "x.ipynb") for k, made in NOTEBOOKS.items()},
    **{f"a script: {k}": partial(as_file, partial(repeated_line, s), "x.py") for k, s in SCRIPTS.items()},
    **{f"feedback: {k}": partial(annotated, made) for k, made in BOOKS.items()},
    "a class's zip: members": members,
    **{f"tensors: {k}": partial(judged, "ex1", of_tensors(s), usual) for k, s in SHAPES.items()},
    **{f"plain data: {k}": partial(judged, "micrograd.ex2", of_data(v), usual) for k, v in DATA.items()},
    **{
        f"the oracle: {e}": partial(judged, e, of_tensors(SHAPES["the right shape"], 4), usual)
        for e in ("ex1", "gpt.ex10", "gpt2.ex8")
    },
    "a source: shapes": partial(judged, "ex1", of_tensors(lambda s: (*s, 1, 1, 1)), shape_changes),
    "a source: changes": partial(judged, "ex1", of_tensors(SHAPES["the right shape"]), to_change),
    "a source: long": partial(judged, "ex1", of_tensors(SHAPES["the right shape"]), long),
    "a source: of which nothing came": partial(judged, "ex1", of_nothing, long),
    "a source: statements": partial(judged, "ex1", of_tensors(lambda s: (3, *s)), statements),
    "a source: calls": partial(judged, "micrograd.ex2", of_data([1]), calls),
}


if __name__ == "__main__":
    script(main)
