"""What a learner calls the forward pass's tensors and their gradients. Runs nothing of a submission."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from grader.core.course import SETUP, SIZE_NAMES, SIZES
from grader.core.exercise import Exercise
from grader.submissions.flat import reads_writes
from grader.submissions.flat.statements import Code, Statement

COMPARED = re.compile(
    r"\bcmp\([^,()]*,\s*([A-Za-z_]\w*)(?:\.(?:T|mT|data)\b|\.\w+\([^()]*\))*\s*,\s*([A-Za-z_]\w*)"
)
ARGUMENTS = 4  # lines that a call may go on for
AFTER = 40  # lines after a section's last statement where commented-out cmp(…) may stand
PREFIXES = ("d", "d_", "dL_d", "dL_", "dl_d", "dl_", "dLd", "dloss_d", "grad_")

Form = tuple[type, str]


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
    active: dict[str, str] = {}
    own = set()  # tensors whose d<tensor> is compared
    inert: dict[str, str] = {}
    lines = code.lines[first - 1 : last + AFTER]
    for at, line in enumerate(lines):
        if "cmp" not in line:
            continue
        if line.count("(") > line.count(")"):  # its arguments stand on lines of their own
            line = " ".join((line, *map(str.strip, lines[at + 1 : at + 1 + ARGUMENTS])))
        comment = line.find("#") % (len(line) + 1)  # its end where there is none
        for match in COMPARED.finditer(line):
            table, tensor = inert if comment < match.start() else active, renamed.get(match[2], match[2])
            table[tensor] = match[1]
            if table is active and match[1] == f"d{tensor}":
                own.add(tensor)
    called = {}
    for t in tensors:
        if f"d{t}" in written and (t in own or active.get(t, "")[1:] in tensors):
            active.pop(t, None)  # what else is held against it is a slip, or an experiment
        spellings = [active.get(t, f"d{t}"), f"d{t}", inert.get(t, f"d{t}")]
        for name in (t, theirs.get(t, t)):
            spellings += [prefix + name for prefix in PREFIXES]
        for spelling in spellings:
            if spelling in written:
                called[t] = spelling
                break
    return called


def renamed(statements: Sequence[Statement], exercise: Exercise, section: int | None) -> dict[str, str]:
    """What the learner's forward pass calls otherwise, theirs -> ours: by the form of its lines.

    ex4 has a forward pass of its own; all others share the first one. A name that isn't there before
    the pass has reached its end is none of its tensors.
    """
    if section is not None:
        statements = [s for s in statements if (s.section == 4) == (section == 4)]
    loss = exercise.loss
    end = next((i + 1 for i, s in enumerate(statements) if loss in s.effect.strong), len(statements))
    early = {w for s in statements[:end] for w in s.effect.strong}
    late = {w for s in statements[end:] for w in s.effect.strong} - early
    lines = _ours(tuple((line.name, line.code) for line in exercise.lines))
    known = {*exercise.tensors, "n", "torch", "g", "Xtr", "logprobs", *SIZES, *SIZE_NAMES, *late}
    found: dict[str, str] = {}
    for s in statements:
        if not isinstance(s.node, ast.Assign) or len(s.node.targets) != 1:
            continue
        target = s.node.targets[0]
        if not isinstance(target, ast.Name) or target.id[:1] == "d":
            continue
        for ours, value in lines.get(_form(s.node.value), ()):
            table = dict(found)
            if unify(s.node.value, value, table, known) and (
                target.id == ours or target.id not in known or target.id in late
            ):
                if len(table) - len(found) >= _count(value):
                    continue  # nothing in it is known: any product would do
                found = table
                if target.id != ours and target.id not in late:
                    found.setdefault(target.id, ours)
                break
    return found


@lru_cache
def _ours(lines: tuple[tuple[str, str], ...]) -> dict[Form, list[tuple[str, ast.expr]]]:
    """The lines of a forward pass and of SETUP, what is assigned to which name, by their form."""
    found: dict[Form, list[tuple[str, ast.expr]]] = {}
    parsed = [(name, ast.parse(code).body[0]) for name, code in lines]
    values = [(name, node.value) for name, node in parsed if isinstance(node, ast.Assign)]
    for name, value in [*values, *((name, ast.parse(code, mode="eval").body) for name, code in SETUP)]:
        found.setdefault(_form(value), []).append((name, value))
    return found


def prepare(exercise: Exercise) -> None:
    """Parse an exercise's lines, which is kept: to be called before processes are forked."""
    _ours(tuple((line.name, line.code) for line in exercise.lines))


def _form(node: ast.expr) -> Form:
    """What two expressions that are alike but for their names have in common: their outermost operation."""
    plain = _operator(node)
    if isinstance(plain, ast.BinOp):
        return type(plain), type(plain.op).__name__
    if isinstance(plain, ast.Call) and isinstance(plain.func, ast.Attribute):
        return type(plain), plain.func.attr
    return type(plain), ""


def _operator(node: ast.AST) -> ast.AST:
    """x @ y for x.matmul(y) and torch.matmul(x, y)."""
    func = node.func if isinstance(node, ast.Call) and not node.keywords else None
    if isinstance(node, ast.Call) and isinstance(func, ast.Attribute) and func.attr in ("matmul", "mm"):
        both = [*([] if ast.unparse(func.value) == "torch" else [func.value]), *node.args]
        if len(both) == 2:
            return ast.BinOp(both[0], ast.MatMult(), both[1])
    return node


def _count(node: ast.AST) -> int:
    return sum(isinstance(child, ast.Name) for child in reads_writes.walk(node))


def unify(theirs: ast.AST, ours: ast.AST, table: dict[str, str], known: Collection[str]) -> bool:
    """Whether two expressions are the same but for the names in `table` (theirs -> ours), which grows.

    known: names that mean the same on both sides.
    """
    if isinstance(theirs, ast.Name) and isinstance(ours, ast.Name):
        name = table.get(theirs.id, theirs.id)
        if name == ours.id:
            return True
        if theirs.id in known or theirs.id in table or ours.id in table.values() or ours.id not in known:
            return False
        table[theirs.id] = ours.id
        return True
    theirs = _operator(theirs)
    if type(theirs) is not type(ours):
        return False
    if isinstance(theirs, ast.BinOp) and isinstance(ours, ast.BinOp) and type(ours.op) in (ast.Add, ast.Mult):
        return type(theirs.op) is type(ours.op) and _either_way(theirs, ours, table, known)
    for field in theirs._fields:
        if field == "ctx":
            continue
        a, b = getattr(theirs, field, None), getattr(ours, field, None)
        if isinstance(a, ast.AST) and isinstance(b, ast.AST):
            if not unify(a, b, table, known):
                return False
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            for x, y in zip(a, b, strict=True):
                if isinstance(x, ast.AST) and isinstance(y, ast.AST):
                    if not unify(x, y, table, known):
                        return False
                elif x != y:
                    return False
        elif a != b and {a, b} != {"keepdim", "keepdims"}:
            return False
    return True


def _either_way(theirs: ast.BinOp, ours: ast.BinOp, table: dict[str, str], known: Collection[str]) -> bool:
    for a, b in ((theirs.left, theirs.right), (theirs.right, theirs.left)):
        trial = dict(table)
        if unify(a, ours.left, trial, known) and unify(b, ours.right, trial, known):
            table.update(trial)
            return True
    return False
