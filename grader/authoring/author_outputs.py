"""Wrong answers of output items: the author's functions with one change each, and how they are known again.

Imports torch; trusted side, at build time only.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import sys
import warnings
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from grader.authoring.authored import Authored, AuthoredError, Item
from grader.authoring.slips.mutants import Mutant, mutants
from grader.authoring.slips.sentences import say_of_output
from grader.authoring.slips.table import KNOWN, SLIPS
from grader.core import plain
from grader.core.exercise import Output
from grader.diagnosis.diagnose import FIXTURES, OR
from grader.diagnosis.syntax import read_only
from grader.judging.output_fingerprints import (
    SAME,
    WHOLE,
    Marks,
    between,
    differing,
    marks,
    of_error,
    same,
)
from grader.reference import values
from grader.reference.outputs import Solution
from grader.runner.untrusted.outputs import arguments

DEEP = 200  # calls in one another, after which a mutant counts as endless
ALIKE = 1e-5  # marks have six digits, and kernels differ in the last: two mistakes that nothing tells apart
STEPS = 20  # times the author's own steps, after which a mutant counts as endless


class Endless(Exception):
    """A mutant that does not come to an end."""


def changes(parts: Authored) -> list[tuple[str, str, Mutant]]:
    """Every first-order change of what is to be written: the definition, its whole new text, the mutant."""
    tree = ast.parse(parts.source)
    asked = {name for item in parts.outputs for name in item.asks}
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in asked:
            for m in _mutants(parts, node, node.name):
                found.append((node.name, m.source, m))
        elif isinstance(node, ast.ClassDef) and node.name in asked:
            for k, method in enumerate(node.body):
                if not (isinstance(method, ast.FunctionDef) and ast.get_docstring(method)):
                    continue
                for m in _mutants(parts, method, f"{node.name}.{method.name}"):
                    changed = copy.copy(node)
                    changed.body = [*node.body[:k], *ast.parse(m.source).body, *node.body[k + 1 :]]
                    found.append((node.name, ast.unparse(changed), m))
    return found


def _mutants(parts: Authored, node: ast.FunctionDef, name: str) -> list[Mutant]:
    params = tuple(a.arg for a in node.args.args)
    return mutants(Item(name, name, params, "", ast.unparse(node), "", node.lineno), {}, parts.source)


def known(
    parts: Authored, env: Mapping[str, Mapping[str, Any]], filename: str, written: str = ""
) -> dict[str, Any]:
    """By output item: what is known of its mistakes, as `fingerprints.known` tells of gradients.

    env: by fixture, the arguments that an item gets by name (`runner.outputs.arguments`, its own draw first).
    written: the text of solutions/mistakes/<exercise>.py (`_written`).
    """
    author = Solution(parts.source, filename)
    outputs = parts.public.outputs
    out: dict[str, Any] = {item.name: {"mistakes": [], "branches": {}} for item in outputs}
    right: dict[str, dict[str, tuple[Marks, int]]] = {item.name: {} for item in outputs}
    for item in outputs:
        for f in FIXTURES:
            own, steps = _marked(author, item, arguments(item.name, env[f]), None)
            assert own is not None
            right[item.name][f] = own, steps
    found = sorted(changes(parts), key=lambda c: (c[2].kind == "keepdim dropped", SLIPS[c[2].kind].rank))
    for _, source, mutant in [*_written(parts, written), *found]:
        known = mutant.kind == KNOWN
        about = [item for item in outputs if (_about if known else _judges)(parts, item, mutant)]
        others = [o for o in outputs if known and o not in about and mutant.item.partition(".")[0] in o.asks]
        if not about and not others:
            continue
        try:
            wrong = Solution(parts.source, filename)
            exec(compile(source, filename, "exec"), wrong.names)
        except Exception as error:
            if known:
                raise AuthoredError(f"{filename}: a mistake of {mutant.item} is none: {error}") from None
            continue
        shown = False
        for item in [*about, *others]:  # what no item shows that it is about, those show that ask for it
            if shown and item in others:
                break
            on: dict[str, Marks] = {}
            for f, (own, taken) in right[item.name].items():
                marks, _ = _marked(wrong, item, arguments(item.name, env[f]), taken * STEPS + 1000)
                if marks is not None and (known or WHOLE not in marks or not item.driver):
                    on[f] = differing(marks, own)
            if len(on) < 2 or sum(map(len, on.values())) < 2:
                continue
            shown = True
            negated = all(_negated(m, right[item.name][f][0]) for f, m in on.items())
            told = mutant.new if known else say_of_output(mutant, item.exact, negated)
            kept = out[item.name]["mistakes"]
            covering = next((o for o in kept if _covers(o["on"], on)), None)
            one = [told, _unread(parts.source, source, item)]
            if told and covering is None:
                kept.append({"say": told, "on": on, "any": [one]})
            elif told and covering and known and one not in covering["any"]:
                covering["any"].append(one)  # nothing tells the two apart
    for item in out.values():
        for mistake in item["mistakes"]:
            mistake["say"] = OR.join(dict.fromkeys(say for say, _ in mistake["any"]))
            if not any(unread for _, unread in mistake["any"]):
                del mistake["any"]
    return out


def _unread(right: str, wrong: str, item: Output) -> list[str]:
    """The parameters that the author's function reads, and one with a mistake doesn't."""
    own, left = (read_only(text.encode(), item.about) for text in (right, wrong))
    return sorted(own - left) if own and left is not None else []


def _written(parts: Authored, text: str) -> list[tuple[str, str, Mutant]]:
    """The mistakes that are written down, as `changes`: with what else the text holds, helpers and imports.

    Whole functions, classes with the methods that are other than the author's, and CHANGED: by definition,
    tuples of a diagnosis and pieces of the author's text, each followed by what stands there instead.
    """
    tree = ast.parse(text)
    authors = {
        n.name: n for n in ast.parse(parts.source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)
    }
    asked = {name for item in parts.outputs for name in item.asks}
    helpers, found = [], []
    for node in tree.body[1:]:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CHANGED":
            for definition, all_ in ast.literal_eval(node.value).items():
                name = definition.partition(".")[0]
                found += [(definition, told, _replaced(parts.source, authors[name], definition, *pairs))
                          for told, *pairs in all_]  # fmt: skip
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name not in asked:
            helpers.append(ast.unparse(node))
        else:
            told, whole, names = ast.get_docstring(node) or "", node, []
            if isinstance(node, ast.ClassDef):
                methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
                whole = copy.copy(authors[node.name])
                kept = [methods.pop(n.name, n) if isinstance(n, ast.FunctionDef) else n for n in whole.body]
                names = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
                whole.body = [*kept, *methods.values()]
            changed = " ".join(f"{node.name}.{n}" for n in names) or node.name
            found.append((changed, told, ast.unparse(whole)))
    given = "\n".join(helpers)
    return [
        (changed, f"{given}\n\n{source}", Mutant(changed, KNOWN, "", " ".join(told.split()), source))
        for changed, told, source in found
    ]


def _replaced(text: str, whole: ast.FunctionDef | ast.ClassDef, definition: str, *pairs: str) -> str:
    """An author's function or class with pieces of one definition's body in other words, all of each."""
    method = definition.partition(".")[2]
    node = next((n for n in whole.body if isinstance(n, ast.FunctionDef) and n.name == method), whole)
    body = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
    lines = text.splitlines(keepends=True)
    inner = "".join(lines[body.lineno - 1 : node.end_lineno])
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        if old not in inner:
            raise AuthoredError(f"a mistake of {definition} changes {old!r}, which isn't there")
        inner = inner.replace(old, new)
    first, last = lines[whole.lineno - 1 : body.lineno - 1], lines[node.end_lineno or 0 : whole.end_lineno]
    return "".join([*first, inner, *last])


def _covers(first: Mapping[str, Marks], other: Mapping[str, Marks]) -> bool:
    """Whether what has the other's marks has the first's: on every fixture that this one is known on."""
    return all(f in other and same(marks, other[f], ALIKE) for f, marks in first.items())


def _negated(marks: Marks, right: Marks) -> bool:
    """Whether all that differs is the right numbers with another sign."""
    order = list(right.values())
    return all(
        k.isdigit() and len(m) > 1 and between(m, [m[0], *(-p for p in order[int(k)][1:])]) <= SAME
        for k, m in marks.items()
    )


def _about(parts: Authored, item: Output, m: Mutant) -> bool:
    """Whether a mistake that is written down is told of an item: it is what the item is about, or part of it.

    m.item: the definitions that it changes, with a blank between them.
    """
    changed = m.item.split()
    name, _, method = changed[0].partition(".")
    if item.about in changed or name not in item.asks:
        return item.about in changed
    if not method:
        return True
    owned = {other.about for other in parts.public.outputs if other.judged == name} - {name}
    return item.about == name or owned == {item.about}


def _judges(parts: Authored, item: Output, m: Mutant) -> bool:
    """Whether a mistake in what a mutant changes is an item's own: no other item is there to find it."""
    if "." in item.about or m.item == item.about:
        return m.item == item.about
    definition = m.item.partition(".")[0]
    others = [other for other in parts.public.outputs if other is not item]
    mine = definition == item.judged or not any(definition in other.asks for other in others)
    before = parts.public.outputs[: parts.public.outputs.index(item)]
    return definition in item.asks and mine and all(m.item != other.about for other in before)


def _marked(
    solution: Solution, item: Output, env: Mapping[str, Any], steps: int | None
) -> tuple[Marks | None, int]:
    """The marks of an item's result, or of its exception, and how many steps it took; None where endless."""
    try:
        with warnings.catch_warnings(), counted(steps, solution.filename) as taken:
            warnings.simplefilter("ignore")  # of what a mistake does: the variance of one number
            result = solution.result(item, env)
    except (Endless, RecursionError, plain.NotPlain):
        return None, 0
    except NameError as error:
        raise AuthoredError(f"{solution.filename}: a mistake is none: {error}") from None
    except Exception as error:
        text = str(error).strip().split("\n", 1)[0]
        return None if " at 0x" in text else of_error(f"{type(error).__name__}: {text}"), 0
    try:
        return marks(plain.decode(values.dumps(result)), item), taken[0]
    except (ValueError, plain.NotPlain):  # a tensor that holds itself, or too much
        return None, 0


@contextlib.contextmanager
def counted(most: int | None, filename: str) -> Iterator[list[int]]:
    """Count the lines of a file that run; Endless after `most`, or DEEP calls in one another.

    No seconds, and no recursion to Python's own limit: a build can be repeated, and says nothing.
    """
    taken, depth = [0], 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal depth
        if frame.f_code.co_filename == filename and event in ("call", "return"):
            depth += 1 if event == "call" else -1
            if most is not None and depth > DEEP:
                raise Endless
        if event == "line":
            taken[0] += 1
            if most is not None and taken[0] > most:
                raise Endless
        return trace if frame.f_code.co_filename == filename else None

    before = sys.gettrace()  # a debugger's, say
    sys.settrace(trace)
    try:
        yield taken
    finally:
        sys.settrace(before)
