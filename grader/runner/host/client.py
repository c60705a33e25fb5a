"""The trusted end: hands out jobs, reads what children send. Never imports torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.core.errors import GraderFault
from grader.core.exercise import LOSSES, Exercise, File
from grader.runner import wire
from grader.runner.host.forked import FORKS as FORKS
from grader.runner.host.forked import Forked
from grader.runner.host.fresh import Fresh
from grader.runner.host.job import MAX_OUTPUT, by_others, how, last_line
from grader.runner.host.turns import Turns

WALL = 20.0  # seconds for one submission; `over-limit` after that
CPU = 10  # seconds of processor time for one submission
SHARED = 4.0  # seconds for several exercises of one file in one child; longer, each has a child of its own


@dataclass(frozen=True)
class Run:
    """What became of one submission: its records by (fixture, item), its output, and how it ended.

    ended: "" where it finished as it should, else what the learner is told.
    over: whether it was ended for using too much.
    outside: whether something else than the submission may have ended it: a signal, or time on the wall.
    """

    records: Mapping[tuple[str, str], wire.Record]
    output: bytes
    truncated: bool
    ended: str
    over: bool
    loaded: bool = False  # whether the submission's top level came to its end
    off: tuple[str, ...] = ()
    blamed: Mapping[str, tuple[str, bool]] = field(default_factory=dict)  # item -> how it ended a run, over
    cpu: float = 0.0
    unparsed: tuple[str, int | None] | None = None  # why Python can't read the file as it is, and the line
    early: Collection[tuple[str, str]] = ()  # records that came before any of its flat code ran
    outside: bool = False
    sent: int = 0  # bytes, and what plain data counts as besides


@dataclass(frozen=True)
class Part:
    """What a child is to do for one exercise: its `items` on `fixtures`.

    training: the steps to train, 0 for none.
    flat: the source is flat code; the lecture's number of the exercise in it, or 0.
    variants: an output and the text of another function for it, or of a class with another method, each; they
    are called in place of the items. `session` is for those of gradients.
    recorded: items of which is told what torch does in them, under "in ITEM".
    """

    exercise: str
    fixtures: Sequence[str]
    items: Sequence[str]
    training: int = 0
    flat: int | None = None
    variants: Sequence[tuple[str, str]] = ()
    recorded: Sequence[str] = ()


class Runner:
    """A warm process that runs submissions; use it as a context manager."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        skip: Sequence[str] = (),
        wall: float = WALL,
        cpu: int = CPU,
        starter: Forked | None = None,
    ) -> None:
        """wall, cpu: seconds for one run of a submission. starter: the warm process, where that has begun.

        For tests and benchmarks: more environment for the computing processes, layers to skip.
        """
        self.wall, self.cpu = wall, cpu
        self.turns = Turns()
        self.abandoned: Callable[[], bool] = lambda: False  # asked while a child runs
        self.starter: Any = starter or (Forked(environ or {}, skip) if FORKS else Fresh(environ or {}))
        self.loaded: dict[str, Exercise] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process that computes."""
        self.starter.close()

    def load(self, exercise: Exercise, given: Mapping[str, bytes]) -> None:
        """Give the zygote an exercise's public description and the files that submissions run on."""
        request = {
            "op": "load",
            "exercise": exercise.to_json(),
            "fixtures": list(given),
        }
        self.loaded[exercise.id] = exercise
        self.starter.load(request, given)

    def run(self, part: Part, file: File, wall: float | None = None, cpu: int | None = None) -> Run:
        """Run a submission for one exercise in a child of its own.

        Where something else may have ended it, it is run once more, while no other submission is.
        """
        wall, cpu = wall or self.wall, cpu or self.cpu
        run = self.together([part], file, wall, cpu)[0]
        if run.outside:
            with self.turns.alone():
                run = self._together([part], file, wall, cpu)[0]
        return run

    def together(self, parts: Sequence[Part], file: File, wall: float, cpu: int) -> list[Run]:
        """Run a submission in one child for several exercises: a run of each, in their order.

        How the child ended stands in all of them, what the submission printed in the first.
        """
        with self.turns.beside():
            return self._together(parts, file, wall, cpu)

    def staying(self, part: Part, file: File) -> Any:
        """A child that has loaded a submission and waits to be asked (`Session`)."""
        return self._job(self._request([part], [""], file, self.cpu) | {"rounds": True}, file.data)

    def _request(self, parts: Sequence[Part], labels: Sequence[str], file: File, cpu: int) -> dict[str, Any]:
        labelled = [{**vars(part), "label": label} for part, label in zip(parts, labels, strict=True)]
        return {"op": "run", "filename": file.name, "parts": labelled, "cpu": cpu}

    def _together(self, parts: Sequence[Part], file: File, wall: float, cpu: int) -> list[Run]:
        labels = [f"{part.exercise}/" if len(parts) > 1 else "" for part in parts]
        job = self._job(self._request(parts, labels, file, cpu), file.data)
        whole = self._pumped(job, self._parser(dict(zip(labels, parts, strict=True))), wall, cpu)
        return [_of(whole, label, first=not number) for number, label in enumerate(labels)]

    def _parser(self, labelled: Mapping[str, Part]) -> wire.Parser:
        """A parser of what a child may send, no more. labelled: its parts, by the label before fixtures."""
        expected: set[tuple[str, str]] = set()
        plain: set[tuple[str, str]] = set()
        for label, part in labelled.items():
            exercise = self.loaded[part.exercise]
            expected |= {(label + f, i) for f in part.fixtures for i in part.items}
            expected |= {(label + f, str(k)) for f in part.fixtures for k in range(len(part.variants))}
            outputs = {i.name for i in exercise.outputs}
            changed = {str(k) for k in range(len(part.variants))}
            told = {(label + f, f"in {i}") for f in part.fixtures for i in part.recorded}
            expected |= told
            plain |= told | {(label + f, i) for f in part.fixtures for i in outputs | changed}
            if part.training and exercise.training:
                names = (*exercise.training.parameters, LOSSES)
                expected |= {(f"{label}training", name) for name in names}
        return wire.Parser(expected, plain)

    def _pumped(self, job: Any, parser: wire.Parser, wall: float, cpu: int) -> Run:
        """All that a child sends until it ends, or until it is ended."""
        ended, over, outside = "", False, False
        try:
            job.pump(parser.feed, wall)
        except wire.Malformed as error:
            parser.records.clear()  # no honest submission writes there
            parser.loaded = False
            over = isinstance(error, wire.TooMuch)
            ended = f"returned {error}" if over else f"wrote to the grader's result channel ({error})"
        except TimeoutError:
            ended, over = f"took more than {wall:g} seconds", True
        finally:
            job.finish()
        if over:
            outside = by_others(job.end, wall, cpu)
        elif not ended and not parser.complete:
            ended, over = how(job.end, cpu)
            outside = by_others(job.end, None, cpu)
        return Run(
            records=parser.records,
            output=bytes(job.output[:MAX_OUTPUT]),
            truncated=len(job.output) > MAX_OUTPUT,
            ended=ended,
            over=over,
            loaded=parser.loaded,
            off=parser.off or (),
            cpu=job.end["cpu"],
            unparsed=parser.unparsed,
            early=parser.early,
            outside=outside,
            sent=parser.sent,
        )

    def trial(self) -> dict[str, list[str]]:
        """What a confined child tried and was not stopped from ("possible"), the layers that are off, and
        what any submission may do but can't here ("impossible").
        """
        if not FORKS:
            return {"off": [*wire.LAYERS], "possible": [], "impossible": []}
        return dict(json.loads(self.ask({"op": "trial"})))

    def missing(self) -> list[str]:
        """What is missing of the sandbox here: layers that are off, and what a child could really do."""
        tried = self.trial()
        return [*tried["off"], *(f"a submission can {what}" for what in tried["possible"])]

    def ask(self, request: Mapping[str, Any], given: bytes = b"") -> bytes:
        """A question to the trusted reference process (`reference.oracle`); its answer's bytes."""
        answer = bytearray()
        job = self._job({"op": "reference", **request}, given)
        try:
            job.pump(answer.extend, 10 * WALL)
        except TimeoutError:
            raise GraderFault("the reference process did not answer in time") from None
        finally:
            job.finish()
        if job.end["status"] != 0:
            raise GraderFault(f"the reference process failed: {last_line(job.output) or 'no message'}")
        return bytes(answer)

    def _job(self, request: Mapping[str, Any], source: bytes) -> Any:
        return self.starter.job(request, source, self.abandoned)


def protections() -> list[str]:
    """What is missing of the sandbox, as a runner of its own finds."""
    with Runner() as runner:
        return runner.missing()


def _of(whole: Run, label: str, first: bool) -> Run:
    """What of a child's run is one part's."""
    return replace(
        whole,
        records={(f.removeprefix(label), i): r for (f, i), r in whole.records.items() if f.startswith(label)},
        early={(f.removeprefix(label), i) for f, i in whole.early if f.startswith(label)},
        output=whole.output if first else b"",
        truncated=whole.truncated and first,
    )
