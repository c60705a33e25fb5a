"""An item's ladder of hints: concept, shapes, a small example with numbers, the formula.

Derived from the forward program by the table of operations; an author's HINTS go before. What a derived
formula says is evaluated on the example and held against autograd before it is written. Imports torch;
runs at build time. `grader hint` only reads what came of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from grader.authoring.authored import RUNGS, Authored, AuthoredError, Item
from grader.authoring.hints.example import Search, small
from grader.authoring.hints.figures import figure, is_exact, matrix, side_by_side
from grader.authoring.hints.notation import Term, sizes_named, total, write
from grader.authoring.hints.operations import Path, paths
from grader.authoring.hints.outputs import ladders as output_ladders
from grader.authoring.hints.shapes import shapes
from grader.authoring.hints.site import NoRule, Scope
from grader.core.exercise import sizes
from grader.reference.forward import Env, is_float
from grader.reference.program import Program

CLOSE = 1e-9
MANY = 100  # elements of which a formula is tried on each; numbers that an example shows


def story(parts: Authored, program: Program, given: Mapping[str, Env], filename: str) -> dict[str, Any]:
    """What hints.json holds: the items' ladders, and for every tensor what its lines do with it.

    given: by fixture, the lecture's first.
    """
    lecture = next(iter(given.values()))
    told = ladders(parts, program, [*given.values()], filename)
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
    usual = sizes(next(iter(program.fixtures.values())))
    scope = Scope({**program.module, **env}, {**program.module, **lecture, **usual})
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


def ladders(parts: Authored, program: Program, runs: Sequence[Env], filename: str) -> dict[str, Any]:
    """By item: its four rungs and the example's numbers. AuthoredError where the table has no rule.

    runs: of the fixtures.
    """
    return {item.name: _Ladder(parts, program, runs, item, filename).told() for item in parts.gradients}


class _Ladder:
    """One item's ladder. found: its small example; scope: the values there, with what formulas call.

    ways: by tensor its paths through the lines that read it, the item's own and those of tensors in between;
    mine: the item's own. direct: every line on the way reads the item's tensor itself.
    """

    def __init__(
        self, parts: Authored, program: Program, runs: Sequence[Env], item: Item, filename: str
    ) -> None:
        self.parts, self.program, self.lecture, self.item = parts, program, runs[0], item
        fixtures = zip(program.fixtures.values(), runs, strict=True)
        self.runs = [{**program.module, **sizes(own), **run} for own, run in fixtures]
        self.where = f"{filename}, line {item.line}: {item.name}"
        search = Search(parts, program, item)
        found = search.example()
        if found is None:
            raise AuthoredError(f"{self.where} has no small example: inputs() fails at 2 and 3")
        self.found, self.lines, self.cut = found, search.lines, search.cut
        self.direct = all(item.tensor in line.uses for line in self.lines)
        module = {k: v for k, v in program.module.items() if not k.startswith("__")}
        names = {*program.inputs, *(line.name for line in program.lines)}
        known = {k: v for k, v in found.env.items() if k in names}
        asked = {k: v for k, v in found.sizes.items() if k in item.params}  # of several names the learner's
        self.scope = {**asked, **module, **known, **{"d" + t: v for t, v in found.upstream.items()}}
        self.ways: dict[str, list[Path]] = {}
        self.authored = parts.hints.get(item.name, {})
        if not {"concept", "formula"} <= self.authored.keys():
            try:
                self.ways = self._ways()
            except NoRule as error:
                raise AuthoredError(
                    f"{self.where}: no rule for {error} in "
                    f"grader/authoring/hints/operations.py: add one, "
                    f'or say HINTS = {{"{item.name}": {{"concept": "...", "formula": "..."}}}}'
                ) from None
        self.mine = self.ways.get(item.tensor, [])

    def told(self) -> dict[str, Any]:
        if self.direct and self.mine:
            self._prove()
        rungs = {
            "concept": self._concept,
            "shapes": lambda: shapes(self.parts, self.lecture, self.item, self.mine, self.direct),
            "example": self._example,
            "formula": self._formula,
        }
        return {
            "rungs": {k: self.authored.get(k) or rungs[k]() for k in RUNGS},
            "example": self._data(),
        }

    def _ways(self) -> dict[str, list[Path]]:
        program, env = self.program, self.found.env
        scope = Scope(self.scope, *self.runs)
        between = [x.name for x in self.lines if x.name not in self.cut and x.name != program.loss]
        return {
            one: [
                path
                for line in reversed(self.lines)  # as the gradients arrive
                if one in line.uses
                for path in paths(
                    one, tuple(env[one].shape), line.name, line.code, scope, line.name == program.loss
                )
            ]
            for one in (self.item.tensor, *between)
        }

    def _values(self, path: Path) -> dict[str, Any]:
        """The scope, with the names that a path's formula introduces."""
        scope = Scope(self.scope)
        return self.scope | {k: scope.value(v.code) for k, v in path.term.named.items()}

    def _prove(self) -> None:
        """The formula gives autograd's numbers on the example, element by element."""
        result = self.found.result
        for at in _some(result):
            got = sum(math.prod(f) for p in self.mine for f in p.term.summands(at, self._values(p)))
            if not math.isclose(got, float(result[at]), rel_tol=1e-6, abs_tol=CLOSE):
                raise AuthoredError(
                    f"{self.where}: the formula that "
                    f"grader/authoring/hints/operations.py derives gives {got:.6g} where autograd has "
                    f"{float(result[at]):.6g}; HINTS can state another"
                )

    def _concept(self) -> str:
        item, lines, mine = self.item, self.lines, self.mine
        if not self.direct:
            names = ", ".join("d" + line.name for line in reversed(lines) if line.name not in self.cut)
            said = (
                f"Between {item.tensor} and what arrives stand {len(lines)} forward lines. Go backwards "
                f"through them one at a time ({names}, then {item.name}), and only then put the steps "
                f"together and simplify."
            )
            forks = any(len(found) > 1 for found in self.ways.values())
            return said + " Where a tensor is read several times, the gradients of all uses add up." * forks
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
            f"{item.tensor} is read by {len(consumers)} lines. A small change of it reaches the loss along "
            f"each of them, so the gradients that come back through each add up. Work them out one by "
            f"one:\n{ways}"
        )

    def _example(self) -> str:
        item, found, mine = self.item, self.found, self.mine if self.direct else []
        shown = found.shown or (() if found.upstream else (item.tensor,))
        named = [(k, self._values(path)[k]) for path in mine for k in path.term.named]
        upstream = [("d" + t, v) for t, v in found.upstream.items()]
        tensors = [*((t, found.env[t]) for t in shown), *upstream, *found.siblings.items(), *named]
        sizes = ", ".join(f"{k} = {v}" for k, v in found.sizes.items() if k in item.params)
        given = _indent(side_by_side([matrix(name, value.tolist()) for name, value in tensors]))
        gives = _indent("\n".join(matrix(item.name, found.result.tolist())))
        told = dict.fromkeys(v.text + "." for path in mine for v in path.term.named.values())
        one = self._one_element() if mine else ""
        parts = [f"With numbers{', ' * bool(sizes)}{sizes}:", given, "gives", gives, "\n".join(told), one]
        values = [*(found.env[t] for t in found.shown), *found.upstream.values(), found.result]
        if any(t.numel() > MANY for t in values):
            said = "The network can't be made so small that its numbers could stand here."
            return "\n\n".join([said, *filter(None, [*told, one])])
        rounded = any(not is_exact(float(v)) for t in values for v in t.reshape(-1))
        caveat = "The numbers are made up to be easy; they come from no real forward pass."
        return "\n\n".join([*filter(None, parts), caveat + " ≈ marks what is rounded." * rounded])

    def _one_element(self) -> str:
        """The arithmetic of the element that has the most to show."""
        item, found, mine = self.item, self.found, self.mine
        scope: dict[str, Any] = {}
        for path in mine:
            scope |= self._values(path)
        best: tuple[Any, ...] = ()
        for at in _some(found.result):
            summands = [one for path in mine for one in path.term.summands(at, scope)]
            value = float(found.result[at])
            rank = (
                len(summands),
                not any(0 in one for one in summands),
                -sum(abs(f) == 1 for one in summands for f in one[1:]),
                value != 0,
                not value.is_integer() or abs(value) < 13,
            )
            if not best or rank > best[0]:
                best = rank, at
        _, at = best
        element = f"{item.name}[{','.join(map(str, at))}]" if at else item.name
        text = ""
        for sign, product in ((p.term.sign, t) for p in mine for t in p.term.in_numbers(at, scope, figure)):
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

    def _formula(self) -> str:
        tensor = self.item.tensor
        if self.direct:
            return _stated([path.term for path in self.ways[tensor]])
        between = [line.name for line in reversed(self.parts.lines) if line.name in self.ways]
        order = [*(name for name in between if name != tensor), tensor]
        steps = "\n".join("    " + total(tuple(p.term for p in self.ways[t])) for t in order)
        notes = dict.fromkeys(note for t in order for note in sizes_named([p.term for p in self.ways[t]]))
        said = [
            "Step by step, backwards:",
            steps,
            "\n".join(notes),
            "Put them into one another and simplify.",
        ]
        return "\n\n".join(filter(None, said))

    def _data(self) -> dict[str, Any]:
        """The numbers, for whoever checks them."""
        found = self.found
        values = {k: found.env[k] for k in (*found.reads, *found.shown)}
        return {
            "sizes": dict(found.sizes),
            "values": {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in values.items()},
            "shown": list(found.shown),
            "upstream": {k: v.tolist() for k, v in found.upstream.items()},
            "result": found.result.tolist(),
        }


def _some(tensor: torch.Tensor) -> list[tuple[int, ...]]:
    """The elements that are looked at: all, or of many some from all over."""
    every = [tuple(at) for at in torch.ones_like(tensor).nonzero().tolist()]
    return every[:: 1 + len(every) // MANY]


def _said(path: Path) -> str:
    text = " ".join(path.say) or "It is handed on as it is."
    if path.term.factors and not path.term.through_loss and "MatMult" not in path.kinds:
        text += f" By the chain rule, the local gradient multiplies what arrives, d{path.term.consumer}."
    return text


def _indent(text: str) -> str:
    return "\n".join(("    " + line).rstrip() for line in text.splitlines())


def _stated(terms: Sequence[Term]) -> str:
    notes = [named.text + "." for term in terms for named in term.named.values()]
    notes += sizes_named(terms)
    factors = [write(f) for t in terms for f in t.factors]
    if any(t.within(False) for t in terms) or any(sign in f for f in factors for sign in "=>"):
        notes.append("[…] is 1 where it holds, else 0.")
    return "\n\n".join(filter(None, [f"    {total(tuple(terms))}", "\n".join(dict.fromkeys(notes))]))
