"""Hints of outputs: four rungs for every item, of the learner's own function, and true examples."""

from __future__ import annotations

import ast
import builtins
import doctest
import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from conftest import EXERCISES, ROOT, solution

from grader.authoring import authored
from grader.authoring.authored import RUNGS
from grader.authoring.build import derive
from grader.authoring.hints.outputs import worked
from grader.core.exercise import Output
from grader.suite import fixtures

DESCRIBED = {name: fixtures.describe(ROOT, name) for name in EXERCISES}
TOLD = {name: fixtures.hints(ROOT, e)["items"] for name, e in DESCRIBED.items() if e.outputs}
STUBS = {name: fixtures.derived(ROOT, DESCRIBED[name])["stub"] for name in TOLD}
ITEMS = [(name, item) for name in TOLD for item in DESCRIBED[name].outputs]
GIVEN = {"torch", "Value"}  # what an example may use beside the stub's own: the engine of the exercise before


def each(test: Callable[[str, Output], None]) -> Callable[[str], None]:
    """A test of an item as one of an exercise: of each of its items, by name where one fails."""

    @pytest.mark.parametrize("name", TOLD)
    def of_all(name: str) -> None:
        for item in DESCRIBED[name].outputs:
            try:
                test(name, item)
            except (AssertionError, pytest.fail.Exception) as error:
                error.add_note(f"{name}.{item.name}")
                raise

    return of_all


def rungs(name: str, item: Output) -> dict[str, str]:
    return dict(TOLD[name][item.name]["rungs"])


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that a source defines or imports, and those that it reads."""
    nodes = list(ast.walk(ast.parse(source)))
    made = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    made |= {(a.asname or a.name).split(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}
    made |= {a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
    made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    made |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return made, {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def code(text: str) -> str:
    return "".join(one.source for one in doctest.DocTestParser().get_examples(text))


def test_there_are_many() -> None:
    assert len(ITEMS) > 100


@each
def test_every_output_has_four_rungs(name: str, item: Output) -> None:
    texts = rungs(name, item)
    assert tuple(texts) == RUNGS
    assert all(text.strip() and len(text) < 1500 for text in texts.values())


@each
def test_an_example_is_written_with_what_the_learner_has(name: str, item: Output) -> None:
    source = code(rungs(name, item)["example"])
    made, read = names(source)
    assert read - made - names(STUBS[name])[0] - GIVEN - set(dir(builtins)) == set()
    parts = item.about.split(".")
    said = {item.about, parts[0], parts[-1], *item.asks}
    assert said & {*read, *re.findall(r"\w+", source)} or {"__add__", "__mul__", "__pow__"} & {parts[-1]}


@each
def test_an_example_is_what_the_solution_gives(name: str, item: Output) -> None:
    """As a learner would see it who types it in, numbers to five digits."""
    known: dict[str, Any] = {"__name__": "solution"}
    exec(compile(solution(name), name, "exec"), known)
    examples = doctest.DocTestParser().get_examples(rungs(name, item)["example"])
    shown = 0
    for one in examples:
        if not one.want:
            exec(one.source, known)
        elif one.want == "ValueError is raised\n":
            with pytest.raises(ValueError):
                exec(one.source, known)
            shown += 1
        elif "Value(" in one.want:  # as it is shown
            assert "".join(repr(eval(one.source, known)).split()) == "".join(one.want.split())
            shown += 1
        else:
            value = eval(one.source, known)
            wanted = eval(one.want, {**known, "tensor": torch.tensor, "inf": torch.inf})
            same(value, wanted)
            shown += 1
    assert shown


def same(a: Any, b: Any) -> None:
    """Alike to five digits."""
    if isinstance(a, torch.Tensor):
        assert a.shape == b.shape
        torch.testing.assert_close(a.double(), b.double(), rtol=1e-4, atol=1e-8)
    elif isinstance(a, list | tuple):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif type(a) is float:
        assert a == pytest.approx(b, rel=1e-4)
    else:
        assert type(a) is type(b) and a == b


def drivers_own(name: str, item: Output) -> tuple[set[str], set[str]]:
    """What only the item's driver has: its parameters, and the words under which it gives results."""
    if not item.driver:
        return set(), set()
    tree = ast.parse(solution(name))
    driver = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == item.driver)
    learners = set(re.findall(r"\w+", STUBS[name]))
    keys = {key for n in ast.walk(driver) if isinstance(n, ast.Dict) for key in n.keys}
    words = {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return (
        {a.arg for a in driver.args.args} - learners,
        {one for one in words if " " in one and re.search(r"\w{4}", one) and one[:4] != "the "},
    )


@each
def test_a_hint_speaks_of_no_driver(name: str, item: Output) -> None:
    texts = rungs(name, item)
    text = "\n".join(texts.values())
    params, labels = drivers_own(name, item)
    classes = {n.name for n in ast.parse(solution(name)).body if isinstance(n, ast.ClassDef)}
    theirs = classes - {"Value", *re.findall(r"\w+", STUBS[name])}
    assert theirs & {word.removesuffix("s") for word in re.findall(r"\w+", texts["shapes"])} == set()
    assert [one for one in (*labels, "calls(", "use_", "driver", "the grader") if one in text] == []
    read = names(code(texts["example"]))
    quoted = set(re.findall(r"`(\w+)`", text))
    told = {one for line in texts["shapes"].splitlines() for one in line.partition(" ")[0].split(", ")}
    assert params & (quoted | told | (read[1] - read[0])) == set()


@each
def test_shapes_name_the_parameters(name: str, item: Output) -> None:
    known: dict[str, Any] = {"__name__": "solution"}
    exec(compile(solution(name), name, "exec"), known)
    texts = rungs(name, item)
    subject = known.get(item.about)
    if inspect.isfunction(subject) and "Nothing to write" not in texts["concept"]:
        assert [
            p for p in inspect.signature(subject).parameters if not re.search(rf"\b{p}\b", texts["shapes"])
        ] == []


@pytest.mark.parametrize("name", TOLD)
def test_no_line_of_a_solution_is_in_the_hints(name: str) -> None:
    """Apart from the examples, which only use what is to be written."""
    said = [v for item in TOLD[name].values() for k, v in item["rungs"].items() if k != "example"]
    told, stub = (re.sub(r"\s", "", text) for text in ("\n".join(said), STUBS[name]))
    checked = 0
    for node in ast.walk(ast.parse(solution(name))):
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign) and node.value is not None:
            line = re.sub(r"\s", "", ast.unparse(node.value))
            if len(line) > 11 and line not in stub and not isinstance(node.value, ast.Constant | ast.Dict):
                checked += 1
                assert line not in told, line
    assert checked > 3


# --- how they are made -------------------------------------------------------------------------------


def test_an_example_is_run_and_its_results_are_written_under_it() -> None:
    names = {"double": lambda x: 2 * x, "torch": torch}
    text = "Twice:\n    >>> x = double(0.123456789)\n    >>> x\n    >>> double(torch.ones(2, 2))\n"
    assert worked(text, names).splitlines() == [
        "Twice:", "    >>> x = double(0.123456789)", "    >>> x", "    0.24691",
        "    >>> double(torch.ones(2, 2))", "    tensor([[2.0, 2.0],", "            [2.0, 2.0]])",
    ]  # fmt: skip
    assert names.keys() == {"double", "torch"}


OWN = '''"""Sums.

Of numbers.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, n=4),
    "probe-1": dict(seed=2, n=4),
    "probe-2": dict(seed=3, n=3),
    "probe-3": dict(seed=4, n=6),
}
OUTPUTS = {"total": "exact"}


def inputs(g, n):
    return dict(numbers=torch.randint(9, (n,), generator=g).tolist())


def total(terms, start):
    """The sum of all terms, from start on."""
    for term in terms:
        start += term
    return start


def use_total(total, numbers):
    return calls("total", total, (numbers, 1), ([2], 3))
'''


def test_without_a_word_of_the_author_s_the_calls_are_shown() -> None:
    files = derive(OWN, "own")
    told = json.loads(fixtures.unpacked(files["fixtures/own/hints.json.gz"]))["items"]["total"]["rungs"]
    assert list(told) == ["shapes", "example"] and "    >>> total([2], 3)\n    5" in told["example"]
    assert told["shapes"] == ("terms is a list of integers.\nstart is an integer.\ntotal returns an integer.")


def test_an_example_that_can_t_be_read_is_told() -> None:
    hints = 'HINTS = {"total": {"example": "    >>> total(("}}\n'
    with pytest.raises(authored.AuthoredError, match="an example of HINTS can't be read"):
        derive(OWN.replace("OUTPUTS =", hints + "OUTPUTS ="), "own")
