"""From an authored file to what is derived of it: the learner's stub and notebook, the saved tensors.

Imports torch; runs in a process of its own whose CPU kernels `reference/reproducible.py` has fixed. What a
processor still rounds otherwise is held against the saved (`near`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from grader.authoring import author_gradients, author_outputs, authored, kept, notebook
from grader.authoring.authored import Authored, AuthoredError
from grader.authoring.hints import ladder
from grader.authoring.hints.example import ways
from grader.authoring.slips import fingerprints
from grader.core.exercise import FORMAT, TRAINING, FixtureEntry, Line, Stated, is_probe, sizes
from grader.core.graph import uncovered
from grader.diagnosis.diagnose import FIXTURES
from grader.reference import draws, near, outputs, values
from grader.reference.float64 import Unfit
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.reference.program import Program
from grader.suite import fixtures

Files = dict[str, bytes]  # by path below the project's root


def derive(
    source: str,
    exercise: str,
    wrong: str = "",
    tell: Callable[[str], object] = print,
    old: kept.Saved = kept.NOTHING,
) -> Files:
    """Everything derived from one authored file's text, by path. AuthoredError where it breaks a rule.

    wrong: the text of the exercise's known mistakes, see `fingerprints.known`. tell: gets the bounds that are
    wider than the rule, in words. old: what is saved, of which all stays that agrees (`near`).
    """
    derived = Derived(source, exercise, tell, old)
    derived.run()
    begun = derived.begin()
    known = derived.known(wrong)
    return derived.described(begun, known)


class Derived:
    """What is derived of an authored file, step by step.

    files: by path. given, references, sizes: by fixture, with all that is given and asked for there.
    """

    def __init__(self, source: str, exercise: str, tell: Callable[[str], object], old: kept.Saved) -> None:
        self.exercise, self.tell, self.old = exercise, tell, old
        self.path = "/".join(exercise.split("."))
        self.filename = f"solutions/{self.path}.py"
        author_gradients.written(source, self.filename)
        self.parts = authored.read(source, self.filename)
        self.program = Program.of(self.parts.public, self.filename)
        self.author = author_gradients.Gradients(source, self.parts, self.filename)
        self.training = draws.plan(self.program)
        self.files: Files = {}
        self.entries: list[FixtureEntry] = []
        self.given: dict[str, Env] = {}
        self.references: dict[str, Env] = {}
        self.sizes: dict[str, Env] = {}

    @property
    def first(self) -> Mapping[str, Any]:
        """The settings of the lecture's fixture."""
        return next(iter(self.program.fixtures.values()))

    def run(self) -> None:
        """Every fixture, and the training run: the author's answers held against autograd's, and saved."""
        program, parts = self.program, self.parts
        for name, settings in program.fixtures.items():
            author_gradients.runs(program, name, settings, self.filename)
            given, reference, told = saved(program, parts, name, settings, self.filename, self._old(name))
            self.given[name], self.references[name], self.sizes[name] = given, reference, sizes(settings)
            self.author.verify(name, given, reference, self.sizes[name])
            for line in told:
                self.tell(f"{self.exercise}, {name}: {line}")
            if parts.outputs:
                apart = {k: v for k, v in given.items() if k not in settings}
                given, reference = values.packed(apart), values.packed(reference)
            self._save(name, settings, given, reference)
        if parts.lines and len(set(map(repr, self.sizes.values()))) == 1:
            self.tell(
                f"{self.exercise}: no fixture has other sizes than the first: a size written as a number "
                "passes"
            )
        if self.training:
            pair = draws.training(program, self.training, self.first, self._old(TRAINING))
            self._save(TRAINING, self.first, *pair)
        back = ways(program) if parts.gradients else []
        _lint(parts, next(iter(self.given.values())), back, self.filename)

    def _old(self, name: str) -> Kept:
        return self.old.fixtures.get(name, draws.NONE)

    def _save(self, name: str, settings: Mapping[str, Any], given: Env, reference: Env) -> None:
        mark = {"format": FORMAT, "fixture": name, **settings, **stamp()}
        stated = []
        for part, env in (("given", given), ("reference", reference)):
            once = {k: v for k, v in env.items() if part == "given" or not _same(v, given.get(k))}
            data = kept.file(draws.contiguous(once), mark, self._old(name).raw.get(part, b""))
            self.files[f"fixtures/{self.path}/{name}.{part}.safetensors.gz"] = fixtures.packed(data)
            stated.append(fixtures.stated(data))
        self.entries.append(FixtureEntry(name, dict(settings), *stated))

    def begin(self) -> dict[str, str]:
        """What a learner begins with: the stub, and of gradients a notebook."""
        begun = {"stub": authored.stub(self.parts)}
        self.files[f"exercises/{self.path}.py"] = begun["stub"].encode()
        if self.parts.lines:
            shapes = _shapes(self.program, self.parts, self.given, self.references)
            text = notebook.notebook(self.parts, self.exercise, self.first, self.training, shapes)
            begun["notebook"] = text
            self.files[f"exercises/{self.path}.ipynb"] = text.encode()
        return begun

    def known(self, wrong: str) -> Any:
        """What is known of mistakes, by item."""
        if not set(FIXTURES) <= set(self.given):
            return {}
        known = fingerprints.known(self.parts, self.program, self.given, self.references, self.sizes, wrong)
        if self.parts.outputs:
            env = {f: {**self.sizes[f], **self.given[f]} for f in FIXTURES}
            known |= author_outputs.known(self.parts, env, self.filename, wrong)
        return kept.known(known, self.old.texts.get("diagnosis.json"), self.references)

    def described(self, begun: Mapping[str, str], known: Mapping[str, Any]) -> Files:
        """All files: those so far, hints, and the exercise's own description."""
        story = ladder.story(self.parts, self.program, self.given, self.filename)
        story = kept.hints(story, self.old.texts.get("hints.json"))
        text = begun.get("notebook")
        built = replace(
            self.parts.public,
            id=self.exercise,
            stamp=self._stamp(),
            shapes=_shapes(self.program, self.parts, self.given, self.references),
            training=self.training,
            fixtures=tuple(self.entries),
            diagnosis=self._save_text("diagnosis", known),
            hints=self._save_text("hints", story),
            derived=self._save_text("derived", begun),
            notebook=fixtures.stated(text.encode()) if text else None,
        )
        self.files[f"fixtures/{self.path}/exercise.json"] = fixtures.seal(built).encode()
        return self.files

    def _stamp(self) -> Any:
        """The saved stamp while no saved tensor changes."""
        same = all(
            self.files[f"fixtures/{self.path}/{entry.name}.{part}.safetensors.gz"]
            == fixtures.packed(self._old(entry.name).raw.get(part, b""))
            for entry in self.entries
            for part in ("given", "reference")
        )
        return self.old.stamp if same and self.old.stamp else stamp()

    def _save_text(self, name: str, value: Any) -> Stated:
        data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        self.files[f"fixtures/{self.path}/{name}.json.gz"] = fixtures.packed(data)
        return fixtures.stated(data)


def saved(
    program: Program,
    parts: Authored,
    name: str,
    settings: Mapping[str, Any],
    filename: str,
    old: Kept = draws.NONE,
) -> tuple[Env, Env, list[str]]:
    """`draws.tensors`, with what output items are given and give, and bounds, which are told in words."""
    try:
        given, reference = draws.tensors(program, parts.public, name, settings, old)
        told = []
        for item, (far, bound) in draws.bounds(program, parts.public, name, given, reference).items():
            reference["bound." + item] = torch.tensor(bound, dtype=torch.float64)
            told.append(f"{item}: float32 is {far:.2g} from float64, so the bound is {bound:.2g}")
        if parts.outputs:
            draw = outputs.Draw(program, settings, is_probe(name), old)
            solution, env = outputs.Solution(parts.source, filename), {**sizes(settings), **given}
            more = outputs.saved(solution, parts.public.outputs, env, draw)
            given, reference, told = {**given, **more[0]}, {**reference, **more[1]}, told + more[2]
    except Unfit as error:
        line = next(item.line for item in parts.items if item.name == error.item)
        raise AuthoredError(f"{filename}, line {line}: {error}") from None
    return given, near.references(reference, old.reference), told


def stamp() -> dict[str, str]:
    """What the saved bytes depend on."""
    return {
        "torch": torch.__version__.split("+")[0],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def _same(value: Any, other: Any) -> bool:
    return isinstance(other, torch.Tensor) and torch.equal(value, other)


def _shapes(
    program: Program, parts: Authored, given: Mapping[str, Env], references: Mapping[str, Env]
) -> dict[str, tuple[int, ...]]:
    """By name the shape of each tensor and of its gradient; of an output that is no tensor a number's, ()."""
    lecture = next(iter(given.values()))
    shapes = {k: tuple(v.shape) for k, v in lecture.items() if isinstance(v, torch.Tensor)}
    if program.lines:
        _, upstream = program.gradients(draws.start(program, next(iter(program.fixtures.values()))))
        shapes |= {"d" + name: tuple(value.shape) for name, value in upstream.items()}
    for item in parts.outputs:
        result = next(iter(references.values()))[item.name]
        shapes[item.name] = tuple(result.shape) if isinstance(result, torch.Tensor) else ()
    return shapes


def _lint(parts: Authored, given: Env, back: Sequence[Line], filename: str) -> None:
    """An item's docstring states its task, and states it truly."""
    if not parts.gradients:
        return
    loss = parts.lines[-1].name
    code = {line.name: line.code for line in parts.lines}
    for item in parts.gradients:
        where = f"{filename}, line {item.line}: {item.name}"
        cut = parts.cut(item)
        targets = [*sorted(cut), *([loss] if uncovered(back, item.tensor, cut) else [])]
        for target in targets:
            if code.get(target, "") not in item.doc:
                raise AuthoredError(f"{where}'s docstring doesn't quote its forward line `{code[target]}`")
        for tensor in (item.tensor, *cut):
            stated = f"d{tensor} {tuple(given[tensor].shape)}"
            if stated not in item.doc:
                raise AuthoredError(f"{where}'s docstring doesn't say `{stated}`")
        for param in item.params:
            if param not in given:
                raise AuthoredError(f"{where} asks for {param}, which nothing gives")
            early = {other.name for other in parts.gradients[: parts.gradients.index(item)]}
            if param in parts.siblings(item) and not (param in early and param[1:] in parts.inputs):
                raise AuthoredError(
                    f"{where} asks for {param}, which is no gradient of a parameter before it"
                )
            if parts.is_gradient(param) and param[1:] in cut and param not in parts.available(item):
                raise AuthoredError(f"{where} asks for {param}, which does not exist yet at that point")


def network(source: str, filename: str) -> dict[str, Any]:
    """Of a forward program, at its first fixture's sizes: shapes, which have a gradient, names of sizes."""
    inputs, lines = authored.network(source, filename)
    program = Program(source, inputs, lines, filename)
    found = [
        author_gradients.runs(program, name, settings, filename)
        for name, settings in program.fixtures.items()
    ]
    settings = next(iter(program.fixtures.values()))
    _, grads = program.gradients(program.draw(settings))
    tensors = {k: v for k, v in found[0].items() if isinstance(v, torch.Tensor)}
    return {
        "shapes": {k: list(v.shape) for k, v in tensors.items()},
        "grads": list(grads),
        "sizes": list(sizes(settings)),
    }
