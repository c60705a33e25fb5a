"""An item's ladder of hints: concept, shapes, a small example with numbers, the formula.

Derived from the forward program by the table of operations; an author's HINTS go before. What a derived
formula says is evaluated on the example and held against autograd before it is written. Imports torch;
runs at build time. `grader hint` only reads what came of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from grader.authoring.authored import RUNGS, Authored, AuthoredError, Item
from grader.authoring.hints.example import Example, Search, figure, is_float, matrix, side_by_side, small
from grader.authoring.hints.notation import sizes_named, total, write
from grader.authoring.hints.operations import Path, paths
from grader.authoring.hints.outputs import ladders as output_ladders
from grader.authoring.hints.shapes import shapes
from grader.authoring.hints.site import NoRule, Scope
from grader.core.exercise import Line, sizes
from grader.reference.forward import Env
from grader.reference.program import Program

CLOSE = 1e-9


def story(parts: Authored, program: Program, given: Mapping[str, Env], filename: str) -> dict[str, Any]:
    """What hints.json holds: the items' ladders, and for every tensor what its lines do with it.

    given: by fixture, the lecture's first.
    """
    lecture = next(iter(given.values()))
    told = ladders(parts, program, lecture, filename)
    if parts.outputs:
        fixtures = program.fixtures
        smallest = min(fixtures, key=lambda f: sum(v for v in fixtures[f].values() if type(v) is int))
        told |= output_ladders(parts, {**sizes(fixtures[smallest]), **given[smallest]}, filename)
    return {"items": told, "lines": _lines(parts, program, lecture) if parts.lines else {}}


def _lines(parts: Authored, program: Program, lecture: Env) -> dict[str, dict[str, list[str]]]:
    """By tensor and consumer: the sentences on what comes back through that line. For `grader explain`."""
    env = small(program)
    if env is None:
        return {}
    scope = Scope({**program.module, **env}, {**program.module, **lecture, **_sizes_of(program)})
    out: dict[str, dict[str, list[str]]] = {}
    for tensor in (*parts.inputs, *(line.name for line in parts.lines)):
        for line in parts.lines:
            if tensor not in line.uses or not is_float(env[tensor]):
                continue
            try:
                found = paths(tensor, tuple(env[tensor].shape), line.name, line.code, scope, False)
            except NoRule:
                continue
            out.setdefault(tensor, {})[line.name] = [" ".join(path.say) for path in found]
    return out


def ladders(parts: Authored, program: Program, lecture: Env, filename: str) -> dict[str, Any]:
    """By item: its four rungs and the example's numbers. AuthoredError where the table has no rule."""
    return {item.name: _ladder(parts, program, lecture, item, filename) for item in parts.gradients}


def _ladder(parts: Authored, program: Program, lecture: Env, item: Item, filename: str) -> dict[str, Any]:
    authored = parts.hints.get(item.name, {})
    search = Search(parts, program, item)
    found, lines = search.example(), search.lines
    if found is None:
        raise AuthoredError(
            f"{filename}, line {item.line}: {item.name} has no small example: inputs() fails at 2 and 3"
        )
    direct = all(item.tensor in line.uses for line in lines)
    ways: dict[str, list[Path]] = {}
    if not {"concept", "formula"} <= authored.keys():
        try:
            ways = _ways(program, lecture, found, item.tensor, lines, search.cut)
        except NoRule as error:
            raise AuthoredError(
                f"{filename}, line {item.line}: {item.name}: no rule for {error} in "
                f"grader/authoring/hints/operations.py: add one, "
                f'or say HINTS = {{"{item.name}": {{"concept": "...", "formula": "..."}}}}'
            ) from None
    mine = ways.get(item.tensor, [])
    if direct and mine:
        _proved(item, mine, program, found, filename)
    rungs = {
        "concept": authored.get("concept") or _concept(parts, item, lines, mine, direct),
        "shapes": authored.get("shapes") or shapes(parts, lecture, item, mine, direct),
        "example": authored.get("example") or _example(item, found, mine if direct else [], program),
        "formula": authored.get("formula") or _formula(parts, item, ways, direct),
    }
    return {"rungs": {k: rungs[k] for k in RUNGS}, "example": _data(parts, item, found)}


def _ways(
    program: Program,
    lecture: Env,
    found: Example,
    tensor: str,
    lines: tuple[Line, ...],
    cut: frozenset[str],
) -> dict[str, list[Path]]:
    """By tensor: its paths through the lines that read it; the tensor's own, and of those in between."""
    scope = Scope(_scope(program, found), {**program.module, **lecture, **_sizes_of(program)})
    between = [line.name for line in lines if line.name not in cut and line.name != program.loss]
    out: dict[str, list[Path]] = {}
    for one in (tensor, *between):
        shape = tuple(found.env[one].shape)
        out[one] = [
            path
            for line in reversed(lines)  # as the gradients arrive
            if one in line.uses
            for path in paths(one, shape, line.name, line.code, scope, line.name == program.loss)
        ]
    return out


def _sizes_of(program: Program) -> dict[str, Any]:
    return dict(next(iter(program.fixtures.values())))


def _scope(program: Program, found: Example) -> dict[str, Any]:
    env = {k: v for k, v in program.module.items() if not k.startswith("__")}
    known = {k: v for k, v in found.env.items() if k in (*program.inputs, *(x.name for x in program.lines))}
    grads = {"d" + t: v for t, v in found.upstream.items()}
    functions = {
        "size": lambda tensor, axis, said: tensor.shape[axis],
        "hit": lambda holds: float(bool(holds)),
        "ln": math.log,
        "cos": math.cos,
        "sin": math.sin,
        "sign": lambda v: math.copysign(1.0, v) if v else 0.0,
        "Phi": lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))),
        "phi": lambda v: math.exp(-v * v / 2) / math.sqrt(2 * math.pi),
    }
    return {**env, **functions, **known, **grads}


def _numbers(path: Path, at: tuple[int, ...], program: Program, found: Example) -> list[list[float]]:
    scope = _scope(program, found)
    scope |= {k: Scope(scope, {}).value(v.code) for k, v in path.term.named.items()}
    return path.term.summands(at, scope)


def _proved(item: Item, mine: list[Path], program: Program, found: Example, filename: str) -> None:
    """The formula gives autograd's numbers on the example, element by element."""
    for at in _indices(found.result):
        got = sum(math.prod(f) for path in mine for f in _numbers(path, at, program, found))
        if not math.isclose(got, float(found.result[at]), rel_tol=1e-6, abs_tol=CLOSE):
            raise AuthoredError(
                f"{filename}, line {item.line}: {item.name}: the formula that "
                f"grader/authoring/hints/operations.py derives gives {got:.6g} where autograd has "
                f"{float(found.result[at]):.6g}; HINTS can state another"
            )


def _indices(tensor: torch.Tensor) -> list[tuple[int, ...]]:
    return [tuple(int(v) for v in row) for row in (torch.ones_like(tensor)).nonzero()]


# --- concept ----------------------------------------------------------------------------------------


def _concept(parts: Authored, item: Item, lines: tuple[Line, ...], mine: list[Path], direct: bool) -> str:
    if not direct:
        names = ", ".join("d" + line.name for line in reversed(lines) if line.name not in parts.cut(item))
        return (
            f"Between {item.tensor} and what arrives stand {len(lines)} forward lines. Go backwards "
            f"through them one at a time ({names}, then {item.name}), and only then put the steps "
            f"together and simplify. Where "
            "a tensor is read by several lines, the gradients that come back through them add up."
        )
    consumers = list(dict.fromkeys(path.term.consumer for path in mine))
    code = {line.name: line.code.strip() for line in lines}
    if len(mine) == 1:
        return f"{item.tensor} is read by one line:\n    {code[consumers[0]]}\n{_said(mine[0])}"
    if len(consumers) == 1:
        ways = "\n".join(f"{n}. {_said(path)}" for n, path in enumerate(mine, 1))
        return (
            f"{item.tensor} stands {len(mine)} times in one line:\n    {code[consumers[0]]}\nEach "
            f"occurrence is a way to the loss of its own, as if it were another tensor; the gradients "
            f"that come back add up.\n{ways}"
        )
    ways = "\n".join(f"- {code[path.term.consumer]}\n  {_said(path)}" for path in mine)
    return (
        f"{item.tensor} is read by {len(consumers)} lines. A small change of it reaches the loss along each "
        f"of them, so the gradients that come back through each add up. Work them out one by one:\n{ways}"
    )


def _said(path: Path) -> str:
    text = " ".join(path.say) or "It is handed on as it is."
    if path.term.factors and not path.term.through_loss and "MatMult" not in path.kinds:
        text += f" By the chain rule, the local gradient multiplies what arrives, d{path.term.consumer}."
    return text


# --- example ----------------------------------------------------------------------------------------


def _example(item: Item, found: Example, mine: list[Path], program: Program) -> str:
    named = {k: v for k, v in found.sizes.items() if k in item.params}
    shown = found.shown or (() if found.upstream else (item.tensor,))
    blocks = [matrix(t, found.env[t].tolist()) for t in shown]
    blocks += [matrix("d" + t, v.tolist()) for t, v in found.upstream.items()]
    blocks += [matrix(s, v.tolist()) for s, v in found.siblings.items()]
    blocks += [
        matrix(k, Scope(_scope(program, found), {}).value(v.code).tolist())
        for path in mine
        for k, v in path.term.named.items()
    ]
    lead = "With numbers" + (f", {', '.join(f'{k} = {v}' for k, v in named.items())}" if named else "") + ":"
    text = f"{lead}\n\n{_indent(side_by_side(blocks))}\n\ngives\n\n"
    text += _indent("\n".join(matrix(item.name, found.result.tolist())))
    told = dict.fromkeys(v.text + "." for path in mine for v in path.term.named.values())
    if told:
        text += "\n\n" + "\n".join(told)
    if mine and (one := _one_element(item, found, mine, program)):
        text += f"\n\n{one}"
    return text + f"\n\n{_caveat(found)}"


def _caveat(found: Example) -> str:
    values = [*(found.env[t] for t in found.shown), *found.upstream.values(), found.result]
    rounded = any(figure(float(v)).startswith("≈") for t in values for v in t.reshape(-1))
    text = "The numbers are made up to be easy; they come from no real forward pass."
    return text + (" ≈ marks what is rounded." if rounded else "")


def _one_element(item: Item, found: Example, mine: list[Path], program: Program) -> str:
    """The arithmetic of the element that has the most to show."""
    scope = _scope(program, found)
    for path in mine:
        scope |= {k: Scope(scope, {}).value(v.code) for k, v in path.term.named.items()}
    best: tuple[Any, ...] = ()
    for at in _indices(found.result):
        summands = [one for path in mine for one in path.term.summands(at, scope)]
        value = float(found.result[at])
        rank = (
            len(summands),
            not any(0 in one for one in summands),
            value != 0,
            not float(value).is_integer() or abs(value) < 13,
        )
        if not best or rank > best[0]:
            best = rank, at, [(p.term.sign, t) for p in mine for t in p.term.in_numbers(at, scope, figure)]
    _, at, summands = best
    element = f"{item.name}[{','.join(map(str, at))}]" if at else item.name
    text = ""
    for sign, product in summands:
        if product.startswith("-") and (text or sign < 0):
            head, space, rest = product.partition(" ")
            product = f"({head}){space}{rest}"
        if not text and sign < 0 and " · " in product:
            product = f"({product})"
        text += (" - " if sign < 0 else " + ") + product if text else ("-" if sign < 0 else "") + product
    result = figure(float(found.result[at]))
    if text == result and " " not in text and "/" not in text:  # nothing was calculated
        return ""
    end = "" if text == result else f" ≈ {result[1:]}" if result.startswith("≈") else f" = {result}"
    return f"One element in full: {element} = {text}{end}"


def _indent(text: str) -> str:
    return "\n".join(("    " + line).rstrip() for line in text.splitlines())


# --- formula ----------------------------------------------------------------------------------------


def _formula(parts: Authored, item: Item, ways: Mapping[str, list[Path]], direct: bool) -> str:
    if direct:
        return _stated(ways[item.tensor])
    order = [line.name for line in reversed(parts.lines) if line.name in ways] + [item.tensor]
    order = list(dict.fromkeys([*(t for t in order if t != item.tensor), item.tensor]))
    steps = "\n".join("    " + total(tuple(p.term for p in ways[t])) for t in order)
    return f"Step by step, backwards:\n\n{steps}\n\nPut them into one another and simplify."


def _stated(mine: list[Path]) -> str:
    terms = tuple(path.term for path in mine)
    text = f"    {total(terms)}"
    notes = [named.text + "." for term in terms for named in term.named.values()]
    notes += [note for term in terms for note in sizes_named(term)]
    if any(t.where and not t.sums for t in terms) or any(
        sign in f for t in terms for f in map(write, t.factors) for sign in "=>"
    ):
        notes.append("[…] is 1 where it holds, else 0.")
    return "\n\n".join([text, *(["\n".join(dict.fromkeys(notes))] if notes else [])])


# --- the numbers, for whoever checks them ------------------------------------------------------------


def _data(parts: Authored, item: Item, found: Example) -> dict[str, Any]:
    keep = dict.fromkeys((*found.reads, *found.shown))
    values = {k: found.env[k] for k in keep}
    return {
        "sizes": dict(found.sizes),
        "values": {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in values.items()},
        "shown": list(found.shown),
        "upstream": {k: v.tolist() for k, v in found.upstream.items()},
        "result": found.result.tolist(),
    }
