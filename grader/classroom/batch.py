"""A class of submissions: graded as fast as the cores allow, every result on disk as soon as it exists.

`results.jsonl` has a line for each submission, in the order of the submissions. While a batch runs,
results go to `journal.jsonl` as they come; killed at any moment, the same command reads both and goes
on. A line carries the key of what it graded (content, exercise, fixtures, grader), so that nothing is
graded twice: neither what an earlier run has graded nor what two students handed in alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from grader import __version__
from grader.classroom import changes
from grader.classroom.results import Result, Store, only_one
from grader.classroom.roster import NOBODY, Entry
from grader.core.errors import GraderFault, Unreadable, swallowed
from grader.core.exercise import Exercise, How, Task
from grader.core.text import text
from grader.core.verdict import Report, Verdict
from grader.judging.grade import WHOLE
from grader.judging.points import marks
from grader.judging.points.attempts import Marking, Standing
from grader.reports.document import document
from grader.submissions.choosing import plainly
from grader.submissions.uploads import Upload
from grader.suite import fixtures
from grader.suite.files import replacing


class Grader(Protocol):
    """What grades one submission's bytes: `local.Local` here, `dask.Cluster` elsewhere."""

    def grade(self, exercise: str, source: bytes, filename: str) -> Result: ...

    def grade_all(self, exercises: Sequence[str], source: bytes, filename: str) -> list[Result]: ...

    def close(self) -> None: ...


@dataclass
class Progress:
    """How far a batch is; a renderer looks at it now and then."""

    total: int
    done: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    reused: int = 0

    def count(self, result: Result) -> None:
        self.done += 1
        if result["problem"]:
            self.errors += 1
        elif result["passed"]:
            self.passed += 1
        else:
            self.failed += 1


@dataclass(frozen=True)
class Class:
    """What was handed in, the exercises that it is graded on, and the policy that marks it."""

    uploads: Sequence[Upload]
    exercises: Mapping[str, Task]
    marking: Marking | None = None
    how: How = WHOLE
    fresh: bool = False  # whether nothing of an earlier run is used
    roster: Mapping[str, Entry] | None = None  # by student


def run(
    klass: Class, out: Path, grader: Grader, workers: int, tell: Callable[[Progress], None]
) -> Generator[Result]:
    """Grade all uploads; their results in order, each as soon as it and those before it are there.

    tell: called from this thread when something was done. results.jsonl is there after the last.
    """
    with only_one(out):
        store = Store(out)
        store.open(klass.fresh)
        work = _Work(store, grader, workers, Progress(len(klass.uploads)), tell)
        prints = {name: fixtures_print(d, klass.how) for name, (d, _) in klass.exercises.items()}
        try:
            yield from _settle(klass, _grade(klass.uploads, prints, work), work)
        finally:
            work.end()


class _Work:
    """Files graded by several threads, not many of them in memory; this thread alone writes results."""

    def __init__(
        self,
        store: Store,
        grader: Grader,
        workers: int,
        progress: Progress,
        tell: Callable[[Progress], None],
    ) -> None:
        self.store, self.grader, self.progress, self.tell = store, grader, progress, tell
        # one more than there are workers: a core has the next child while this process reads the last
        self.pool = ThreadPoolExecutor(workers + 1)
        self.most = 3 * (workers + 1)
        self.running: dict[Future[list[Result]], list[str]] = {}
        self.waiting: dict[str, int] = {}  # key -> uploads that wait for it
        self.faults: dict[str, Result] = {}  # not kept: the next run tries again

    def give(self, one: _Todo) -> None:
        """Have a file graded as soon as there is room for it."""
        while len(self.running) >= self.most:
            self.take()
        self.running[self.pool.submit(_graded, self.grader, one)] = one.keys

    def take(self, timeout: float | None = None) -> None:
        """Keep the results there are, having waited for one."""
        done, _ = wait(self.running, timeout, FIRST_COMPLETED)
        for future in done:
            for key, result in zip(self.running.pop(future), future.result(), strict=True):
                if result.get("fault"):
                    self.faults[key] = result
                else:
                    self.store.add(key, result)
                self.count(result, self.waiting.pop(key))

    def has(self, key: str | Result) -> bool:
        return not isinstance(key, str) or key in self.store.places or key in self.faults

    def result(self, key: str | Result) -> Result:
        """What a key stands for; a result is given back."""
        return key if not isinstance(key, str) else self.faults.get(key) or self.store.get(key)

    def count(self, result: Result, uploads: int = 1) -> None:
        for _ in range(uploads):
            self.progress.count(result)
        self.tell(self.progress)

    def end(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)


def _grade(uploads: Sequence[Upload], prints: Mapping[str, str], work: _Work) -> Iterator[str | Result]:
    """The key of each upload's result, in their order, as soon as it is there; the result itself where there
    was nothing to grade.
    """
    keys: list[str | Result] = []
    given = 0
    gathered: _Todo | None = None  # a notebook whose other exercises follow
    for upload in uploads:
        if gathered and not gathered.goes_on(upload):
            work.give(gathered)
            gathered = None
        source = gathered.source if gathered else None
        problem = upload.chosen.problem
        if not problem and source is None:
            try:
                source = upload.read()
            except Unreadable as error:
                problem = f"refused: it {error}"
        if source is None or problem:
            result = _problem(upload, problem)
            keys.append(result)
            work.count(result)
            continue
        key = _key(upload, source, prints)
        keys.append(key)
        if key in work.store.places:
            work.progress.reused += 1
            work.count(work.store.get(key))
        elif key in work.waiting:
            work.waiting[key] += 1
        else:
            work.waiting[key] = 1
            gathered = gathered or _Todo(source)
            gathered.keys.append(key)
            gathered.uploads.append(upload)
        work.take(timeout=0)
        while given < len(keys) and work.has(keys[given]):
            yield keys[given]
            given += 1
    if gathered:
        work.give(gathered)
    for left in keys[given:]:
        while not work.has(left):
            work.take()
        yield left


@dataclass
class _Todo:
    """A file to grade: on one exercise, or on several where the lecture's notebook holds them."""

    source: bytes
    keys: list[str] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)

    def goes_on(self, upload: Upload) -> bool:
        """Whether an upload is the same file, for one more exercise."""
        last = self.uploads[-1]
        same = upload.chosen.shared and last.chosen.shared and upload.chosen.path == last.chosen.path
        return same and upload.source is last.source


def _graded(grader: Grader, todo: _Todo) -> list[Result]:
    """The results of a file, one for each of its exercises; where it can't be graded, why."""
    exercises = [upload.chosen.exercise for upload in todo.uploads]
    try:
        filename = _called(todo.uploads[0])
        if len(exercises) == 1:
            results = [grader.grade(exercises[0], todo.source, filename)]
        else:
            results = grader.grade_all(exercises, todo.source, filename)
        own = {"problem": "", "made_of": {"file": fixtures.digest(todo.source)[: changes.SHORT]}}
        return [{**r, **own, "key": key} for key, r in zip(todo.keys, results, strict=True)]
    except Unreadable as error:
        problems = [_problem(upload, f"refused: it {error}") for upload in todo.uploads]
        return [{**p, "key": key} for key, p in zip(todo.keys, problems, strict=True)]
    except Exception as error:  # costs this file its grade, and no other
        why = str(error)
        if not isinstance(error, GraderFault):
            swallowed(f"{text(todo.uploads[0].id, 1000)} its grade")
            why = f"{type(error).__name__}: {error}"
        return [_problem(upload, f"the grader's own fault: {why}", fault=True) for upload in todo.uploads]


def _settle(klass: Class, keys: Iterable[str | Result], work: _Work) -> Iterator[Result]:
    """Write results.jsonl in the uploads' order, replacing it whole; the results one by one."""
    uploads, marking, store = klass.uploads, klass.marking, work.store

    def marked(upload: Upload, key: str | Result) -> Result:
        result = work.result(key)
        return marking.of(upload, result) if marking else marks.counted(result)

    rules = (marking.policy if marking else None, klass.how)
    rest = {name: changes.rests_on(task.exercise, *rules) for name, task in klass.exercises.items()}
    standings: Mapping[int, Standing] = {}
    if marking and marking.policy.attempts:  # which counts is known when all are there
        keys = list(keys)
        pairs = enumerate(zip(uploads, keys, strict=True))
        standings = marking.standings((n, one, marked(one, key)) for n, (one, key) in pairs)
    absent = 0 if marking and marking.policy.absent else "blank"
    first: dict[str, str] = {}
    with replacing(store.out / "results.jsonl") as file:
        for number, (upload, key) in enumerate(zip(uploads, keys, strict=True)):
            result = marked(upload, key)
            c = upload.chosen
            entry = klass.roster.get(c.student) if klass.roster is not None else None
            listed = {} if klass.roster is None else entry.document() if entry else NOBODY
            standing = standings.get(number, Standing())
            same = first.setdefault(key, upload.id) if isinstance(key, str) else upload.id
            own = {
                "submission": text(upload.id, 1000),
                "student": text(c.student),
                "name": text(c.name),
                "late": c.late or bool(result.get("days_late")),
                "note": "; ".join(t for t in (text(c.note), standing.note) if t),
                "counts": standing.counts,
                **listed,
                **({"absent": absent if c.absent == "absent" else c.absent} if c.absent else {}),
                "made_of": {**result["made_of"], **rest[c.exercise]} if result.get("made_of") else {},
                "identical_to": None if same == upload.id or _untouched(result) else text(same, 1000),
            }
            result = {**result, **own}
            file.write(json.dumps(result).encode() + b"\n")
            yield result
        file.flush()
        os.fsync(file.fileno())
    store.journal.close()
    os.unlink(store.out / "journal.jsonl")


def _untouched(result: Result) -> bool:
    """Whether nothing is written in it: such files are all alike."""
    verdicts = {item["verdict"] for exercise in result["exercises"] for item in exercise["items"]}
    return verdicts == {Verdict.NOT_WRITTEN}


def _problem(upload: Upload, why: str, fault: bool = False) -> Result:
    empty = document(Report("", ()))
    return {**empty, "passed": False, "protection_off": [], "key": None, "problem": text(why), "fault": fault}


def _key(upload: Upload, source: bytes, prints: Mapping[str, str]) -> str:
    what = (prints[upload.chosen.exercise], _called(upload), fixtures.digest(source))
    return fixtures.digest("".join(what).encode())


def _called(upload: Upload) -> str:
    """What messages call a file: equal files alike, since they share a result."""
    chosen = upload.chosen
    return f"{'notebook' if chosen.shared else chosen.exercise}{PurePosixPath(plainly(chosen.path)).suffix}"


def fixtures_print(description: Exercise, how: How = WHOLE) -> str:
    """What a grade depends on besides the file: the exercise, its fixtures' digests, the grader, how."""
    what: list[Any] = [__version__, description.to_json()]
    what += [[how.strict, dict(how.rename)]] if how != WHOLE else []
    return fixtures.digest(json.dumps(what, sort_keys=True).encode())
