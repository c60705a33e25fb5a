"""What the fixtures carry for diagnosis: fingerprints of wrong answers, made when they are built.

Imports torch; trusted side. Each mutant of an item's body is run on the lecture fixture and a probe.
What it says, the shape and the fingerprint of its value are kept: no source of a solution, nor of a
mutant.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from grader.authoring.authored import Authored, Item
from grader.authoring.slips.mutants import Mutant, alike_tensors, mutants, too_far
from grader.authoring.slips.sentences import lacks, say, uses
from grader.authoring.slips.table import KNOWN, SLIPS
from grader.core.calling import BadRequest, resolve
from grader.core.exercise import ALT
from grader.diagnosis.diagnose import FIXTURES, fingerprint
from grader.diagnosis.relations import CLOSE
from grader.reference.forward import Env, is_float
from grader.reference.program import Program


def known(
    parts: Authored,
    program: Program,
    given: Mapping[str, Env],
    references: Mapping[str, Env],
    sizes: Mapping[str, Env],
    written: str = "",
) -> dict[str, Any]:
    """By item: its mistakes and branches, see `diagnose.Known`. given, references: by fixture.

    written: the text of solutions/mistakes/<exercise>.py: wrong bodies that no single change makes, each
    with its diagnosis as docstring.
    """
    shapes = {k: list(v.shape) for k, v in given[FIXTURES[0]].items() if isinstance(v, torch.Tensor)}
    out: dict[str, Any] = {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a slip does, .T of three axes say
        lines = {line.name: line.code for line in parts.lines}
        for item in parts.gradients:
            tensors = [*parts.inputs, *(line.name for line in parts.lines), *parts.available(item)]
            found = mutants(item, alike_tensors(item, tensors, shapes), parts.program)
            found += too_far(item, lines.get(item.tensor, "")) + _written(written, item)
            found.sort(key=lambda m: SLIPS[m.kind].rank)
            kept: list[dict[str, Any]] = []
            for m in found:
                mistake = _mistake(parts, item, m, given, references, sizes)
                if mistake and not any(_covers(other, mistake) and _equal(mistake, other) for other in kept):
                    kept.append(mistake)
            out[item.name] = {"mistakes": kept}
    for item in parts.gradients:
        out[item.name]["branches"] = _branches(parts, program, item, given)
    return out


def _written(text: str, item: Item) -> list[Mutant]:
    """The wrong bodies that are written down for an item."""
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == item.name]
    return [Mutant(item.name, KNOWN, "", ast.get_docstring(n) or "", ast.unparse(n)) for n in nodes]


def _mistake(
    parts: Authored,
    item: Item,
    m: Mutant,
    given: Mapping[str, Env],
    references: Mapping[str, Env],
    sizes: Mapping[str, Env],
) -> dict[str, Any] | None:
    """A mutant's value on each fixture; None where it has none, or the right one on all."""
    on: dict[str, Any] = {}
    whole = list(references[FIXTURES[0]][item.name].shape)
    siblings = parts.public.item(item.name).siblings
    asks = any(k in m.source.split("):")[0] for k in siblings)
    function = _function(parts, item, m)
    right = 0
    for fixture in FIXTURES:
        own = references[fixture]
        reference = own[ALT + item.name if asks and ALT + item.name in own else item.name]
        value = _value(parts, item, function, {**sizes[fixture], **given[fixture]})
        if value is None:  # a slip may stop with an error at some sizes
            if fixture == FIXTURES[0]:
                return None
            continue
        scale = float(reference.abs().max())
        right += value.shape == reference.shape and float((value - reference).abs().max()) <= CLOSE * scale
        on[fixture] = {"shape": list(value.shape), "prints": _rounded(fingerprint(value.double().numpy()))}
    if right == len(on) or len(on) < 2:
        return None
    if m.kind == "sum dropped" and on[FIXTURES[0]]["shape"] == whole:
        m = replace(m, kind="inner sum dropped")
    told = {"say": say(m), "on": on}
    return told | {key: names for key, names in (("uses", uses(m)), ("lacks", lacks(m))) if names}


def _function(parts: Authored, item: Item, m: Mutant) -> Any:
    names: dict[str, Any] = {}
    exec(f"{parts.imports}\n\n{m.source}", names)
    return names[item.name]


def _value(parts: Authored, item: Item, function: Any, env: Env) -> torch.Tensor | None:
    asked = parts.public.item(item.name)
    try:
        call = resolve(function, asked, env, parts.public)
        asks = any(k in asked.siblings for k in call.injected)  # then it gets the other draw
        source = {k: env.get(ALT + k, env[k]) if asks else env[k] for k in call.injected}
        value = call({k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in source.items()})
    except (BadRequest, RuntimeError, TypeError, ValueError, IndexError, ZeroDivisionError, AttributeError):
        return None
    if not is_float(value) or not value.isfinite().all():
        return None
    return value if value.numel() <= 1 << 16 else None


def _covers(first: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether whoever could have made the other could have made the first: it claims to use no more."""
    return set(first.get("uses", ())) <= set(other.get("uses", ())) and not first.get("lacks")


def _equal(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two mistakes give the same values."""

    def same(x: Mapping[str, Any], y: Mapping[str, Any]) -> bool:
        far = 1e-6 * max(map(abs, (*x["prints"], *y["prints"])))
        near = all(abs(p - q) <= far for p, q in zip(x["prints"], y["prints"], strict=True))
        return bool(x["shape"] == y["shape"]) and near

    return a["on"].keys() == b["on"].keys() and all(same(x, b["on"][f]) for f, x in a["on"].items())


def _branches(parts: Authored, program: Program, item: Item, given: Mapping[str, Env]) -> dict[str, Any]:
    """What comes back through each tensor of the cut alone, where there are several."""
    cut = parts.cut(item)
    if len(cut) < 2:
        return {}
    out: dict[str, Any] = {}
    for tensor in sorted(cut):
        out[tensor] = {}
        for fixture in FIXTURES:
            env = given[fixture]
            upstream = {t: env["d" + t] if t == tensor else torch.zeros_like(env["d" + t]) for t in cut}
            value = program.vjp(env, item.tensor, cut, upstream)
            out[tensor][fixture] = _rounded(fingerprint(value.double().numpy()))
    return out


def _rounded(prints: list[float]) -> list[float]:
    return [float(f"{p:.7g}") for p in prints]
