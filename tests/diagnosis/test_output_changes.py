"""Changes of any Python function: what is tried, in which order, what it says."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import pytest

from grader.core.finding import Code
from grader.diagnosis.repairs import scope, search
from grader.diagnosis.repairs.source import About, Source

ABOUT = About({}, (), (), fields=("data", "grad"))
CHANGED = (  # a function's body, one that a change makes of it, and the code
    ("return [x for x in xs if x < n]", "return [x for x in xs if ((x) <= (n))]", Code.COMPARISON),
    ("return list(range(n))", "return list((range(0, (n) + 1)))", Code.OFF_BY_ONE),
    ("return xs[1:n]", "return xs[(1) + 1:n]", Code.OFF_BY_ONE),
    ("return sorted(xs, reverse=True)", "return sorted(xs, reverse=False)", Code.DIRECTION),
    ("return n // 2", "return ((n) / (2))", Code.OPERATOR),
    ("return (xs, n)", "return (n, xs)", Code.EXCHANGED),
    ("return max(xs)", "return min(xs)", Code.ANOTHER_FUNCTION),
    ("return 27 * xs", "return (n) * xs", Code.HARD_CODED),
    ("return xs", "return (sorted(xs))", Code.FUNCTION_MISSING),
    ("return [[n]] * 3", "return ([_x for _ in range(3) for _x in [[n]]])", Code.SHARED),
    ("xs.sort\n    return xs", "(xs.sort())\n    return xs", Code.NOT_CALLED),
    ("n = 3\n    return xs[n]", "pass\n    return xs[n]", Code.OVERWRITTEN),
    ("xs.grad = n\n    return xs", "xs.grad += n\n    return xs", Code.ASSIGNED),
    ("for x in xs:\n        return x", "for x in xs:\n        pass\n    return x", Code.LOOP),
    ("a = n\n    b = a\n    return b", "b = a\n    a = n\n    return b", Code.MISPLACED),
    ("return xs.mean().log()", "return (xs.log().mean())", Code.MISPLACED),
    ("return xs.abs().mean()", "return ((xs).std())", Code.ANOTHER_FUNCTION),
    ("return (xs < n) & (xs > 1)", "return ((xs < n) | (xs > 1))", Code.CONDITION),
    ("return xs[:n], xs[n:2]", "return xs[:n], xs[(0) + 1:(n) + 1]", Code.WRONG_PART),
    ("return xs[:-2], xs[2:]", "return xs[:-1], xs[1:]", Code.OFF_BY_ONE),
    ("return n / xs.sqrt() + 1", "return (n / ((xs) + (1)).sqrt())", Code.BRACKET),
    ("return torch.triu(xs)", "return torch.triu(xs, 1)", Code.MASK),
    ("return xs.sum() / len(xs)", "return xs.sum() / (xs.numel())", Code.WRONG_SIZE),
    ("return xs * xs", "return (n * n)", Code.ANOTHER_TENSOR),
    ("a = b = n\n    return a", "a, b = b, n\n    return a", Code.ASSIGNED),
    ("xs = xs * n\n    return xs + 1", "pass\n    return ((xs + 1) * (n))", Code.MISPLACED),
    ("t = 0.0\n    for x in xs:\n        t += x", "t = 1.0\n    for x in xs:\n        t *= x", Code.OPERATOR),
    ("return xs / xs.sum(0)", "return xs / (xs.sum(1, keepdim=True))", Code.WRONG_AXIS),
)  # fmt: skip


def source(body: str) -> Source:
    return Source(f"def f(xs, n):\n    {body}\n", ABOUT)


@pytest.mark.parametrize(("body", "changed", "code"), CHANGED, ids=[str(row[2]) for row in CHANGED])
def test_a_change_is_tried_and_says_what_it_is(body: str, changed: str, code: Code) -> None:
    tried = search.of_output([source(body)], 1000)
    made = {text.partition("\n    ")[2].rstrip(): change[0].finding for text, (_, change) in tried.items()}
    assert changed in made
    assert made[changed].code is code and made[changed].text


@pytest.mark.parametrize("body", [row[0] for row in CHANGED])
def test_each_change_is_python_and_leaves_the_tree_as_it_was(body: str) -> None:
    one = source(body)
    before = ast.dump(one.function)
    for text in search.of_output([one], 1000):
        assert isinstance(ast.parse(text).body[0], ast.FunctionDef)
    assert ast.dump(one.function) == before


def test_an_empty_list_stands_for_nothing() -> None:
    one = source("found = {}\n    new = max(xs)\n    found[new] = n\n    return found")
    told = {
        c.finding.text for text, (_, (c,)) in search.of_output([one], 1000).items() if "max((found))" in text
    }
    assert "xs is used where found is meant" not in told


def test_a_name_that_is_compared_with_a_text_is_no_other() -> None:
    tried = search.of_output([source('return n == "all"')], 1000)
    assert 'return (xs) == "all"' not in {text.partition("\n    ")[2].rstrip() for text in tried}


def test_a_method_keeps_its_class_and_says_its_line() -> None:
    text = "class C:\n    def f(self, n):\n        return n < 2"
    tried = search.of_output([Source(text, ABOUT, range(10, 13))], 100)
    for changed, (_, (change,)) in tried.items():
        (made,) = ast.parse(changed).body
        assert isinstance(made, ast.ClassDef) and made.body[-1].name == "f"  # type: ignore[attr-defined]
        assert change.finding.line in (11, 12)


def test_what_another_function_needs_comes_after_what_this_one_does() -> None:
    a, b = source("return n < 2"), Source("def g(n):\n    return n < 3\n", ABOUT)
    order = [k for k, _ in search.of_output([a, b], 1000).values()]
    assert order.index(0) < order.index(1)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("def f(xs, n):\n    return len(xs)", "n"),
        ("def f(xs, n=3):\n    return len(xs)", None),
        ("def f(xs, *more):\n    return 1", None),
        ("def f(xs, n):\n    return locals()", None),
        ("def f(xs, n):\n    return [n for x in xs]", None),
    ],
)
def test_an_argument_that_is_never_read_is_seen(function: str, name: str | None) -> None:
    found = scope.unused(Source(function, ABOUT))
    assert (found.text.split()[0] if found else None) == name


def test_a_switch_is_no_number() -> None:
    """A parameter that is on or off is no factor, and stands for no other name."""
    text = "def f(xs, n, quiet, loud=False):\n    if not quiet:\n        return len(xs)\n    return n * 2\n"
    one = Source(text, ABOUT)
    assert one.switches == {"quiet", "loud"}
    for changed in search.of_output([one], 1000):
        last = changed.rstrip().rpartition("\n")[2]
        assert not re.search(r"\* \(?(quiet|loud)|\((quiet|loud)\) \*", last), changed


def test_a_turn_of_a_loop_that_is_one_off_is_told_before_its_range() -> None:
    body = "return [n * (k + 1) for k in range(n)]"
    told = [c[0].finding.text for _, c in search.of_output([source(body)], 1000).values()]
    assert told.index("`k + 1` is one off: k is meant") < told.index(
        "`range(n)` begins and ends one too late"
    )


def test_what_undoes_a_slip_by_chance_is_not_told() -> None:
    """Of logits n more each change nothing, and a gradient that is still 0 stands for any 0."""
    body = "P = [1.0]; P[0] /= n; return [make(0.01 * n.data, n.grad) for k in range(n)]"
    told = [c[0].finding.text for _, c in search.of_output([source(body)], 1000).values()]
    assert any("P[0] /= n" in text for text in told)
    assert not any("to be added there" in text or "begins one turn too late" in text for text in told)
    assert not any("where n.grad is meant" in text for text in told)


def test_a_change_within_what_another_writes_anew_is_made_there() -> None:
    one = source("return xs * n")
    by_code = {c.finding.text: c for _, (_, (c,)) in search.of_output([one], 1000).items()}
    outer, inner = by_code["the sign of `xs * n` is wrong"], by_code["n is used where xs is meant"]
    assert not outer.apart(inner)
    assert "return (-(xs * (xs)))" in one.changed(one.both(outer, inner))
    assert one.joined(inner, replace(inner, edits=(one.edit(one.returned[0], "1"),))) is None


def test_a_pair_is_two_changes_and_comes_once() -> None:
    one = source("return xs.sum()")
    changes = [c for _, (c,) in search.of_output([one], 1000).values()]
    found = search.pairs(changes[:20], changes, 5000, one.joined)
    assert found and len({frozenset(map(id, pair)) for pair in found}) == len(found)
    assert all(a is not b for a, b in found)
