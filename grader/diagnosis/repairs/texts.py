"""Changes of a text, and of a regular expression."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Source, method


def joined(s: Source) -> Iterator[Change]:
    """Texts and bytes: code points, parts that are decoded each for itself, patterns made of names."""
    for n in s.nodes:
        if isinstance(n, ast.ListComp) and method(n.elt) == "ord" and len(n.generators) == 1:
            told = "ord gives the number of a character, not its bytes, of which it may have several"
            over = s.text(n.generators[0].iter)
            yield s.change(n, f"list(({over}).encode())", Code.WRONG_TYPE, told, 8)
        if isinstance(n, ast.Call) and method(n) == "join" and len(n.args) == 1:
            part = n.args[0]
            inner = part.elt if isinstance(part, ast.ListComp | ast.GeneratorExp) else None
            if (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Attribute)
                and method(inner) == "decode"
            ):
                bare, args = (
                    s.text(inner.func.value),
                    ", ".join(s.text(a) for a in (*inner.args, *inner.keywords)),
                )
                rest = s.data[s.span(inner)[1] : s.span(part)[1] - 1].decode()
                told = "each part is decoded for itself, though a character may lie over several"
                yield s.change(n, f'b"".join({bare}{rest}).decode({args})', Code.MISPLACED, told, 7)
            told = f"{s.quoted(part)} goes into a pattern as it is, with signs that mean something there"
            yield s.change(part, f"map(re.escape, {s.text(part)})", Code.PATTERN, told, 20)
        if isinstance(n, ast.Call) and method(n) == "split" and len(n.args) > 1:
            told = "what the pattern finds is lost: no group in it keeps it"
            yield s.change(n.args[0], f'"(" + {s.text(n.args[0])} + ")"', Code.PATTERN, told, 9)


QUANTIFIED = re.compile(r"\]|\)|\\[swdSWD]")


def texts(s: Source) -> Iterator[Change]:
    """What is written in a text: how errors are met, an encoding, a pattern."""
    for n in s.nodes:
        if not isinstance(n, ast.Constant) or not isinstance(n.value, str) or not n.value:
            continue
        if isinstance(s.parents.get(id(n)), ast.JoinedStr | ast.FormattedValue):
            continue
        value = n.value
        for group in (("strict", "ignore", "replace"), ("utf-8", "ascii", "latin-1", "utf-16")):
            for other in group if value in group else ():
                told = f"{value!r} stands where {other!r} is meant"
                yield s.change(n, repr(other), Code.CONSTANT, told, 12)
        if value.strip() != value and value.strip() or len(value) == 1:
            for other in dict.fromkeys((" ", "\n", "", value.strip(), " " + value, value + "\n")):
                told = f"the text {value!r} is another than is meant"
                yield s.change(n, repr(other), Code.CONSTANT, told, 31)
        if set(value) & set("\\[(") and method(s.parents.get(id(n)) or n) in (
            "findall", "compile", "split", "search", "match", "sub", "finditer", "fullmatch"
        ):  # fmt: skip
            yield from _pattern(s, n, value)


def _pattern(s: Source, n: ast.Constant, value: str) -> Iterator[Change]:
    groups = [m.start() for m in re.finditer(r"(?<!\\)\((?!\?)", value)]
    for at in groups:
        new = value[: at + 1] + "?:" + value[at + 1 :]
        told = "a group of the pattern captures: it gives the group alone, not all that is found"
        yield s.change(n, repr(new), Code.PATTERN, told, 8)
    for m in QUANTIFIED.finditer(value):
        end = m.end()
        follows = value[end : end + 1]
        told = f"how often {value[max(0, end - 8) : end]!r} may come in the pattern is off"
        for other in ("+", "*", "?", ""):
            if other != follows:
                new = value[:end] + other + value[end + (follows in ("+", "*", "?") and follows != "") :]
                yield s.change(n, repr(new), Code.PATTERN, told, 30)
    branches = _branches(value)
    for k in range(len(branches)):
        told = f"the pattern's branch {branches[k]!r} is one too many"
        yield s.change(n, repr("|".join(branches[:k] + branches[k + 1 :])), Code.PATTERN, told, 28)
    for a, b in combinations(range(len(branches)), 2):
        order = branches[:]
        order[a], order[b] = order[b], order[a]
        told = f"the pattern's branches {branches[a]!r} and {branches[b]!r} stand in the wrong order"
        yield s.change(n, repr("|".join(order)), Code.PATTERN, told, 32)


def _branches(pattern: str) -> list[str]:
    """A pattern at its outermost bars."""
    found, depth, start, k = [], 0, 0, 0
    while k < len(pattern):
        c = pattern[k]
        if c == "\\":
            k += 1
        elif c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "|" and not depth:
            found.append(pattern[start:k])
            start = k + 1
        k += 1
    return [*found, pattern[start:]] if found else []
