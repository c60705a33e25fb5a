"""What a learner calls the forward pass's tensors and their gradients. Runs nothing of a submission."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from grader.core import parsing
from grader.core.course import SETUP, SIZE_NAMES, SIZES
from grader.core.exercise import Exercise
from grader.submissions.flat.compared import held_against
from grader.submissions.flat.statements import Code, Statement
from grader.submissions.flat.terms import Matcher, Term, names_of, term

AFTER = 40  # lines after a section's last statement where commented-out cmp(…) may stand
PREFIXES = ("d", "d_", "dL_d", "dL_", "dl_d", "dl_", "dLd", "dloss_d", "grad_")
COMMON = ("+", "*", "**", "@", "index")  # heads of terms that tell nothing by themselves


def called(
    code: Code, here: Sequence[int], tensors: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """By tensor: what the learner calls its gradient.

    d<tensor> if a `cmp` holds that against it; else what one does, unless that is d<another tensor>, a slip,
    and there is d<tensor>; else d<tensor>, or a usual spelling of either. here: the statements to look among.
    """
    statements = code.statements
    written = {w for i in here if not statements[i].placeholder for w in statements[i].effect.written}
    first = min((statements[i].node.lineno for i in here), default=1)  # a function's body may have moved
    last = max((statements[i].node.end_lineno or first for i in here), default=0)
    theirs = {ours: their for their, ours in renamed.items()}
    known = {t: t for t in tensors} | dict(renamed)
    tables: list[dict[str, str]] = [{}, {}, {}]  # by weight
    own = set()  # tensors whose d<tensor> is compared
    for one in code.compared:
        tensor, gradient = held_against(one, known)
        if tensor and first <= one.line <= last + AFTER:
            tables[one.weight][tensor] = gradient
            if one.weight and gradient == f"d{tensor}":
                own.add(tensor)
    inert, loose, active = tables
    called = {}
    for t in (t for t in tensors if t not in renamed):  # their emb may be our embcat
        if f"d{t}" in written and (t in own or active.get(t, "")[1:] in tensors):
            active.pop(t, None)  # what else is held against it is a slip, or an experiment
        spellings = [table.get(t, f"d{t}") for table in (active, {}, loose, inert)]
        for name in (t, theirs.get(t, t)):
            spellings += [prefix + name for prefix in PREFIXES]
        for spelling in spellings:
            if spelling in written:
                called[t] = spelling
                break
    return called


@dataclass(frozen=True)
class Forward:
    """A learner's forward pass.

    renamed: what it calls otherwise, theirs -> ours. other: by tensor of ours the statement that makes it
    otherwise than our line does, as far as the text tells. guesses: what an unknown name may be, by its
    place in a line.
    """

    renamed: dict[str, str]
    other: dict[str, int]
    guesses: dict[str, str]


def forward(statements: Sequence[Statement], exercise: Exercise, section: int | None) -> Forward:
    """What the learner's forward pass calls otherwise, and where it differs: by the form of its lines.

    ex4 has a forward pass of its own; all others share the first one. A name that isn't there before
    the pass has reached its end is none of its tensors.
    """
    own = range(len(statements))
    if section is not None:
        own = [i for i in own if (statements[i].section == 4) == (section == 4)]  # type: ignore[assignment]
    ends = [k for k, i in enumerate(own) if exercise.loss in statements[i].effect.strong]
    early_ = own[: ends[0] + 1] if ends else own
    early = {w for i in early_ for w in statements[i].effect.strong}
    late = {w for i in own for w in statements[i].effect.strong} - early
    lines = _ours(tuple((line.name, line.code) for line in exercise.lines))
    known = {*exercise.tensors, "n", "torch", "g", "Xtr", "logprobs", *SIZES, *SIZE_NAMES}
    made: dict[str, tuple[Term, int]] = {}
    for i in early_:
        for name, node in _assigned(statements[i].node):
            with suppress(RecursionError, OverflowError):
                made |= {name: (term(node), i)} if name[:1] != "d" else {}
    ours = {name: value for name, value in lines if name in exercise.tensors}
    sizes = exercise.lecture.sizes
    batch = frozenset(t for t in exercise.tensors if exercise.shapes.get(t, ())[:1] == (sizes.get("n"),))
    right: set[str] = set()  # names that mean what they do with us

    def free(theirs: str, one: str) -> bool:
        plain = theirs not in known and theirs not in late
        return plain and one in known and one not in right

    matcher = Matcher(ours, {n: value for n, (value, _) in made.items()}, free, batch, sizes)
    for _ in range(2):  # the loss tells what labels and logprobs are called
        for name, (value, _) in made.items():
            if name in matcher.table:
                continue
            mine = [one for one in lines if one[0] == name]
            for one, line in (*mine, *(x for x in lines if x[0] != name and x[0] not in made)):
                before = dict(matcher.table)
                if not matcher.match(value, line):
                    continue
                if line[0] in COMMON and len(matcher.table) - len(before) >= len(names_of(line)):
                    matcher.table.clear()  # nothing in it is known: any product would do
                    matcher.table.update(before)
                    continue
                if name == one:
                    right.add(name)
                elif ends or name not in known:  # a name of ours for another tensor only where all is seen
                    matcher.table.setdefault(name, one)
                break
    table = {their: one for their, one in matcher.table.items() if their != one}
    theirs = {one: their for their, one in table.items()}
    other: dict[str, int] = {}
    guesses: dict[str, str] = {}
    for one in ours:
        name = theirs.get(one, one)
        if name in made and name not in right and not matcher.match(made[name][0], ours[one]):
            value, other[one] = made[name]
            left = [n for n in names_of(value) if free(n, "n") and n not in table]
            missing = [
                n for n in names_of(ours[one]) if n not in made and n not in theirs and n in exercise.tensors
            ]
            guesses |= dict(zip(left, missing, strict=False))
    return Forward(table, other, guesses)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """What a statement assigns to single names: of `a, b = x, y` each."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        pairs = [(node.targets[0], node.value)]
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
        yield from ((t.id, value) for t, value in pairs if isinstance(t, ast.Name))


@lru_cache
def _ours(lines: tuple[tuple[str, str], ...]) -> list[tuple[str, Term]]:
    """The lines of a forward pass and of SETUP: what is assigned to which name."""
    parsed = [(name, parsing.module(code).body[0]) for name, code in lines]
    values = [(name, node.value) for name, node in parsed if isinstance(node, ast.Assign)]
    values += [(name, parsing.expression(code)) for name, code in SETUP]
    return [(name, term(value)) for name, value in values]


def prepare(exercise: Exercise) -> None:
    """Parse an exercise's lines, which is kept: to be called before processes are forked."""
    _ours(tuple((line.name, line.code) for line in exercise.lines))
