"""From an authored file to what is derived of it: the learner's stub and notebook, the saved tensors.

Imports torch; runs in a process of its own whose CPU kernels `settings.reproducible` has fixed, so
that the same bytes come out on any machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from grader.authoring import author_gradients, author_outputs, authored, kept
from grader.authoring import notebook as derive_notebook
from grader.authoring.authored import Authored, AuthoredError
from grader.authoring.hints import ladder
from grader.authoring.slips import fingerprints
from grader.core.exercise import (
    FORMAT,
    FixtureEntry,
    Stated,
    Worked,
    is_probe,
    sizes,
    uncovered,
)
from grader.diagnosis.diagnose import FIXTURES
from grader.judging.compare import ATOL, RTOL
from grader.reference import draws, near
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.reference.program import Program
from grader.runner.untrusted import values
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
    path = "/".join(exercise.split("."))
    author_gradients.written(source, f"solutions/{path}.py")
    parts = authored.read(source, f"solutions/{path}.py")
    program = Program.of(parts.public, f"solutions/{path}.py")
    own = author_gradients.Gradients(source, parts, f"solutions/{path}.py")
    files: Files = {}
    entries: list[FixtureEntry] = []
    lecture: Env = {}
    evidence: list[dict[str, Env]] = [{}, {}, {}]  # given, references, sizes by fixture
    for name, settings in program.fixtures.items():
        author_gradients.runs(program, name, settings, f"solutions/{path}.py")
        before = old.fixtures.get(name, Kept())
        given, reference, told = saved(program, parts, name, settings, f"solutions/{path}.py", before)
        own.verify(name, given, reference, sizes(settings))
        for line in told:
            tell(f"{exercise}, {name}: {line}")
        lecture = lecture or given
        for where, env in zip(evidence, (given, reference, sizes(settings)), strict=True):
            where[name] = env
        if parts.outputs:
            apart = {k: v for k, v in given.items() if k not in settings}
            given, reference = values.packed(apart), values.packed(reference)
        entries.append(_save(files, path, name, settings, (given, reference), before))
    if parts.lines and len({repr(sizes(settings)) for settings in program.fixtures.values()}) == 1:
        tell(f"{exercise}: no fixture has other sizes than the first: a size written as a number passes")
    training = draws.plan(program)
    if training:
        settings = next(iter(program.fixtures.values()))
        before = old.fixtures.get("training", Kept())
        pair = draws.training(program, training, settings, before)
        entries.append(_save(files, path, "training", settings, pair, before))
    _lint(parts, lecture, f"solutions/{path}.py")
    stub = authored.stub(parts)
    notebook = None
    if parts.lines:
        notebook = derive_notebook.notebook(parts, exercise, next(iter(program.fixtures.values())), training)
    known: dict[str, Any] = {}
    if set(FIXTURES) <= set(evidence[0]):
        given_on, references, sizes_on = evidence
        known = fingerprints.known(parts, program, given_on, references, sizes_on, wrong)
        if parts.outputs:
            env = {f: {**sizes_on[f], **given_on[f]} for f in FIXTURES}
            known |= author_outputs.known(parts, env, f"solutions/{path}.py")
    known = kept.known(known, old.texts.get("diagnosis.json"), evidence[1])
    begun = {"stub": stub, **({"notebook": notebook} if notebook else {})}
    story = ladder.story(parts, program, evidence[0], f"solutions/{path}.py")
    story = kept.hints(story, old.texts.get("hints.json"))
    same = all(
        files[f"fixtures/{path}/{entry.name}.{part}.safetensors.gz"]
        == fixtures.packed(old.fixtures.get(entry.name, draws.NONE).raw.get(part, b""))
        for entry in entries
        for part in ("given", "reference")
    )
    built = replace(
        parts.public,
        id=exercise,
        stamp=old.stamp if same and old.stamp else stamp(),
        shapes=_shapes(program, parts, lecture, evidence[1]),
        training=training,
        fixtures=tuple(entries),
        diagnosis=_save_text(files, f"fixtures/{path}/diagnosis.json", _json(known)),
        hints=_save_text(files, f"fixtures/{path}/hints.json", _json(story)),
        derived=_save_text(files, f"fixtures/{path}/derived.json", _json(begun)),
        notebook=fixtures.stated(notebook.encode()) if notebook else None,
        worked=_worked(parts, program.module.get("WORKED")),
    )
    files[f"fixtures/{path}/exercise.json"] = fixtures.seal(built).encode()
    files[f"exercises/{path}.py"] = stub.encode()
    if notebook:
        files[f"exercises/{path}.ipynb"] = notebook.encode()
    return files


def saved(
    program: Program,
    parts: Authored,
    name: str,
    settings: Mapping[str, Any],
    filename: str,
    old: Kept = draws.NONE,
) -> tuple[Env, Env, list[str]]:
    """`tensors`, with what output items are given and give, and the bounds of deep graphs, told in words."""
    given, reference = draws.tensors(program, parts.public, name, settings, old)
    told = []
    for item in parts.gradients:
        deviation, bound = _bound(program, parts, item, given, reference, is_probe(name))
        if bound:
            reference["bound." + item.name] = torch.tensor(bound, dtype=torch.float64)
            told.append(f"{item.name}: float32 is {deviation:.2g} from float64, so the bound is {bound:.2g}")
    if parts.outputs:
        solution = author_outputs.Solution(parts, filename)
        try:
            draw = author_outputs.Draw(program, settings, is_probe(name), old)
            more = author_outputs.saved(solution, parts, {**sizes(settings), **given}, draw)
        except AuthoredError as error:
            raise AuthoredError(f"{filename}, {error}") from None
        given, reference, told = {**given, **more[0]}, {**reference, **more[1]}, told + more[2]
    return given, near.references(reference, old.reference), told


def _bound(
    program: Program, parts: Authored, item: authored.Item, given: Env, reference: Env, probe: bool
) -> tuple[float, float]:
    """How far autograd's float32 is from its float64, and a bound if the rule is too narrow."""
    upstream = {k[1:]: v.double() for k, v in given.items() if parts.is_gradient(k)}
    doubled = {k: author_outputs.doubled(v) for k, v in given.items()}
    cut = parts.cut(item) if probe else frozenset[str]()
    try:
        with author_outputs.double():
            better, _ = program.pull(doubled, item.tensor, cut, upstream)
    except RuntimeError:  # the forward pass names float32 itself
        return 0.0, 0.0
    value, size = reference[item.name], float(reference["size." + item.name])
    deviation = float((value.double() - better).abs().max())
    largest = float(value.abs().max())
    if deviation > author_outputs.MOST * max(largest, size):
        raise AuthoredError(
            f"{item.name}: float32 and float64 are {deviation:.2g} apart, the gradient {largest:.2g} at "
            "most: draw another seed"
        )
    bound = author_outputs.MARGIN * deviation
    return deviation, bound if bound > RTOL * largest + ATOL * size else 0.0


def stamp() -> dict[str, str]:
    """What the saved bytes depend on."""
    return {
        "torch": torch.__version__.split("+")[0],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def _save(
    files: Files, path: str, name: str, settings: Mapping[str, Any], pair: tuple[Env, Env], old: Kept
) -> FixtureEntry:
    given, reference = pair
    mark = {"format": FORMAT, "fixture": name, **settings, **stamp()}
    saved = []
    for part, env in (("given", given), ("reference", reference)):
        once = {k: v for k, v in env.items() if part == "given" or not _same(v, given.get(k))}
        data = kept.file(draws.contiguous(once), mark, old.raw.get(part, b""))
        files[f"fixtures/{path}/{name}.{part}.safetensors.gz"] = fixtures.packed(data)
        saved.append(fixtures.stated(data))
    return FixtureEntry(name, dict(settings), *saved)


def _same(value: Any, other: Any) -> bool:
    return isinstance(other, torch.Tensor) and torch.equal(value, other)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _save_text(files: Files, path: str, text: str) -> Stated:
    data = text.encode()
    files[f"{path}.gz"] = fixtures.packed(data)
    return fixtures.stated(data)


def _shapes(
    program: Program, parts: Authored, lecture: Env, references: Mapping[str, Env]
) -> dict[str, tuple[int, ...]]:
    """By name the shape of each tensor and of its gradient; of an output that is no tensor a number's, ()."""
    shapes = {k: tuple(v.shape) for k, v in lecture.items() if isinstance(v, torch.Tensor)}
    if program.lines:
        _, upstream = program.gradients(draws.start(program, next(iter(program.fixtures.values()))))
        shapes |= {"d" + name: tuple(value.shape) for name, value in upstream.items()}
    for item in parts.outputs:
        result = next(iter(references.values()))[item.name]
        shapes[item.name] = tuple(result.shape) if isinstance(result, torch.Tensor) else ()
    return shapes


def _worked(parts: Authored, name: str | None) -> Worked | None:
    return next((Worked(i.name, i.source) for i in parts.items if i.name == name), None)


def _lint(parts: Authored, given: Env, filename: str) -> None:
    """An item's docstring states its task, and states it truly."""
    if not parts.gradients:
        return
    loss = parts.lines[-1].name
    code = {line.name: line.code for line in parts.lines}
    for item in parts.gradients:
        where = f"{filename}, line {item.line}: {item.name}"
        cut = parts.cut(item)
        targets = [*sorted(cut), *([loss] if uncovered(parts.lines, item.tensor, cut) else [])]
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
