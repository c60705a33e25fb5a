"""Output items: plain data on the wire, comparison, stubs and drivers, mutants, hostile values."""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import torch
from conftest import EXERCISES, ROOT, Grade, sampled, solution, stub_of
from hypothesis import given
from hypothesis import strategies as st
from local import Local

from grader.authoring import authored
from grader.authoring.author_outputs import changes
from grader.authoring.authored import RUNGS, AuthoredError
from grader.authoring.hints.outputs import _rounded
from grader.core import plain
from grader.core.exercise import Reference
from grader.core.finding import Code
from grader.core.verdict import Check, ItemReport, Verdict
from grader.judging.compare_outputs import held
from grader.reference import values
from grader.runner.untrusted import outputs
from grader.runner.wire import Record
from grader.suite import fixtures

OUTPUTS = [e for e in EXERCISES if "\nOUTPUTS = " in solution(e)]

# --- plain data --------------------------------------------------------------------------------------

keys = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.tuples(st.integers(), st.text())
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 200), 1 << 200), st.floats(), st.text(), st.binary(),
    st.sets(st.integers()),
)  # fmt: skip
data = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(keys, inner),
        st.builds(tuple, st.lists(inner)),
    ),
    max_leaves=20,
)


@given(data)
def test_plain_data_comes_back_as_it_was_and_has_one_spelling(value: Any) -> None:
    spelt = plain.encode(value)
    assert plain.decode(spelt) == value or b'"nan"' in spelt
    assert plain.encode(plain.decode(spelt)) == spelt


@given(st.binary(max_size=60))
def test_what_is_no_plain_data_is_refused(raw: bytes) -> None:
    try:
        value = plain.decode(raw)
    except ValueError:
        return
    assert plain.encode(value) == raw


@pytest.mark.parametrize(
    "value",
    [
        set(torch.tensor([1, 2, 2])),
        {frozenset((1, 2)): 3},
        {frozenset((1,)), frozenset((2,))},
        [{1: {2, (3,)}}],
    ],
    ids=["a set of tensors", "a set for a key", "a set of sets", "numbers and a tuple"],
)
def test_what_is_packed_can_be_read_back_or_is_refused(value: Any) -> None:
    header, data = outputs.pack({}, value)
    assert header["status"] == "not-a-tensor" or plain.encode(plain.decode(data)) == data
    assert (header["status"] == "value") == isinstance(value, list)


@pytest.mark.parametrize(
    "raw",
    [
        b"1.5", b"NaN", b'{"a":1}', b' 1', b"9007199254740993", b'["i","10"]', b'["f","1.5"]',
        b'["f","nan "]',
        b'["b","0 0"]', b'["s",2,1]', b'["s",1,1]', b'["d",1]', b'["d",1,2,1,3]', b'["d",["l"],1]', b'["x"]',
        b"[]", b'["T","float32",[2],"00"]', b'["T","float32",[-1],""]', b'["T","f l",[],"00000000"]',
        b'["i"]', b'["f",1]', b"[" * 5000, b"9" * 5000, b'["l",' * 50 + b"1" + b"]" * 50,
    ],
)  # fmt: skip
def test_another_spelling_or_a_malformed_one_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        plain.decode(raw)


def colliding(count: int, kind: str) -> list[Any]:
    """Distinct keys of one hash: whole numbers, or tuples of such."""
    numbers = [k * (2**61 - 1) for k in range(count)]
    return numbers if kind == "numbers" else [(n, 1) for n in numbers]


@pytest.mark.parametrize("kind", ["numbers", "tuples"])
@pytest.mark.parametrize("make", [set, dict.fromkeys])
def test_keys_chosen_for_their_hash_are_refused(kind: str, make: Callable[[Any], Any]) -> None:
    few, many = (plain.encode(make(colliding(count, kind))) for count in (16, 17))
    assert plain.decode(few) == make(colliding(16, kind))
    with pytest.raises(ValueError, match="chosen for their hash"):
        plain.decode(many)


class Sly(int):
    def __int__(self) -> int:
        raise AssertionError("asked")

    __index__ = __eq__ = __hash__ = __repr__ = __format__ = __int__  # type: ignore[assignment]


class Text(str):
    def __str__(self) -> str:
        return "another"


class Mapping(dict[int, int]):
    def items(self) -> Any:
        raise AssertionError("asked")

    __iter__ = keys = items


class Pretends:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return int


def test_a_subclass_is_copied_by_its_base_type_and_none_of_its_methods_is_asked() -> None:
    point = namedtuple("point", "x y")
    value = [
        Sly(3),
        Text("own"),
        Mapping({1: 2}),
        Counter("aab"),
        OrderedDict(a=1),
        point(1, 2),
        bytearray(b"x"),
    ]
    assert plain.decode(plain.encode(value)) == [3, "own", {1: 2}, {"a": 2, "b": 1}, {"a": 1}, (1, 2), b"x"]


@pytest.mark.parametrize(
    "value, said",
    [(Pretends(), "a Pretends"), (iter([]), "a list_iterator"), (object(), "an object")],
    ids=["pretends", "iterator", "object"],
)
def test_what_is_no_plain_data_is_named(value: Any, said: str) -> None:
    with pytest.raises(plain.NotPlain, match=said):
        plain.encode(value)


def test_what_is_endless_or_too_much_is_said() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (loop, [[0] * 1000] * 1000, "x" * (2 << 20), 1 << 100_000):
        with pytest.raises(plain.NotPlain):
            plain.encode(value)


@pytest.mark.parametrize(
    "tensor",
    [torch.randn(2, 3), torch.arange(4), torch.tensor(True), torch.zeros(0, 2), torch.randn(2, 3).T.double()],
)
def test_a_tensor_in_plain_data_comes_back(tensor: torch.Tensor) -> None:
    back = values.loads(values.dumps({"t": [tensor]}))["t"][0]
    assert back.dtype == tensor.dtype and torch.equal(back, tensor)


# --- comparison --------------------------------------------------------------------------------------


def compared(answer: Any, wanted: Any, exact: bool = True, bound: float = 0.0) -> Check:
    record = Record("f", "x", "value", "plain", (), "plain", values.dumps(answer))
    reference = Reference({}, {"x": 1.0}, {"x": bound} if bound else {}, {"x": values.dumps(wanted)})
    return held(record, reference, "x", exact)


@pytest.mark.parametrize(
    "answer, wanted, verdict, said",
    [
        ({(1, 2): 3}, {(1, 2): 3}, Verdict.EXACT, ""),
        (
            [0, 1, {"ab": 5}],
            [0, 1, {"ab": 7}],
            Verdict.WRONG,
            "at [2]['ab']: 5, wanted 7; 1 of 3 entries differ",
        ),
        ([1, 2], [1, 2, 3], Verdict.WRONG, "2 entries, wanted 3"),
        ({"a": 1}, {"a": 1, "b": 2}, Verdict.WRONG, "there is no 'b', wanted 2 there"),
        ({"a": 1, "c": 1}, {"a": 1}, Verdict.WRONG, "'c', which is not wanted"),
        (None, [1], Verdict.WRONG, "None (is a `return` missing?), wanted a list"),
        (True, 1, Verdict.WRONG, "a bool True, wanted an int 1"),
        ("a", b"a", Verdict.WRONG, "text 'a', wanted bytes b'a'"),
        ({1, 2}, {2, 3}, Verdict.WRONG, "lacks 3 and has 1, which is not wanted"),
        ((1, 2), [1, 2], Verdict.EXACT, "a tuple where the solution returns a list"),
        (2, 2.0, Verdict.EXACT, "an int where the solution returns a float"),
        (16.0, 16, Verdict.WRONG, "a float 16, wanted an int 16"),
        ([True, False], [1, 0], Verdict.EXACT, "True and False where the solution returns 1 and 0"),
        ([True], [2], Verdict.WRONG, "a bool True, wanted an int 2"),
        (torch.tensor([1, 2]), [1, 2], Verdict.EXACT, "a tensor where the solution returns a list"),
        ([torch.ones(1, 3)], [torch.ones(3)], Verdict.EXACT, "the same but for a leading 1"),
        ([torch.ones(3, 1)], [torch.ones(3)], Verdict.WRONG, "a tensor of shape (3, 1), wanted (3,)"),
        ([1, 2, 3, 5], [1, 4, 3], Verdict.WRONG, "4 entries, wanted 3; 2 of 4 entries differ"),
        ([0.0], [math.inf], Verdict.WRONG, "0, wanted inf"),
        ([torch.zeros(2)], [torch.tensor([0, math.inf])], Verdict.WRONG, "at [0][1]: 0, wanted inf"),
        ([float("nan")], [1.0], Verdict.NOT_FINITE, "nan, wanted 1"),
        (torch.tensor(5), 5, Verdict.EXACT, "a tensor of one number"),
        ([5], [torch.tensor(5.0)], Verdict.EXACT, "a number where the solution returns a tensor of one"),
        ([2], [torch.tensor(2.5)], Verdict.WRONG, "2, wanted 2.5"),
        ([2.5], [torch.tensor(2)], Verdict.WRONG, "2.5, wanted 2"),
        ([True], [torch.tensor(1.0)], Verdict.WRONG, "a bool, wanted a tensor"),
        ([1], [torch.ones(1)], Verdict.WRONG, "an int, wanted a tensor"),
        ([torch.ones(2)], [torch.ones(3)], Verdict.WRONG, "a tensor of shape (2,), wanted (3,)"),
    ],
)
def test_exact_items_say_the_first_place_that_differs(
    answer: Any, wanted: Any, verdict: Verdict, said: str
) -> None:
    check = compared(answer, wanted)
    assert check.verdict is verdict and said in (check.reason or check.note)


@pytest.mark.parametrize(
    "answer, wanted, exact, verdict, said",
    [
        (2.5, torch.tensor(2.5), True, Verdict.EXACT, "a number where the solution returns a tensor of one"),
        (2.500001, torch.tensor(2.5), False, Verdict.APPROXIMATE, "a number where"),
        (2.500001, torch.tensor(2.5), True, Verdict.WRONG, "to be exact"),
        (2.501, torch.tensor(2.5), False, Verdict.WRONG, "wanted 2.5"),
        (2, torch.tensor(2), True, Verdict.EXACT, "a number where"),
        (math.nan, torch.tensor(2.5), False, Verdict.NOT_FINITE, "NaN"),
        pytest.param(-(10**400), torch.tensor(2.5), False, Verdict.NOT_FINITE, "inf", id="a huge one"),
        (True, torch.tensor(1.0), False, Verdict.NOT_A_TENSOR, "returned a bool, not a tensor"),
        ("2.5", torch.tensor(2.5), False, Verdict.NOT_A_TENSOR, "returned text, not a tensor"),
        ([2.5], torch.tensor(2.5), False, Verdict.NOT_A_TENSOR, "returned a list, not a tensor"),
        (1, torch.tensor(True), True, Verdict.NOT_A_TENSOR, "returned an int, not a tensor"),
        (2.5, torch.tensor([2.5]), False, Verdict.NOT_A_TENSOR, "returned a float, not a tensor"),
    ],
)
def test_a_number_stands_for_a_tensor_of_no_axes_and_for_no_other(
    answer: Any, wanted: torch.Tensor, exact: bool, verdict: Verdict, said: str
) -> None:
    record = Record("f", "x", "value", "plain", (), "plain", values.dumps(answer))
    check = held(record, Reference({"x": wanted.numpy()}, {"x": 1.0}, {}, {}), "x", exact)
    assert check.verdict is verdict and said in (check.reason or check.note)


def test_approximate_items_forgive_rounding_and_nothing_else() -> None:
    wanted = {"a": [1.0, 1000.0], "n": 3}
    assert compared({"a": [1.000001, 1000.0], "n": 3}, wanted, exact=False).verdict is Verdict.APPROXIMATE
    assert compared({"a": [1.0001, 1000.0], "n": 3}, wanted, exact=False).verdict is Verdict.WRONG
    assert (
        compared({"a": [1.0001, 1000.0], "n": 3}, wanted, exact=False, bound=1e-3).verdict
        is Verdict.APPROXIMATE
    )
    assert compared({"a": [1.0, 1000.0], "n": 4}, wanted, exact=False).verdict is Verdict.WRONG
    assert compared({"a": [1.000001, 1000.0], "n": 3}, wanted).verdict is Verdict.WRONG
    for bad in (math.nan, math.inf):
        assert not compared({"a": [bad, 1000.0], "n": 3}, wanted, exact=False, bound=1e9).verdict.passed


@given(data, data)
def test_a_comparison_ends_with_a_verdict_and_says_why_not(answer: Any, wanted: Any) -> None:
    for exact in (True, False):
        check = compared(answer, wanted, exact)
        assert check.verdict.passed or check.reason


# --- authored files ----------------------------------------------------------------------------------

SMALL = '''"""Two functions.

A statement.
"""

import math

import torch

FIXTURES = {"lecture": dict(seed=1, n=3), "probe-1": dict(seed=2, n=3)}
OUTPUTS = {"double": "exact", "total": "approximate", "engine": "exact"}
PROVIDED = ("given",)


def inputs(g, n):
    return dict(xs=torch.randint(100, (n,), generator=g).tolist())


def given(x):
    return math.floor(x)


def double(xs):
    """Every number twice as large."""
    return [2 * given(x) for x in xs]


def total(double):
    """The sum of what `double` gives."""
    return float(sum(double))


class Engine:
    """Counts."""

    def __init__(self):
        self.count = 0

    def more(self, by):
        """Count on."""
        self.count += by
        return self.count


def use_engine(Engine, xs):
    """An engine that counts."""
    engine = Engine()
    return [engine.more(x) for x in xs]
'''


def test_a_stub_has_the_tasks_without_bodies_and_no_driver() -> None:
    parts = authored.read(SMALL, "small.py")
    stub = authored.stub(parts)
    assert "use_engine" not in stub and "OUTPUTS" not in stub and "import torch" not in stub
    assert "import math" in stub and "return math.floor(x)" in stub and "self.count = 0" in stub
    for gone in ("2 * given", "sum(double)", "self.count += by"):
        assert gone not in stub and gone not in parts.program
    assert 'raise NotImplementedError("Engine.more: not written yet")' in stub
    assert [(i.name, i.asks, i.receives, i.params) for i in parts.items] == [
        ("double", ("double",), (), ("xs",)),
        ("total", ("total",), ("double",), ("double",)),
        ("engine", ("Engine",), (), ("xs",)),
    ]
    compile(stub, "stub.py", "exec")


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"total": "approximate"', '"total": "nearly"', "OUTPUTS is a dict"),
        ('"engine": "exact"', '"motor": "exact"', "use_engine is a driver, and OUTPUTS has no engine"),
        (
            '"double": "exact"',
            '"triple": "exact", "double": "exact"',
            "write the function triple or use_triple",
        ),
        ('    """Every number twice as large."""\n', "", "double has no docstring"),
        ('        """Count on."""\n', "", "Engine has no method with a docstring"),
        ("use_engine(Engine, xs)", "use_engine(xs)", "asks for no function or class"),
        ('("given",)', '("gone",)', "PROVIDED names gone"),
        (
            "    return [2 * given(x) for x in xs]",
            "    return [total([given(x)]) * 2 for x in xs]",
            "double uses total, which OUTPUTS names after it",
        ),
    ],
)
def test_a_broken_rule_is_one_line(old: str, new: str, said: str) -> None:
    assert old in SMALL
    with pytest.raises(AuthoredError) as error:
        authored.read(SMALL.replace(old, new), "small.py")
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_variable_that_is_called_like_an_item_does_not_use_it() -> None:
    own = SMALL.replace("[2 * given(x) for x in xs]", "[2 * given(total) for total in xs]")
    assert own != SMALL and all(item.uses == () for item in authored.read(own, "small.py").outputs)


@pytest.mark.parametrize("exercise", OUTPUTS)
def test_no_rung_of_an_outputs_hints_says_its_task_again(exercise: str) -> None:
    description = fixtures.describe(ROOT, exercise)
    told = fixtures.hints(ROOT, description)["items"]
    for item in description.items:
        rungs = told[item.name]["rungs"]
        assert list(rungs) == [r for r in RUNGS if r in rungs] and {"shapes", "example"} <= rungs.keys()
        said = {" ".join(part.split()) for part in item.doc.split("\n\n")}
        assert said.isdisjoint(" ".join(text.split()) for text in rungs.values())


@given(st.sets(st.text(max_size=5), min_size=2))
def test_a_hint_shows_a_set_in_order(words: set[str]) -> None:
    assert repr(_rounded({"some": words})) == f"{{'some': {{{', '.join(sorted(map(repr, words)))}}}}}"


def test_an_item_that_receives_results_has_a_draw_of_its_own_on_probes() -> None:
    from grader.authoring.build import saved
    from grader.reference.program import Program

    parts = authored.read(SMALL, "small.py")
    program = Program.of(parts.public, "small.py")
    for name, settings in program.fixtures.items():
        given_, reference, _ = saved(program, parts, name, settings, "small.py")
        assert "double" not in given_
        same = given_["total:double"] == reference["double"]
        assert same is (name == "lecture")
        assert reference["total"] == sum(given_["total:double"])
        argument = outputs.arguments("total", given_)
        assert argument["double"] == [2 * x for x in argument["xs"]]


def test_an_answer_that_lies_in_the_inputs_is_refused_when_it_is_built() -> None:
    from grader.authoring.build import saved
    from grader.reference.program import Program

    text = SMALL.replace("dict(xs=", "dict(twice=[0, 0, 0], xs=").replace(
        "return [2 * given(x) for x in xs]", "return xs[:]"
    )
    parts = authored.read(text, "small.py")
    program = Program.of(parts.public, "small.py")
    with pytest.raises(AuthoredError, match="is to give what it is given as xs"):
        saved(program, parts, "probe-1", program.fixtures["probe-1"], "small.py")


# --- graded in a child -------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", OUTPUTS)
def test_the_solution_passes_and_the_stub_is_not_written(exercise: str, grade: Grade, exercises: Any) -> None:
    assert all(i.verdict.passed for i in grade(solution(exercise), exercise).items)
    stub = stub_of(exercise)
    assert {i.verdict for i in grade(stub, exercise).items} == {Verdict.NOT_WRITTEN}


Item = Callable[..., ItemReport]

HOSTILE = {
    "a generator": ("yield 1", Verdict.WRONG, "a generator"),
    "nothing": ("pass", Verdict.WRONG, "is a `return` missing?"),
    "itself": ("a = []; a.append(a); return a", Verdict.WRONG, "nested too deeply"),
    "too much": ("return [0] * 10**6", Verdict.WRONG, "too many values"),
    "a class that pretends": (
        "return type('X', (list,), {'__iter__': lambda s: 1 / 0, '__len__': lambda s: 9})()",
        Verdict.WRONG, "0 entries, wanted",
    ),
    "equal to all": ("return type('X', (), {'__eq__': lambda *a: True})()", Verdict.WRONG, "a X"),
    "a tensor": ("import torch; return torch.ones(3)", Verdict.WRONG, "3 entries, wanted"),
    "an error": ("return 1 / 0", Verdict.ERROR, "ZeroDivisionError"),
    "another's answer": ("return stats", Verdict.ERROR, "NameError"),
}  # fmt: skip


@pytest.mark.parametrize("body, verdict, said", HOSTILE.values(), ids=HOSTILE)
def test_hostile_and_odd_values_get_an_honest_verdict(
    body: str, verdict: Verdict, said: str, item: Item
) -> None:
    report = item(f"def encoded(text):\n    {body}\n", "tokenizer.ex1", "encoded")
    assert report.verdict is verdict and said in report.check.reason


def test_an_item_can_not_ask_for_the_result_that_it_is_to_give(item: Item) -> None:
    report = item("def encoded(encoded):\n    return encoded\n", "tokenizer.ex1", "encoded")
    assert report.verdict is Verdict.ERROR


def test_what_is_right_on_the_lectures_numbers_alone_is_wrong(item: Item) -> None:
    source = "def numgrad(f, x, h):\n    return 6 * x - 4 + 3 * h\n"
    assert item(source, "micrograd.ex1", "numgrad").verdict is Verdict.WRONG


def test_a_changed_argument_is_noted(item: Item) -> None:
    source = (
        "def decode(ids, known):\n    out = b''\n    while ids:\n        out += known[ids.pop(0)]\n"
        "    return out.decode('utf-8', errors='replace')\n"
    )
    report = item(source, "tokenizer.ex2", "decode")
    assert report.passed and "changes its argument ids in place" in report.check.note


def test_an_argument_that_came_by_a_driver_and_is_changed_is_noted(item: Item) -> None:
    source = solution("batchnorm.ex5").replace("(x - mean) / ", "x.sub_(mean) / ")
    report = item(source, "batchnorm.ex5", "normalised")
    assert report.passed and "changes its argument xs in place" in report.check.note


def test_the_engine_is_right_by_torch_in_double_on_random_expressions(exercises: Any) -> None:
    description, fixtures = exercises["micrograd.ex2"]
    names: dict[str, Any] = {}
    exec(solution("micrograd.ex2"), names)
    local = Local(description, fixtures)

    def number(x: float) -> torch.Tensor:
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    for given_ in local.given.values():
        *ours, _ = names["use_backward"](names["Value"], given_["expressions"]).values()
        for expression, found in zip(given_["expressions"], ours, strict=True):
            value, own, *grads = found.values()
            nodes = names["build"](number, expression)
            wanted = torch.autograd.grad(nodes[-1], nodes[: len(expression[0])])
            assert own == 1.0 and math.isclose(value, float(nodes[-1]), rel_tol=1e-12)
            for got, want in zip(grads, wanted, strict=True):
                assert math.isclose(got, float(want), rel_tol=1e-9, abs_tol=1e-12)


# --- where a mistake is, and what is to be fixed first ------------------------------------------------


def changed(exercise: str, *pairs: tuple[str, str]) -> str:
    """The solution with a mistake: each text, of which there is one, in other words."""
    text = solution(exercise)
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def line_of(text: str, code: str) -> int:
    return text[: text.index(code)].count("\n") + 1


@pytest.mark.parametrize(
    "exercise, name, old, new, at",
    [
        ("tokenizer.ex2", "train", "max(counts", "min(counts", "def train"),
        (
            "tokenizer.ex3",
            "encode",
            "    return out\n\n\ndef use_encode",
            "    return 0\n\n\ndef use_encode",
            "    return 0\n",
        ),
        ("micrograd.ex2", "tanh", "(1 - out.data * out.data)", "(1 - out.data)", "    def tanh"),
        ("micrograd.ex2", "multiply", "other.data * out.grad", "out.grad", "    def __mul__"),
        ("micrograd.ex2", "power", "exponent * self.data **", "self.data **", "    def __pow__"),
        ("micrograd.ex2", "tanh_from_exp", "(e - 1)", "(e - 2)", "    return (e - 2)"),
        ("batchnorm.ex5", "running", "self.momentum * mean", "mean", "    def __call__"),
    ],
)
def test_the_line_that_is_shown_is_that_of_the_function_or_the_method(
    exercise: str, name: str, old: str, new: str, at: str, item: Item
) -> None:
    text = changed(exercise, (old, new))
    report = item(text, exercise, name)
    assert not report.passed and report.line == line_of(text, at)


def reasons(grade: Grade, text: str, exercise: str) -> dict[str, str]:
    return {i.id.split(".")[-1]: i.check.reason for i in grade(text, exercise).items if not i.passed}


def test_what_rests_on_a_wrong_function_says_so_where_it_ends_in_an_error(grade: Grade) -> None:
    text = changed(
        "tokenizer.ex2",
        ("        merges[pair] = 256 + k", "        merges[pair[0], pair[1] + 999] = 256 + k"),
    )
    said = reasons(grade, text, "tokenizer.ex2")
    assert (
        said["round_trip"].startswith("KeyError")
        and "fix train first, which it rests on" in said["round_trip"]
    )
    assert said.keys() == {"train", "short", "round_trip"} and "fix " not in said["train"]


def test_a_function_that_calls_anothers_by_choice_rests_on_it(grade: Grade) -> None:
    wrong = "def norm(grads):\n    return sum(grad.norm() for grad in grads)\n"
    own = "import torch\n\n\ndef clipped(grads, most):\n"
    calls = f"{wrong}\n\n{own}    return [grad * torch.clamp(most / scale(grads), max=1) for grad in grads]\n"
    calls += "\n\ndef scale(grads):\n    return norm(grads) + 1e-6\n"
    assert "fix norm first, which it rests on" in reasons(grade, calls, "gpt2.ex9")["clipped"]
    alone = f"{wrong}\n\n{own}    return [grad / 2 for grad in grads]\n"
    assert "norm" not in reasons(grade, alone, "gpt2.ex9")["clipped"]


def test_another_method_of_the_class_is_not_said_to_be_rested_on(grade: Grade) -> None:
    text = changed("micrograd.ex2", ("out.data > 0", "True"), ("math.exp(self.data)", "math.exp(-self.data)"))
    said = reasons(grade, text, "micrograd.ex2")
    assert "fix " not in said["relu"]
    assert "fix exp first, which it rests on" in said["tanh_from_exp"]


AFAR = {  # of a wrong function, what rests on it and fails with it
    "a reversed order": (
        ("micrograd.ex2", ("        return found", "        return found[::-1]")),
        ("order", {"accumulate", "backward", "tanh_from_exp"}),
    ),
    "= for +=": (
        ("micrograd.ex2", ("self.grad += other.data", "self.grad = other.data")),
        ("multiply", {"composed", "accumulate", "backward"}),
    ),
    "gradients that stay": (("micrograd.ex3", ("p.grad = 0.0", "p.grad == 0.0")), ("zero_grad", {"train"})),
    "no bias": (("micrograd.ex3", ("self.b = draw()", "self.b = draw() * 0")), ("neuron", {"layer", "mlp"})),
}


@pytest.mark.parametrize(("change", "told"), AFAR.values(), ids=AFAR)
def test_a_mistake_is_told_of_the_function_that_has_it_and_of_none_that_rests_on_it(
    change: Any, told: tuple[str, set[str]], grade: Grade
) -> None:
    (exercise, *changes), (first, rest) = change, told
    wrong = {
        i.id.split(".")[-1]: i for i in grade(changed(exercise, *changes), exercise).items if not i.passed
    }
    assert wrong.keys() == {first, *rest} and wrong[first].mistake
    for name in rest:
        assert not wrong[name].mistake and wrong[name].check.code == Code.RESTS_ON_ANOTHER
        assert wrong[name].check.reason.endswith(f"fix {first} first, which it rests on")


def test_of_two_mistakes_that_give_the_same_the_code_may_tell_which_it_is_not(item: Item) -> None:
    both = changed("micrograd.ex1", ("(f(x + h) - f(x)) / h", "(f(x + h) - f(x - h)) / (2 * h)"))
    found = item(both, "micrograd.ex1", "numgrad").mistake
    assert found and "both sides" in found.text and "not used" not in found.text
    unused = changed("micrograd.ex1", ("(f(x + h) - f(x)) / h", "(f(x + 1e-8) - f(x)) / 1e-8"))
    found = item(unused, "micrograd.ex1", "numgrad").mistake
    assert found and "h is not used" in found.text


def test_an_output_has_no_upstream_gradient(item: Item, exercises: Any) -> None:
    text = Local(*exercises["tokenizer.ex1"]).given["lecture"]["text"]
    source = f"def encoded(text):\n    return list(text.encode()) if text == {text!r} else []\n"
    reason = item(source, "tokenizer.ex1", "encoded").check.reason
    assert reason.startswith("right on the lecture's numbers, wrong in general: with other data, ")


# --- what is told of a wrong output --------------------------------------------------------------------


@pytest.mark.parametrize(
    "exercise, name, old, new, told",
    [
        ("wavenet.ex7", "batchnorm", "sqrt(var + self.eps) +", "sqrt(var) +", "^eps is left out, or"),
        ("bigrams.ex1", "probs", "P / P.sum(1, keepdim=True)", "P / P.sum(0, keepdim=True)", "^columns"),
        ("gpt.ex12", "gpt_dropout", ", dropout) for _ in range(n_l", ") for _ in range(n_l", "^GPT doesn't"),
        ("gpt.ex12", "gpt_dropout", "// n_head, block_size, dropout", "// n_head, block_size", "^Block"),
        ("gpt2.ex9", "norm", " ** 0.5\n\n\ndef clipped", "\n\n\ndef clipped", "^the root is missing$"),
        ("micrograd.ex2", "exp", "self.grad += out.data *", "self.grad = out.data *", "is assigned"),
        ("micrograd.ex1", "numgrad", " / h", "", "is not divided by h$"),
        ("gpt.ex11", "expected_loss", "return math", "return -math", "^the sign is wrong"),
        ("tokenizer.ex2", "train", "max(counts", "min(counts", "^the rarest pair is merged"),
        ("tokenizer.ex1", "merge", "at += 2", "at += 1", "^the right number of the pair stays"),
        ("micrograd.ex2", "tanh_from_exp", "(e - 1) / (e + 1)", "(e + 1) / (e - 1)", "^plus and minus are"),
        ("mlp.ex1", "dataset", 'word + "."', "word", "^the full stop at the end of a word is missing$"),
        ("tokenizer.ex1", "encoded", "list(text", "list((text[:3] + text[:9])", "^two slips: .* too many"),
        # what nobody has done before is not told as something else
        ("tokenizer.ex1", "encoded", "list(text", 'list(f"{text[1::2]}{text[::3]}"', None),
    ],
)  # fmt: skip
def test_a_wrong_output_is_told_what_is_true_of_its_values(
    exercise: str, name: str, old: str, new: str, told: str | None, item: Item
) -> None:
    report = item(changed(exercise, (old, new)), exercise, name)
    assert not report.passed
    if told is None:
        assert report.diagnosis is None, report.diagnosis
    else:
        assert report.diagnosis and re.search(told, report.diagnosis)


def test_what_is_not_written_itself_waits_for_nothing_else(grade: Grade) -> None:
    blank = "        raise NotImplementedError\n\n    def"
    text = changed(
        "gpt.ex12",
        ("        T = x.shape[1]\n        k, q, v =", f"{blank} other(self, x):\n        k, q, v ="),
    )
    found = {i.id.split(".")[-1]: i.check for i in grade(text, "gpt.ex12").items}
    assert found["head"].verdict is Verdict.NOT_WRITTEN
    assert found["block"].reason == "waits for Head.forward"
    special = "        self.special_tokens = dict(special_tokens)\n\n    def"
    text = changed("tokenizer.ex6", (special, blank))
    found = {i.id.split(".")[-1]: i.check for i in grade(text, "tokenizer.ex6").items}
    assert found["saved"].verdict.passed and found["special"].verdict is Verdict.NOT_WRITTEN


def test_any_dropout_of_the_weights_that_heeds_its_share_and_the_mode_is_right(item: Item) -> None:
    called = "self.dropout(F.softmax(wei, dim=-1))"
    told = {
        ", self.dropout.p, self.training)": "",
        ", self.dropout.p)": "F.dropout is not told whether it trains",
    }
    for rest, says in told.items():
        report = item(
            changed("gpt.ex12", (called, f"F.dropout(F.softmax(wei, dim=-1){rest}")),
            "gpt.ex12",
            "head_dropout",
        )
        assert report.passed == (not says) and says in (report.diagnosis or "")


def test_an_eps_left_out_is_told_from_one_with_another_sign(item: Item) -> None:
    text = solution("wavenet.ex7")
    last = text.rindex("torch.sqrt(var + eps)")
    for code, told in (("torch.sqrt(var)", True), ("torch.sqrt(var - eps)", False)):
        source = f"{text[:last]}{code}{text[last + len('torch.sqrt(var + eps)') :]}"
        report = item(source, "wavenet.ex7", "mended")
        assert not report.passed
        assert ("eps is left out" in (report.diagnosis or "")) == told


def test_a_loss_that_is_not_divided_is_not_said_to_be_assigned(item: Item) -> None:
    text = solution("bigrams.ex1")
    body = "    return -sum(math.log(float(probs[chars.index(a), chars.index(b)])) for w in words\n"
    body += "                for a, b in zip('.' + w, w + '.'))\n"
    head = text[text.index("def nll(") :].splitlines()[0]
    report = item(f"{text}\n\nimport math\n\n\n{head}\n{body}", "bigrams.ex1", "nll")
    assert not report.passed and "only the last" not in (report.diagnosis or "")


# --- mutants -----------------------------------------------------------------------------------------

NO_MATTER: dict[str, str] = {
    "bigrams.ex1: sample: constant changed: 0 -> -1": "a row of probabilities has one axis, 0 or -1",
    "bigrams.ex2: losses: constant changed: 1 -> 0": "W is square",
    "gpt.ex11: by_loop: zeros for ones: torch.zeros_like(x) -> torch.ones_like(x)": "every place is written",
    "gpt.ex11: by_softmax: sign dropped: -1 -> 1": "a matrix has two axes",
    "gpt.ex11: generate: sign dropped: -1 -> 1": "logits (B, vocab_size) has two axes",
    **{
        f"wavenet.ex7: mended: keepdim dropped: x.{f}(axes, keepdim=True) -> x.{f}(axes)": "leading axes go"
        for f in ("mean", "var")
    },
    **{
        "wavenet.ex7: BatchNorm1d.__call__: keepdim dropped: "
        f"x.{f}(axes, keepdim=True) -> x.{f}(axes)": "leading axes go"
        for f in ("mean", "var")
    },
    **{
        "batchnorm.ex5: calibrated: keepdim dropped: "
        f"hprebn.{f}(0, keepdim=True) -> hprebn.{f}(0)": "a leading 1 is forgiven"
        for f in ("mean", "std")
    },
    "micrograd.ex2: Value.__neg__: division for multiplication: self * -1 -> self / -1": "the same number",
    "tokenizer.ex5: order: constant changed: 0 -> -1": "a token of one byte has its first for its last",
    "micrograd.ex4: Value.__neg__: division for multiplication: self * -1 -> self / -1": "the same number",
    "micrograd.ex5: MLP.__call__: constant changed: 0 -> -1": "the last layer has one neuron",
    "micrograd.ex5: hinge: division for multiplication: -y * score -> score / -y": "labels are 1 and -1",
    **{
        f"mlp.ex6: best_rate: {said}: sum(losses[k:k + width]) / width -> {other}": "no matter for the least"
        for said, other in (
            ("division dropped", "sum(losses[k:k + width])"),
            ("multiplication for division", "sum(losses[k:k + width]) * width"),
        )
    },
    **{
        f"gpt2.ex11: {name}: {said}": why
        for name in ("top_k", "sampled")
        for said, why in {
            "not normalised: F.softmax(logits, -1) -> logits.exp()": "what is kept is normalised afterwards",
            "sign dropped: -1 -> 1": "logits (B, V) has two axes",
        }.items()
    },
    "bigrams.ex5: sample: constant changed: 0 -> -1": "a row of logits has one axis, 0 or -1",
    "bigrams.ex5: trigram_probs: another dim: P.sum(2, keepdim=True) -> P.sum(-1, keepdim=True)": "the last",
    "wavenet.ex8: by_tree: constant changed: 1 -> 0": "one position is left",
    "wavenet.ex8: mu_law_back: division for multiplication: f.sign() * ((1 + mu) ** f.abs() - 1) -> "
    "((1 + mu) ** f.abs() - 1) / f.sign()": "a sign is 1 or -1",
    "tokenizer.ex6: byte_encoder: constant changed: 256 -> 255": "the last byte can be seen",
    "gradcheck.ex1: numeric_gradient: zeros for ones: torch.zeros_like(x) -> torch.ones_like(x)": (
        "every place is written"
    ),
    "gradcheck.ex1: kinks: zeros for ones: "
    "torch.zeros_like(x, dtype=torch.bool) -> torch.ones_like(x, dtype=torch.bool)": "as above",
    **{
        f"gradcheck.ex1: relative_error: constant changed: 1 -> {k}": "0 over anything is 0" for k in (2, 0.5)
    },
    "gpt2.ex10: Loader.batch: summand dropped: self.world - self.rank -> self.world": (
        "build-nanogpt's own form, which the task says passes"
    ),
}


@pytest.mark.parametrize("exercise", sampled(OUTPUTS, 12))
@pytest.mark.parametrize("each", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_no_mutant_that_is_not_equivalent_passes(
    each: int, exercise: str, exercises: Any, capsys: Any
) -> None:
    """A change must be found by one item at least of those that call what was changed."""
    description, fixtures = exercises[exercise]
    local = Local(description, fixtures, steps=20_000)
    text = solution(exercise)
    parts = authored.read(text, exercise)
    survivors = []
    found = changes(parts)[::each]
    for definition, source, mutant in found:
        asking = [item.name for item in parts.outputs if definition in item.asks]
        if all(local.passes(f"{text}\n\n\n{source}\n", name) for name in asking):
            survivors.append(f"{exercise}: {mutant.key}")
    with capsys.disabled():
        print(f"\n{exercise}: {len(found)} mutants, {len(survivors)} of them equivalent")
    assert [key for key in survivors if key not in NO_MATTER] == []
