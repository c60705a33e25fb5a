"""What a process that computes has been given, and a job done with it, in a fork or a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import grader.lecture  # noqa: F401 -- notebooks import it, and a child reads no file of ours
from grader.core.exercise import Exercise
from grader.reference import values
from grader.runner.untrusted import asking, child
from grader.submissions.flat import renames


class Loaded:
    """Exercises' public descriptions, and by exercise and fixture the tensors that submissions run on."""

    def __init__(self) -> None:
        self.exercises: dict[str, Exercise] = {}
        self.givens: dict[tuple[str, str], dict[str, Any]] = {}

    def load(self, request: dict[str, Any], files: Iterable[bytes]) -> None:
        """files: of the fixtures that the request names, in their order."""
        import safetensors.torch

        exercise = Exercise.from_json(request["exercise"])
        self.exercises[exercise.id] = exercise
        renames.prepare(exercise)
        # of other probes that it had nothing is kept
        self.givens = {key: given for key, given in self.givens.items() if key[0] != exercise.id}
        for name, data in zip(request["fixtures"], files, strict=True):
            tensors = values.unpacked(safetensors.torch.load(data))
            self.givens[exercise.id, name] = {**exercise.sizes.get(name, {}), **tensors}

    def answer(self, request: dict[str, Any], source: bytes, ends: child.Ends, off: Sequence[str]) -> None:
        """Do a job, and write what comes of it to `ends`. off: the layers that are off."""
        if request["op"] == "reference":
            from grader.reference import oracle

            asking.POLICY.allow_kernels()
            oracle.answer(self.exercises[request["exercise"]], request, source, ends.result)
        else:
            jobs = [self._job(part) for part in request["parts"]]
            self.givens = {}
            child.main(jobs, source, request["filename"], ends, off)

    def _job(self, part: dict[str, Any]) -> child.Job:
        exercise = self.exercises[part["exercise"]]
        fixtures = {name: self.givens[exercise.id, name] for name in part["fixtures"]}
        training = None
        if steps := part["training"]:
            training = self.givens[exercise.id, "training"]
            training = {**training, **{k: training[k][:steps] for k in exercise.batch}}
        items = tuple(part["items"])
        variants = tuple((item, source) for item, source in part["variants"])
        return child.Job(
            exercise, fixtures, items, training, part["flat"], part["label"], variants, (*part["recorded"],)
        )
