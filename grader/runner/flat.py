"""Flat code, as in a notebook: for each gradient a function, cut out of the statements that make it.

The learner's statements are sorted by what they read and write. The last one that writes `dprobs`,
and those before it that it depends on, become the body of a function dprobs(...): its parameters are
the forward tensors and the upstream gradients that they read, which the grader passes in as it does
for a stub. So each item is judged on its own, scratch cells cost nothing, and a data set that isn't
here isn't missed. Untrusted side; runs nothing of a submission.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.runner import names

CELL = re.compile(r"# (?:%%|In\[[\d ]*\]:?)")
OF_NOTEBOOK = re.compile(r"# %% cell \d+$")  # as submissions/flat.py writes it; others may stand in strings
TITLE = re.compile(r"[\s#*_>-]*#[\s#*_>-]*exercise\s*#?\s*(\d)", re.IGNORECASE)
COMPARED = re.compile(r"\bcmp\(\s*[^,()]*,\s*([A-Za-z_]\w*)[^,]*,\s*([A-Za-z_]\w*)")
PADDED = 3000  # lines
RENAME = re.compile(r"^# grader: rename (\w+) = (\w+)$", re.MULTILINE)  # what a [rename] table says
AFTER = 40  # lines after a section's last statement where commented-out cmp(…) may stand
PREFIXES = ("d", "d_", "dL_d", "dL_", "dl_d", "dl_", "dLd", "dloss_d", "grad_")
SETUP = (  # the lecture's lines that tell what its sizes and labels are called
    ("C", "torch.randn((vocab_size, n_embd), generator=g)"),
    ("ix", "torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)"),
    ("W1", "torch.randn((n_embd * block_size, n_hidden), generator=g) * (5/3)/((n_embd * block_size)**0.5)"),
    ("b1", "torch.randn(n_hidden, generator=g) * 0.1"),
    ("loss", "-logprobs[range(n), Yb].mean()"),
)
SIZE_NAMES = ("block_size", "vocab_size", "n_embd", "n_hidden")
SIZES = {"batch_size": "n"}  # what lectures call the sizes that fixtures have under another name


@dataclass
class Statement:
    """One top-level statement and its effect; those of `with` blocks and training loops stand singly."""

    node: ast.stmt
    effect: names.Effect
    section: int = 1


@dataclass
class Flat:
    """The functions that were cut out, as one tree; what was not found and what is refused, in words."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imports: list[ast.stmt] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)  # lines of `dprobs = None`, where nothing else is
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    broken: list[tuple[str, int]] = field(default_factory=list)  # cells that don't parse
    whole: ast.FunctionDef | None = None  # all gradients of the parameters at once, for training
    afterwards: dict[str, str] = field(default_factory=dict)  # and which statement that was
    changed: dict[str, ast.FunctionDef] = field(default_factory=dict)  # what later statements made of some


def read(text: str, exercise: Mapping[str, Any], section: int | None) -> Flat:
    """Take flat code apart for one exercise's items.

    section: the lecture's number of the exercise where the file holds several; None: the whole file.
    """
    flat = Flat()
    statements = _statements(text, flat)
    if section is not None:
        _sections(statements, text, exercise["tensors"])
    else:
        for s in statements:
            s.section = 0
    here = [i for i, s in enumerate(statements) if s.section == (section or 0)]
    tensors = exercise["tensors"]
    told = dict(RENAME.findall(text))
    renamed = _renamed(statements, exercise, section) | told
    called = _called(statements, here, tensors, renamed, text)
    called |= {ours[1:]: theirs for theirs, ours in told.items() if ours[0] == "d" and ours[1:] in tensors}
    slicer = _Slicer(statements, here, called, renamed, exercise)
    for item in exercise["items"]:
        slicer.cut(item, flat)
    if exercise["training"] and all(t in called for t in exercise["training"]["parameters"]):
        slicer.cut_whole(exercise["training"]["parameters"], flat)
    flat.imports = [statements[i].node for i in sorted(slicer.imports)]
    return flat


# --- text -> statements ----------------------------------------------------------------------------


def _statements(text: str, flat: Flat) -> list[Statement]:
    """Every statement of every cell that parses; of one that doesn't, those before the error."""
    found: list[ast.stmt] = []
    for start, lines in _cells(text):
        if not any(lines):
            continue
        shift = min(
            (len(s) - len(s.lstrip()) for s in lines if s.strip() and s.lstrip()[0] != "#"), default=0
        )
        body = _parsed([line[shift:] if not line[:shift].strip() else line for line in lines], start, flat)
        if any(".grad" in line for line in lines):
            grad = names.WithoutGrad()
            body = [grad.visit(node) if _says_grad(node, lines, start) else node for node in body]
        for node in body:
            found += _opened(node)
    return names.analyse(found, Statement)


def _says_grad(node: ast.stmt, lines: Sequence[str], start: int) -> bool:
    own = lines[node.lineno - start - 1 : (node.end_lineno or node.lineno) - start]
    return any(".grad" in line for line in own)


def _cells(text: str) -> Iterable[tuple[int, list[str]]]:
    """Each cell: how many lines stand before it, and its lines."""
    start, lines = 0, list[str]()
    marker = OF_NOTEBOOK if OF_NOTEBOOK.match(text.split("\n", 1)[0]) else CELL
    for number, line in enumerate(text.split("\n")):
        if marker.match(line) and lines:
            yield start, lines
            start, lines = number, []
        lines.append(line)
    yield start, lines


def _parsed(lines: list[str], start: int, flat: Flat) -> list[ast.stmt]:
    told = False
    pad = start if start < PADDED else 0  # empty lines are the quick way to the right line numbers, for few
    while lines:
        try:
            tree = ast.parse("\n" * pad + "\n".join(lines))
            return (tree if pad == start else ast.increment_lineno(tree, start)).body
        except (ValueError, MemoryError, RecursionError) as error:
            flat.broken.append((f"can't be parsed ({error})", start + 1))
            return []
        except SyntaxError as error:
            at = max(1, min((error.lineno or 1) - pad, len(lines)))
            if not told:
                flat.broken.append((str(error.msg), start + at))
            told = True
            lines = lines[: at - 1]
            # an unclosed bracket or block is told where it was noticed: give up its beginning too
            while lines and (not lines[-1].strip() or lines[-1][0] in " \t)]}"):
                lines.pop()
    return []


def _opened(node: ast.stmt) -> list[ast.stmt]:
    """A `with` block's statements, and those of a loop that makes gradients: a training loop."""
    if isinstance(node, ast.With) and not any(i.optional_vars for i in node.items):
        return [inner for child in node.body for inner in _opened(child)]
    if isinstance(node, ast.For | ast.While) and _trains(node):
        return [inner for child in node.body for inner in _opened(child)]
    if isinstance(node, ast.If) and not node.orelse and (_always(node.test) or _trains(node)):
        return [inner for child in node.body for inner in _opened(child)]
    return [node]


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _trains(node: ast.For | ast.While | ast.If) -> bool:
    """Whether a block's own statements name several gradients anew."""
    stored = {
        n.id
        for child in names.walk(node)
        if isinstance(child, ast.Assign)
        for t in child.targets
        for n in names.walk(t)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return sum(bool(re.match(r"d[A-Za-z_]", n)) for n in stored) >= 4


# --- which statements belong to which exercise -----------------------------------------------------


def _sections(statements: Sequence[Statement], text: str, tensors: Sequence[str]) -> None:
    """Number the statements by the lecture's exercises: its headings, its own forward lines, or, where
    the learner has neither, a gradient's second making after the chain has come to its end."""
    marks = {}
    for number, line in enumerate(text.split("\n"), 1):
        title = TITLE.match(line)
        if title and title[1] in "1234":
            marks[number] = int(title[1])
    at, current, gradients, ended = 0, 1, False, False
    ordered = sorted(marks)
    made: set[str] = set()
    for s in statements:
        while at < len(ordered) and ordered[at] <= s.node.lineno:
            current = marks[ordered[at]]
            at += 1
        gradients = gradients or any(_is_gradient(w, tensors) for w in s.effect.written)
        if gradients or current > 1:
            current = max(current, _own_line(s.node))
        anew = s.effect.strong - s.effect.reads
        ended = ended or bool({"demb", "dC", "dembcat"} & s.effect.strong)
        if anew & {"dlogprobs", "dprobs"}:
            ended = False  # the chain, once more
        if ended and current < 2 and "dlogits" in anew & made and "dnorm_logits" not in s.effect.reads:
            current = 2
        if ended and current < 3 and "dhprebn" in anew & made and "dbndiff" not in s.effect.reads:
            current = 3
        if not _placeholder(s.node):
            made |= s.effect.strong
        s.section = current


def _is_gradient(name: str, tensors: Sequence[str]) -> bool:
    return name[:1] == "d" and any(name.endswith(t) for t in tensors if name[1:] == t or len(t) > 2)


def _own_line(node: ast.stmt) -> int:
    """2 for the lecture's fused cross entropy, 3 for its fused batch norm, 4 for its new start; else 0."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return 0
    target = node.targets[0].id
    if target != "C" and not target.startswith(("loss", "h")):
        return 0
    code = ast.unparse(node.value)
    if target.startswith("loss") and "cross_entropy" in code:
        return 2
    if target.startswith("h") and ".mean(" in code and ".var(" in code:
        return 3
    if target == "C" and "randn" in code:
        return 4
    return 0


# --- names -----------------------------------------------------------------------------------------


def _called(
    statements: Sequence[Statement],
    here: Sequence[int],
    tensors: Sequence[str],
    renamed: Mapping[str, str],
    text: str,
) -> dict[str, str]:
    """By tensor: what the learner calls its gradient.

    d<tensor>; else what a `cmp` holds against it; else a usual spelling of either.
    """
    written = {w for i in here if not _placeholder(statements[i].node) for w in statements[i].effect.written}
    first = statements[here[0]].node.lineno if here else 1
    last = (statements[here[-1]].node.end_lineno or first) if here else 0
    theirs = {ours: their for their, ours in renamed.items()}
    active: dict[str, str] = {}
    inert: dict[str, str] = {}
    for line in text.split("\n")[first - 1 : last + AFTER]:
        for match in COMPARED.finditer(line):
            table = inert if "#" in line[: match.start()] else active
            table[renamed.get(match[2], match[2])] = match[1]
    called = {}
    for t in tensors:
        spellings = [active.get(t, f"d{t}"), f"d{t}", inert.get(t, f"d{t}")]
        for name in (t, theirs.get(t, t)):
            spellings += [prefix + name for prefix in PREFIXES]
        for spelling in spellings:
            if spelling in written:
                called[t] = spelling
                break
    return called


def _renamed(
    statements: Sequence[Statement], exercise: Mapping[str, Any], section: int | None
) -> dict[str, str]:
    """What the learner's forward pass calls otherwise, theirs -> ours: by the form of its lines.

    ex4 has a forward pass of its own; all others share the first one. A name that isn't there before
    the pass has reached its end is none of its tensors.
    """
    if section is not None:
        statements = [s for s in statements if (s.section == 4) == (section == 4)]
    loss = exercise["lines"][-1]["name"]
    end = next((i + 1 for i, s in enumerate(statements) if loss in s.effect.strong), len(statements))
    early = {w for s in statements[:end] for w in s.effect.strong}
    late = {w for s in statements[end:] for w in s.effect.strong} - early
    lines = []
    for line in exercise["lines"]:
        node = ast.parse(line["code"]).body[0]
        if isinstance(node, ast.Assign):
            lines.append((line["name"], node.value))
    lines += [(target, ast.parse(code, mode="eval").body) for target, code in SETUP]
    known = {*exercise["tensors"], "n", "torch", "g", "Xtr", "logprobs", *SIZES, *SIZE_NAMES, *late}
    found: dict[str, str] = {}
    for s in statements:
        if not isinstance(s.node, ast.Assign) or len(s.node.targets) != 1:
            continue
        target = s.node.targets[0]
        if not isinstance(target, ast.Name) or target.id[:1] == "d":
            continue
        for ours, value in lines:
            table = dict(found)
            if type(value) is not type(s.node.value):
                continue
            if names.unify(s.node.value, value, table, known) and (
                target.id == ours or target.id not in known or target.id in late
            ):
                if len(table) - len(found) >= _count(value):
                    continue  # nothing in it is known: any product would do
                found = table
                if target.id != ours and target.id not in late:
                    found.setdefault(target.id, ours)
                break
    return found


def _count(node: ast.AST) -> int:
    return sum(isinstance(child, ast.Name) for child in names.walk(node))


# --- cutting ---------------------------------------------------------------------------------------


class _Slicer:
    """Cuts the function of one item out of the statements."""

    def __init__(
        self,
        statements: Sequence[Statement],
        here: Sequence[int],
        called: Mapping[str, str],
        renamed: Mapping[str, str],
        exercise: Mapping[str, Any],
    ) -> None:
        self.statements, self.called, self.exercise = statements, called, exercise
        self.imports: set[int] = set()
        self.final: dict[str, int] = {}
        self.changed: dict[str, int] = {}  # a gradient's name -> the last that changes it by another name
        mine = set(called.values())
        # a temporary that is a gradient's other name makes it; another gradient spoils it
        self.writes = [
            s.effect.written if s.effect.written & mine else s.effect.written | s.effect.shared
            for s in statements
        ]
        open_ = [statements[i] for i in here if _placeholder(statements[i].node)]
        self.empty = {w: s.node.lineno for s in open_ for w in s.effect.strong}
        for i in here:
            for w in self.writes[i] & mine:
                if not _placeholder(statements[i].node) and not (
                    _copy(statements[i].node) and w in self.final
                ):
                    self.final[w] = i
            if statements[i].effect.written & mine:
                for w in statements[i].effect.shared & mine:
                    self.changed[w] = i
        self.begin = self._beginning(here, mine)
        self.written: dict[str, list[int]] = {}  # a name -> where the gradient code writes it
        for i in range(self.begin, len(statements)):
            for w in self.writes[i]:
                self.written.setdefault(w, []).append(i)
        self.losses = self.written.get(exercise["lines"][-1]["name"], [])
        sizes = {k for entry in exercise["fixtures"] for k in entry["settings"]}
        self.given = {t: t for t in (*exercise["tensors"], *sizes)}
        self.given |= {theirs: ours for theirs, ours in SIZES.items() if ours in self.given}
        for their, ours in renamed.items():
            ours = SIZES.get(ours, ours)
            if ours in self.given:
                self.given[their] = ours

    def _beginning(self, here: Sequence[int], mine: Collection[str]) -> int:
        """Where the gradient code begins, before which a name has the forward pass's value.

        Exercises 1 to 3 go on from one another: a size that the first one lost is lost.
        """
        earlier = range(here[0] if here else 0)
        sections = {self.statements[i].section for i in here}
        if not sections & {2, 3}:
            earlier = range(0)
        gradients = (i for i in (*earlier, *here) if self.writes[i] & mine)
        return next(gradients, here[0] if here else 0)

    def cut(self, item: Mapping[str, Any], flat: Flat) -> None:
        tensor, name = item["tensor"], item["name"]
        own = self.called.get(tensor)
        if own not in self.final and (line := self.empty.get(own or name)):
            flat.empty[name] = line
            return
        if own is not None and own not in self.final:
            flat.missing[name] = f"not found: {name} is called {own} here, and no statement assigns {own}"
            return
        if own is None:
            looked = f"{name}, or what a cmp(…) holds against {tensor}"
            flat.missing[name] = f"not found: no statement assigns {looked}"
            return
        available = set(item["available"])
        leaves = {self.called.get(a[1:], a): a for a in available}
        end = self.final[own]
        node = self._function(name, [own], end, leaves, ast.Name(own, ast.Load()))
        if (after := self.changed.get(own, -1)) > end:
            flat.changed[name] = self._function(name, [own], after, leaves, ast.Name(own, ast.Load()), True)
            culprit = ast.unparse(self.statements[after].node).split("\n")[0][:60]
            flat.afterwards[name] = (
                f"`{culprit}` changes {own} after it was made: both names stand for one tensor, "
                "of which .clone() makes two"
            )
        if copied := names.copies_grad(node):
            what, line = copied
            flat.refused[name] = f"{what} is autograd's own: a gradient is to be written by hand", line
        flat.functions[name] = node
        if own != name:
            flat.notes[name] = f"found as {own}"

    def cut_whole(self, parameters: Sequence[str], flat: Flat) -> None:
        own = [self.called[t] for t in parameters]
        if any(name not in self.final for name in own):
            return
        end = max(self.final[name] for name in own)
        result = ast.Dict([ast.Constant(t) for t in parameters], [ast.Name(name, ast.Load()) for name in own])
        flat.whole = self._function("whole", own, end, {}, result)

    def _function(
        self,
        name: str,
        wanted: Sequence[str],
        end: int,
        leaves: Mapping[str, str],
        result: ast.expr,
        shared: bool = False,
    ) -> ast.FunctionDef:
        """A function whose body is what `wanted` depends on up to the statement `end`.

        leaves: gradients that are passed in, theirs -> ours, once their last statement has run.
        shared: with the statements that change `wanted` by another name of the same tensor.
        """
        need = set(wanted)
        taken: list[int] = []
        given: dict[str, str] = {}  # theirs -> ours, from the beginning
        passed: dict[str, int] = {}  # a gradient's name -> the statement after which it is passed in
        for i in range(end, -1, -1):
            effect = self.statements[i].effect
            changes = shared and effect.shared & set(wanted)
            if not (self.writes[i] & need or changes) or (
                _copy(self.statements[i].node)
                and i != end
                and all(self._before(w, i) for w in self.writes[i])
            ):
                continue
            if effect.imports:
                self.imports.add(i)
                need -= effect.strong
                continue
            taken.append(i)
            need -= effect.strong
            for read in effect.reads:
                final = self.final.get(read, -1)
                if read in leaves and read not in wanted and (final < i or not self._before(read, i)):
                    passed[read] = final
                elif read in self.given and not self._overwritten(read, i):
                    given[read] = self.given[read]
                else:
                    need.add(read)
        below: list[int] = []  # definitions further down, of cells that were run in another order
        left, seen = sorted(need), set(need)  # written nowhere before
        for read in left:
            if read in self.given:
                given[read] = self.given[read]
            elif read in leaves and read not in wanted:
                passed[read] = -1
            elif read not in wanted and (later := self._later(read, end)) is not None:
                if later not in below:
                    below.append(later)
                more = self.statements[later].effect.reads - seen
                seen |= more
                left += sorted(more)
        return self._assembled(name, below[::-1], sorted(taken), given, passed, leaves, result, end)

    def _before(self, name: str, i: int) -> bool:
        """Whether the gradient code before statement i writes a name."""
        return self.written.get(name, [i])[0] < i

    def _overwritten(self, name: str, i: int) -> bool:
        """Whether the gradient code before i gave a forward tensor or a size another value.

        Not where the forward pass was run again after that: then it is the forward pass's own.
        """
        k = bisect_left(self.losses, i)
        since = self.losses[k - 1] if k else self.begin
        written = self.written.get(name, [])
        at = bisect_left(written, since)
        return at < len(written) and written[at] < i

    def _later(self, name: str, end: int) -> int | None:
        """A definition further down: the cells were run in another order."""
        for i in range(end + 1, len(self.statements)):
            effect = self.statements[i].effect
            if name in effect.strong:
                if effect.imports:
                    self.imports.add(i)
                    return None
                return i
        return None

    def _assembled(
        self,
        name: str,
        below: Sequence[int],
        taken: Sequence[int],
        given: Mapping[str, str],
        passed: Mapping[str, int],
        leaves: Mapping[str, str],
        result: ast.expr,
        end: int,
    ) -> ast.FunctionDef:
        body: list[ast.stmt] = []
        line = self.statements[end].node.lineno
        parameters = sorted({*given.values(), *(leaves[p] for p in passed)})

        def bind(theirs: str, ours: str) -> None:
            target = ast.Assign([ast.Name(theirs, ast.Store())], ast.Name(ours, ast.Load()))
            body.append(ast.copy_location(target, self.statements[end].node))

        written = {w for i in (*below, *taken) for w in self.writes[i]}
        kept: dict[str, str] = {}
        for theirs in sorted(passed):
            if leaves[theirs] in written or theirs in written:
                kept[theirs] = f"_passed_{leaves[theirs]}"
                bind(kept[theirs], leaves[theirs])
        for theirs, ours in sorted(given.items()):
            if theirs != ours:
                bind(theirs, ours)
        for theirs, after in sorted(passed.items()):
            early = after < (taken[0] if taken else 0) or theirs not in kept
            if early and (theirs != leaves[theirs] or theirs in kept):
                bind(theirs, kept.get(theirs, leaves[theirs]))
        body += [self.statements[i].node for i in below]
        waiting = {t: after for t, after in passed.items() if t in kept and taken and after >= taken[0]}
        for i in taken:
            for theirs in [t for t, after in waiting.items() if after < i]:
                bind(theirs, kept[theirs])
                del waiting[theirs]
            body.append(self.statements[i].node)
        body.append(ast.Return(result))
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        node = ast.FunctionDef(name, arguments, body, [])
        node.lineno = node.end_lineno = line
        node.col_offset = node.end_col_offset = 0
        return ast.fix_missing_locations(node)


def _copy(node: ast.stmt) -> bool:
    """`dhpreact = hpreact.grad`"""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Attribute | ast.Call)
        and names.copies_grad(node.value) is not None
    )


def _placeholder(node: ast.stmt) -> bool:
    """`dlogits = None  # TODO`, also of several at once."""
    if not isinstance(node, ast.Assign):
        return False
    values = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else [node.value]
    return bool(values) and all(isinstance(v, ast.Constant) and v.value in (None, ...) for v in values)
