"""Authored files: their rules, what is derived of them, and that no solution leaks into it."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from typing import Any

import pytest
from conftest import GRADIENTS, parts_of, solution

from grader.authoring import authored
from grader.authoring.authored import Authored, AuthoredError, Item
from grader.authoring.build import derive
from grader.core.exercise import Task
from grader.core.graph import consumers, downstream, uncovered

TINY = '''"""Tiny: a product and a sum.

Nothing more.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=1, n=3),
    "probe-1": dict(seed=2, n=4),
}


def inputs(g, n):
    return {"x": torch.randn((n, 2), generator=g), "w": torch.randn((1, 2), generator=g)}


def forward(x, w, n):
    y = x * w
    z = y.exp()
    loss = z.sum()
    return loss


def dz(z):
    """dz (3, 2): the gradient with respect to z.

    Forward: loss = z.sum()
    """
    return torch.ones_like(z) * 1.0


def dy(z, dz):
    """dy (3, 2): the gradient with respect to y.

    Forward: z = y.exp()
    Upstream: dz (3, 2)
    """
    return z * dz + 0.0


def dw(x, dy):
    """dw (1, 2): the gradient with respect to w.

    Forward: y = x * w
    Upstream: dy (3, 2)
    """
    return (x * dy).sum(0, keepdim=True)
'''


def tiny(*changes: tuple[str, str]) -> str:
    text = TINY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def refusal(source: str, whole: bool = False) -> str:
    """What is said of a source that breaks a rule: one line that begins with the file."""
    with pytest.raises(AuthoredError) as caught:
        derive(source, "tiny") if whole else authored.read(source, "solutions/tiny.py")
    message = str(caught.value)
    assert message.startswith("solutions/tiny.py") and message.isprintable() and len(message) < 200
    return message


def ex1() -> Authored:
    return parts_of("ex1")


def item_of(parts: Authored, name: str) -> Item:
    return next(i for i in parts.items if i.name == name)


def test_the_tiny_exercise_keeps_every_rule() -> None:
    parts = authored.read(TINY, "solutions/tiny.py")
    assert parts.title == "Tiny: a product and a sum"
    assert [(x.name, x.uses) for x in parts.lines] == [("y", ("x", "w")), ("z", ("y",)), ("loss", ("z",))]
    assert [i.name for i in parts.items] == ["dz", "dy", "dw"]
    files = derive(TINY, "tiny")
    assert {"exercises/tiny.py", "fixtures/tiny/exercise.json"} <= files.keys()
    assert files == derive(TINY, "tiny")


READ = {
    "not Python": (("y = x * w", "y = x *"), "line 19: "),
    "no docstring": ((TINY[: TINY.index("import")], ""), ": begin with a docstring"),
    "an empty docstring": ((TINY[: TINY.index("import")], '"""  """\n'), ": begin with a docstring"),
    "no forward": (("def forward", "def forwards"), ": needs the functions inputs(g, ...) and forward(...)"),
    "no inputs": (("def inputs", "def input_s"), ": needs the functions inputs(g, ...) and forward(...)"),
    "a tuple": (("y = x * w", "y, u = x * w, x"), "line 19: each line of forward names one tensor"),
    "two names": (("y = x * w", "y = u = x * w"), "line 19: each line of forward names one tensor"),
    "an element": (("z = y.exp()", "y[0] = 1"), "line 20: each line of forward names one tensor"),
    "an augmented assignment": (("z = y.exp()", "y += 1"), "line 20: each line of forward names one tensor"),
    "a bare call": (("z = y.exp()", "print(y)"), "line 20: each line of forward names one tensor"),
    "a loop": (("z = y.exp()", "for z in y: pass"), "line 20: each line of forward names one tensor"),
    "a name used again": (("z = y.exp()", "y = y.exp()"), "line 20: forward names y twice"),
    "an input named again": (("z = y.exp()", "x = y.exp()"), "line 20: forward names x twice"),
    "another return": (("return loss", "return z"), "line 22: forward ends by returning its last tensor"),
    "a formula returned": (("return loss", "return loss * 1"), "line 22: forward ends by returning"),
    "nothing returned": (("    return loss\n", ""), "line 21: forward ends by returning its last tensor"),
    "no lines": (
        ("    y = x * w\n    z = y.exp()\n    loss = z.sum()\n    return loss", "    return x"),
        "line 19: forward ends by returning its last tensor",
    ),
    "nothing but a docstring": (
        ("    y = x * w\n    z = y.exp()\n    loss = z.sum()\n    return loss", '    """Nothing."""'),
        "forward has no lines",
    ),
    "no items": ((TINY[TINY.index("def dz") :], ""), ": has no item, a function d<name>"),
    "an item without docstring": (
        (TINY[TINY.index('    """dz') : TINY.index("    return torch.ones")], ""),
        "line 25: dz has no docstring, its task",
    ),
}


@pytest.mark.parametrize("change, said", READ.values(), ids=READ)
def test_a_breach_of_the_format_is_told_in_one_line(change: tuple[str, str], said: str) -> None:
    assert said in refusal(tiny(change))


def test_a_source_with_a_zero_byte_is_told_in_one_line() -> None:
    refusal(TINY + "\0")


LINT = {
    "a forward line not quoted": (("Forward: z = y.exp()", "Forward: z = exp(y)"), "`z = y.exp()`"),
    "the loss not quoted": (("Forward: loss = z.sum()", "Forward: the sum"), "`loss = z.sum()`"),
    "no shape of its own": (('"""dy (3, 2): the', '"""dy: the'), "doesn't say `dy (3, 2)`"),
    "a wrong shape": (('"""dw (1, 2): the', '"""dw (2,): the'), "doesn't say `dw (1, 2)`"),
    "no shape of its upstream": (("Upstream: dz (3, 2)", "Upstream: dz"), "doesn't say `dz (3, 2)`"),
    "asks for what nothing gives": (("def dy(z, dz)", "def dy(z, dz, momentum)"), "asks for momentum, which"),
    "asks for its own gradient": (("def dy(z, dz)", "def dy(z, dz, dy)"), "asks for dy, which"),
    "asks for a gradient before it is there": (("def dz(z)", "def dz(z, dw)"), "asks for dw, which"),
    "asks for a sibling that is no parameter's": (
        ("def dw(x, dy)", "def dw(x, dy, dx)"),
        "asks for dx, which",
    ),
}


@pytest.mark.parametrize("change, said", LINT.values(), ids=LINT)
def test_a_docstring_that_misstates_its_task_or_a_wrong_signature_is_told_in_one_line(
    change: tuple[str, str], said: str
) -> None:
    message = refusal(tiny(change), whole=True)
    assert said in message and ", line " in message


def test_a_gradient_that_a_later_item_gives_is_told_not_to_exist_yet() -> None:
    start, stop = TINY.index("def dz"), TINY.index("def dy")
    later = TINY[:start] + TINY[stop:] + "\n\n" + TINY[start:stop].rstrip() + "\n"
    assert "dy asks for dz, which does not exist yet at that point" in refusal(later, whole=True)


# --- nothing of a solution in what a learner gets ---------------------------------------------------


def bodies(source: str) -> list[str]:
    """Each statement of each item's body, its docstring apart, without spaces and comments."""
    parts = authored.read(source, "x.py")
    names = {i.name for i in parts.items}
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name in names]
    return [plain(ast.get_source_segment(source, s) or "") for n in nodes for s in n.body[1:]]


def plain(source: str) -> str:
    skip = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "".join(t.string for t in tokens if t.type not in skip)


def functions(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(compile(source, "stub.py", "exec"), space)
    return {k: v for k, v in space.items() if inspect.isfunction(v)}


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_a_stub_has_the_solutions_signatures_and_docstrings_and_no_body(exercise: str) -> None:
    parts = parts_of(exercise)
    stubs, solved = functions(authored.stub(parts)), functions(solution(exercise))
    assert set(stubs) == {"forward", *(i.name for i in parts.items)}
    for name, function in stubs.items():
        assert inspect.signature(function) == inspect.signature(solved[name])
        assert function.__doc__ == solved[name].__doc__
        if name == "forward":
            continue
        asked = inspect.signature(function).parameters
        with pytest.raises(NotImplementedError, match=f"^{name}: not written yet$"):
            function(**dict.fromkeys(asked))


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_neither_stub_nor_program_holds_a_statement_of_a_solution(exercise: str) -> None:
    source = solution(exercise)
    parts = authored.read(source, f"solutions/{exercise}.py")
    written = bodies(source)
    assert len(written) >= len(parts.items) and all(written)
    for body in written:
        assert body not in plain(authored.stub(parts)) and body not in plain(parts.program)
    assert "grader" not in plain(authored.stub(parts)).replace(plain(f'"""{parts.statement}\n"""'), "")


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_a_stub_begins_with_the_statement_and_shows_the_forward_program(exercise: str) -> None:
    parts = parts_of(exercise)
    stub = authored.stub(parts)
    assert ast.get_docstring(ast.parse(stub)) == parts.statement
    assert parts.forward in stub
    assert all(line.code in parts.forward for line in parts.lines)


LEAKS = {
    "written in one line": tiny(
        (
            TINY[TINY.index("def dz") : TINY.index("def dy")],
            'def dz(z): "dz (3, 2) loss = z.sum()"; return torch.ones_like(z) * 1.0\n\n\n',
        )
    ),
    "written twice": TINY + '\n\ndef dz(z):\n    """dz (3, 2) loss = z.sum()"""\n    return 1.0 + 0 * z\n',
    "behind its docstring": tiny(
        ("loss = z.sum()\n    \"\"\"\n    return torch", 'loss = z.sum()\n    """; return torch')
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", LEAKS.values(), ids=LEAKS)
def test_an_item_in_an_unusual_form_is_refused_or_leaks_nothing(source: str) -> None:
    try:
        parts = authored.read(source, "solutions/tiny.py")
    except AuthoredError:
        return
    for text in (authored.stub(parts), parts.program):
        assert "torch.ones_like(z)" not in text and "0 * z" not in text


@pytest.mark.parametrize("text", ["a \\alpha b", "a\\nb"], ids=repr)
def test_a_statement_with_backslashes_comes_through_to_the_stub(text: str) -> None:
    parts = authored.read(tiny(("Nothing more.", text.replace("\\", "\\\\"))), "solutions/tiny.py")
    assert ast.get_docstring(ast.parse(authored.stub(parts))) == parts.statement


# --- the graph --------------------------------------------------------------------------------------


def test_what_depends_on_a_tensor_lies_downstream_of_it() -> None:
    lines = ex1().lines
    assert downstream(lines, "logprobs") == {"loss"}
    assert downstream(lines, "counts") == {
        "counts_sum", "counts_sum_inv", "probs", "logprobs", "loss"
    }  # fmt: skip
    assert downstream(lines, "loss") == set()
    assert downstream(lines, "C") == {line.name for line in lines}
    assert "bnraw" not in downstream(lines, "bngain")


CONSUMERS = {
    "counts": ("counts_sum", "probs"),
    "logits": ("logit_maxes", "norm_logits"),
    "bndiff": ("bndiff2", "bnraw"),
    "hprebn": ("bnmeani", "bndiff"),
    "W1": ("hprebn",),
    "loss": (),
}


@pytest.mark.parametrize("tensor, names", CONSUMERS.items())
def test_the_consumers_of_a_tensor_are_the_lines_that_read_it(tensor: str, names: tuple[str, ...]) -> None:
    assert consumers(ex1().lines, tensor) == names


TAIL = ("hpreact", "h", "logits", "norm_logits", "counts", "probs", "logprobs", "loss")
PATHS: dict[str, tuple[str, set[str], tuple[str, ...] | None]] = {
    "one of two branches": ("bndiff", {"bndiff2"}, ("bndiff", "bnraw", *TAIL)),
    "the other branch": (
        "bndiff", {"bnraw"}, None
    ),
    "both branches": ("bndiff", {"bnraw", "bndiff2"}, None),
    "nothing": ("probs", set(), ("probs", "logprobs", "loss")),
    "the only branch": ("probs", {"logprobs"}, None),
    "further down": ("hprebn", {"hpreact"}, None),
    "counts without its sum": (
        "counts", {"probs"}, None
    ),
    "the loss itself": ("logprobs", set(), ("logprobs", "loss")),
}  # fmt: skip


@pytest.mark.parametrize("tensor, cut, path", PATHS.values(), ids=PATHS)
def test_a_path_that_a_cut_leaves_open_is_found(
    tensor: str, cut: set[str], path: tuple[str, ...] | None
) -> None:
    found = uncovered(ex1().lines, tensor, frozenset(cut))
    assert found is None if path is None else found is not None
    if path and found:
        assert (found[0], found[-1]) == (path[0], path[-1]) and found[1] == path[1]
        assert len(found) == len(path) and not cut & set(found)


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_the_cut_of_every_item_leaves_no_path_open_but_those_of_the_loss(exercise: str) -> None:
    parts = parts_of(exercise)
    loss = parts.lines[-1].name
    for item in parts.items:
        path = uncovered(parts.lines, item.tensor, parts.cut(item))
        assert path is None or (path == (item.tensor, loss) and not parts.cut(item)), item.name


def test_what_is_available_to_an_item_exists_by_then_and_lies_below_it() -> None:
    parts = ex1()
    found = set(parts.available(item_of(parts, "dcounts")))
    assert {"dprobs", "dcounts_sum", "dcounts_sum_inv", "dlogprobs", "dloss"} == found
    assert parts.available(item_of(parts, "dlogprobs")) == ("dloss",)
    assert "dbngain" not in parts.available(item_of(parts, "dbnraw"))
    assert {"dhpreact", "dbnraw"} <= set(parts.available(item_of(parts, "dbnvar_inv")))


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_nothing_available_is_an_items_own_or_a_later_gradient(exercise: str) -> None:
    parts = parts_of(exercise)
    for number, item in enumerate(parts.items):
        found = parts.available(item)
        assert not {other.name for other in parts.items[number:]} & set(found)
        assert {p[1:] for p in found} <= downstream(parts.lines, item.tensor)
        assert {"d" + t for t in parts.cut(item)} <= set(found)
        assert found[0] == "dloss" and len(set(found)) == len(found)


def test_a_siblings_gradient_is_told_from_an_upstream_one() -> None:
    parts = parts_of("ex4")
    item = item_of(parts, "dhprebn")
    assert parts.cut(item) == {"hpreact"} and parts.siblings(item) == ("dbngain", "dbnbias")
    assert not set(parts.siblings(item)) & set(parts.available(item))
    assert all(parts.siblings(i) == () for i in parts.items if i is not item)


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_a_description_restores_the_graph_that_it_was_made_of(
    exercises: dict[str, Task], exercise: str
) -> None:
    parts = parts_of(exercise)
    made = exercises[exercise].exercise
    assert (made.lines, made.inputs, made.program) == (parts.lines, parts.inputs, parts.program)
    assert made.items == parts.public.items
    for one, other in zip(made.gradients, parts.gradients, strict=True):
        assert one.available == (*parts.available(other), *parts.siblings(other))
