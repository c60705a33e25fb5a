"""Notebooks and flat scripts: each file in tests/notebooks declares the verdict of every item."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatcode
import pytest
from command import grader
from conftest import DEADLINE, sampled

from grader.core.errors import Unreadable
from grader.core.exercise import LOSSES, File, How, Task
from grader.core.verdict import ExerciseReport
from grader.judging.compare import values
from grader.judging.grade import grade, grade_several
from grader.reports.table import row
from grader.runner.host.client import Runner
from grader.submissions.script import is_flat, notebook

Graded = Callable[..., dict[str, ExerciseReport]]
LECTURE = ("ex1", "ex2", "ex3", "ex4")


@pytest.fixture
def graded(runner: Runner, exercises: dict[str, Task]) -> Graded:
    """graded(name, data): the report of each of the lecture's exercises."""

    def all_of_it(
        name: str, data: bytes, only: tuple[str, ...] = LECTURE, **options: Any
    ) -> dict[str, ExerciseReport]:
        return {e: grade(runner, exercises[e], File(name, data), How(**options))[0] for e in only}

    return all_of_it


def told(reports: Mapping[str, ExerciseReport]) -> dict[str, str]:
    return {i.id: f"{i.verdict.value}: {' '.join(row(i))}" for r in reports.values() for i in r.items}


@pytest.mark.parametrize("path", sampled(flatcode.SOURCES, 10), ids=lambda p: p.stem)
def test_a_notebook_gets_what_it_declares(path: Path, graded: Graded) -> None:
    text = path.read_text(encoding="utf-8")
    declared = flatcode.declared(text)
    name, data = flatcode.built(text)
    reports = graded(name, data)
    said = told(reports)
    got = flatcode.verdicts(reports)
    odd = {item: said[item] for item, verdict in got.items() if verdict not in declared.wanted(item)}
    assert not odd
    for item, words in declared.texts:
        assert words in said[item]
    if declared.strict:
        strict = graded(name, data, tuple({i.split(".")[0] for i in declared.strict}), strict=True)
        verdicts = flatcode.verdicts(strict)
        assert {i: verdicts[i] for i, ok in declared.strict.items() if verdicts[i] not in ok} == {}


FIRST = ("dlogprobs", "dprobs", "dcounts_sum_inv")  # what the short ones hold
READY = {
    "nbformat_4_0": "",
    "nbformat_3": "",
    "widgets": "",
    "a_kernel_for_r": "is a notebook in R, not in Python",
    "not_a_notebook": "is not a notebook: it has no cells",
    "broken_json": "is not a notebook: its JSON is broken (line 33)",
    "merge_conflict": "has merge-conflict markers, the first on line ",
    "saved_empty": "is empty",
}


def test_every_ready_notebook_has_an_answer() -> None:
    assert {p.stem for p in flatcode.READY} == set(READY)
    assert len(flatcode.SOURCES) + len(flatcode.READY) > 60


@pytest.mark.parametrize("name", READY)
def test_a_ready_notebook_is_graded_or_refused_in_a_line(name: str, graded: Graded) -> None:
    data = (flatcode.HERE / f"{name}.ipynb").read_bytes()
    if READY[name]:
        with pytest.raises(Unreadable) as refused:
            graded(f"{name}.ipynb", data, ("ex1",))
        assert READY[name] in str(refused.value)
        assert "\n" not in str(refused.value)
    else:
        got = flatcode.verdicts(graded(f"{name}.ipynb", data, ("ex1",)))
        assert {i for i, v in got.items() if v in flatcode.PASS} == {f"ex1.{n}" for n in FIRST}
        assert set(got.values()) <= {*flatcode.PASS, "not-written"}


# --- the command -----------------------------------------------------------------------------------


def command(folder: Path, *words: str, verb: str = "check") -> tuple[int, str, str]:
    done = grader(verb, *words, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def built(folder: Path, name: str) -> str:
    kind, data = flatcode.built((flatcode.HERE / f"{name}.py").read_text(encoding="utf-8"))
    path = folder / f"{name}{Path(kind).suffix}"
    path.write_bytes(data)
    return path.name


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "half.ipynb").write_bytes((flatcode.HERE / "broken_json.ipynb").read_bytes())
    code, out, err = command(tmp_path, "ex1", "half.ipynb")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("grader: half.ipynb is not a notebook: its JSON is broken (line ")


def test_a_flat_script_is_graded_on_the_whole_lecture(tmp_path: Path) -> None:
    name = built(tmp_path, "exported_script")
    for words in ([name], [*LECTURE, "--submission", name]):
        code, out, _ = command(tmp_path, *words)
        assert (code, out.splitlines()[-1]) == (0, "score: 42 of 42. All passed.")
    code, _, err = command(tmp_path, "ex1", "gpt.ex1", "--submission", name)
    assert (code, err) == (2, f"grader: {name} is one exercise's file: name one exercise\n")


def test_strict_asks_for_other_sizes_too(tmp_path: Path) -> None:
    name = built(tmp_path, "hard_coded_sizes")
    assert command(tmp_path, "ex2", name)[0] == 0
    code, out, _ = command(tmp_path, "ex2", name, "--strict")
    assert code == 1
    assert "wrong in general: with other sizes" in out


def test_a_rename_table_says_what_is_called_otherwise(tmp_path: Path) -> None:
    source = "# %%\n#: forward\n# %%\nmine = torch.zeros_like(logprobs)\nmine[range(n), Yb] = -1.0/n\n"
    (tmp_path / "mine.ipynb").write_bytes(flatcode.built(source)[1])
    (tmp_path / "names.toml").write_text('[rename]\nmine = "dlogprobs"\n')
    assert command(tmp_path, "ex1.dlogprobs", "mine.ipynb")[0] == 1
    code, out, _ = command(tmp_path, "ex1.dlogprobs", "mine.ipynb", "--rename", "names.toml")
    assert code == 0
    assert "found as mine" in out


def test_a_rename_table_names_functions_and_classes_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def freq(ids):\n    return {p: 1 for p in zip(ids, ids[1:])}\n")
    (tmp_path / "names.toml").write_text('[rename]\nfreq = "stats"\n')
    words = ("tokenizer.ex1.stats", "--submission", "mine.py")
    assert "not written" in command(tmp_path, *words)[1]
    code, out, _ = command(tmp_path, *words, "--rename", "names.toml")
    assert code == 1 and "(line 1)" in out and "not written" not in out


@pytest.mark.parametrize(
    ("table", "why"),
    {
        "no toml": ("rename", "is no TOML"),
        "no table": ("[names]\nx = 1\n", "has no table [rename]"),
        "an unknown name": ('[rename]\nx = "dlogit"\n', "x = 'dlogit' names no tensor"),
        "a name that isn't there": ('[rename]\nqq = "dlogits"\n', "qq = 'dlogits': what is graded has no qq"),
        "no name": ('[rename]\n"a b" = "dlogits"\n', "'a b' is not a variable's name"),
        "a number": ("[rename]\nx = 3\n", "x = 3 names no tensor"),
        "a list": ('[rename]\nx = ["dlogits"]\n', "x = ['dlogits'] names no tensor"),
        "an endless number": (f"[rename]\nx = {'9' * 5000}\n", "is no TOML"),
    }.values(),
)
def test_a_bad_rename_table_is_told_in_a_line(table: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "names.toml").write_text(table)
    name = built(tmp_path, "plain_script")
    code, out, err = command(tmp_path, "ex1", name, "--rename", "names.toml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"--rename names.toml{'' if why[0] in 'ih' else ':'} {why}" in err


# --- all exercises of one notebook in one child ----------------------------------------------------

ALL_PASS = (flatcode.HERE / "the_lecture_filled_in.py").read_text(encoding="utf-8")
FIRST_LINE = "dlogprobs = torch.zeros_like(logprobs)"
ACTS = {
    "it ends the process": "__import__('os')._exit(0)",
    "it hangs": "\nwhile True: dlogprobs = 1\n",
    "it changes torch": "setattr(torch.Tensor, '__matmul__', lambda a, b: a)",
    "it changes softmax": "setattr(F, 'softmax', lambda *a, **k: 1)",
    "it writes where the grader reads": "__import__('os').write(3, b'x' * 100)",
}


@pytest.mark.parametrize(
    "act", [pytest.param(a, id=i, marks=pytest.mark.slow if "hangs" in i else ()) for i, a in ACTS.items()]
)
def test_what_one_exercise_does_to_its_process_costs_no_other(
    act: str, runner: Runner, exercises: dict[str, Task]
) -> None:
    forward, changed = flatcode.code(ALL_PASS).split(FIRST_LINE, 1)
    first = f"dlogprobs = {act}" if "\n" not in act else act
    source = f"{forward}{first}\n{FIRST_LINE} if dlogprobs is None else dlogprobs{changed}"
    data = flatcode.built(source)[1]
    graded = grade_several(runner, [exercises[e] for e in LECTURE], File("x.ipynb", data))
    assert graded[0][0].items[0].passed == act.startswith("setattr")
    for report, _ in graded[1:]:
        assert all(item.passed for item in report.items), told({report.id: report})


@pytest.mark.parametrize("path", sampled(flatcode.SOURCES[::6], 4), ids=lambda p: p.stem)
def test_together_or_alone_every_exercise_gets_the_same(
    path: Path, graded: Graded, runner: Runner, exercises: dict[str, Task]
) -> None:
    name, data = flatcode.built(path.read_text(encoding="utf-8"))
    together = grade_several(runner, [exercises[e] for e in LECTURE], File(name, data))
    assert {r.id: r for r, _ in together} == graded(name, data)


@pytest.mark.parametrize(
    ("slip", "told_of"),
    [
        (("", ""), ""),
        (("dW1 = embcat.T @ dhprebn", "dW1 = embcat.T @ dhprebn * 1.01"), "W1 after {steps} steps"),
    ],
    ids=["right", "one gradient is 1% too large"],
)
@pytest.mark.parametrize("strict", [False, True], ids=["10 steps", "100 steps"])
def test_training_is_cut_short_unless_it_is_strict(
    slip: tuple[str, str], told_of: str, strict: bool, runner: Runner, exercises: dict[str, Task]
) -> None:
    name, data = flatcode.built(flatcode.code(ALL_PASS).replace(*slip))
    report, run = grade(runner, exercises["ex4"], File(name, data), How(strict=strict))
    item = report.items[-1]
    assert item.passed == (not told_of)
    if told_of:
        assert item.check.reason.startswith(told_of.format(steps=100 if strict else 10))
    else:
        taken = "100 manual steps" if strict else "10 of 100 manual steps"
        assert item.check.note.startswith(taken)
    losses = values(run.records["training", LOSSES])
    assert losses is not None and len(losses) == (100 if strict else 10)


# --- hostile ones ----------------------------------------------------------------------------------

SHORT = "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/n\n"


def test_a_function_in_place_of_a_gradient_is_told(tmp_path: Path) -> None:
    source = "logits = h @ W2 + b2\ndef dprobs(probs):\n    return probs\ndlogprobs = [1]\n"
    (tmp_path / "mine.ipynb").write_bytes(cells(source))
    said = command(tmp_path, "ex1", "mine.ipynb")[1]
    assert "not a tensor: dprobs is a function here; flat code assigns the gradient itself" in said
    assert "not a tensor: returned a list, not a tensor" in said


ENGINE = (
    "class Value:\n    def __init__(self, data):\n        self.data, self.grad = data, 0.0\nloss = Value(2.0)"
)


@pytest.mark.parametrize("asked", [[], ["ex1"]])
def test_a_notebook_of_another_lecture_is_told_whose_it_is(asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "first.ipynb").write_bytes(cells(ENGINE))
    code, out, error = command(tmp_path, *asked, "first.ipynb")
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert "`grader check micrograd.ex2 first.ipynb` grades it so" in error
    assert command(tmp_path, "micrograd.ex2", "first.ipynb")[0] == 1


def test_an_exercise_that_is_absent_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_bytes(cells(flatcode.PARTS["forward"], SHORT))
    code, out, _ = command(tmp_path, "mine.ipynb")
    assert code == 1
    assert "\nex4: 0 of 14 passed: nothing assigns any of its gradients\n" in out
    assert "ex4.dh" not in out and "ex1.dh " in out


def test_report_names_a_notebook_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text("{")
    code, _, error = command(tmp_path, "ex1", "mine.ipynb", verb="report")
    assert (code, error) == (2, "grader: mine.ipynb is not a notebook: its JSON is broken (line 1)\n")


def cells(*sources: str) -> bytes:
    return json.dumps(flatcode.notebook([("code", s) for s in sources])).encode()


FORWARD = flatcode.PARTS["forward"]
NO_TEXT: list[Any] = [[1, None, {}], 3, None, [FORWARD], SHORT]
HOSTILE = {
    "nested brackets": cells(FORWARD, "x = " + "[" * 5000 + "]" * 5000, SHORT),
    "a sum of ten thousand": cells(FORWARD, "x = " + "1+" * 10_000 + "1", SHORT),
    "ten thousand minus signs": cells(FORWARD, "x = " + "-" * 10_000 + "1", SHORT),
    "a chain of attributes": cells(FORWARD, "x" + ".y" * 20_000, SHORT),
    "NUL bytes": cells(FORWARD, "x = '\0'\0", SHORT),
    "lone surrogates": cells(FORWARD, "x = '\ud800'", SHORT),
    "cell marks inside a string": cells(FORWARD, "x = '''\n# %% \n# In[3]:\n'''\n" + SHORT),
    "many cells": cells(FORWARD, *["x = 1"] * 20_000, SHORT),
    "statements that all hang together": cells(FORWARD, "\n".join(["x = 1", *["x = x + y"] * 20_000]), SHORT),
    "names of Python's own": cells(
        FORWARD,
        "__class__ = 1\n__builtins__ = {}\ntorch = None\nrange = None",
        "import torch\ndel range",
        SHORT,
    ),
    "sources that are no text": json.dumps(
        {"cells": [*({"cell_type": "code", "source": s} for s in NO_TEXT), 7]}
    ).encode(),
    "functions that call each other": cells(
        FORWARD, "\n".join(f"def f{i}():\n    return f{(i + 1) % 500}()" for i in range(500)), SHORT
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_costs_nothing_but_itself(name: str, graded: Graded) -> None:
    report = graded("x.ipynb", HOSTILE[name], ("ex1",))["ex1"]
    verdict = report.items[0].verdict
    if name != "names of Python's own":
        assert verdict.value in flatcode.PASS, told({"ex1": report})["ex1.dlogprobs"]
    assert {i.verdict.value for i in report.items[1:]} == {"not-written"}


REFUSED = {
    "deep JSON": b'{"cells": ' + b"[" * 200_000,
    "deep metadata": b'{"cells": [], "metadata": ' + b'{"a": ' * 100_000 + b"1" + b"}" * 100_001,
    "a number without end": b'{"cells": [' + b"9" * 10_000 + b"]}",
    "no text": b"\xff\xfe\x00\xd8" * 100,
    "a list": b"[]",
    "code without end": cells("x = 1\n" * 500_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_notebook_is_refused_in_a_line(name: str) -> None:
    with pytest.raises(Unreadable) as refused:
        notebook(REFUSED[name])
    assert len(str(refused.value)) < 100


# --- a class ---------------------------------------------------------------------------------------


def test_a_class_of_notebooks_is_graded_on_all_four_exercises(tmp_path: Path) -> None:
    (tmp_path / "class/ann").mkdir(parents=True)
    (tmp_path / "class/bob").mkdir()
    (tmp_path / "class/ann/my work.ipynb").write_bytes(flatcode.built(ALL_PASS)[1])
    source = (flatcode.HERE / "only_the_first_exercise.py").read_text(encoding="utf-8")
    (tmp_path / "class/bob/his.ipynb").write_bytes(flatcode.built(source)[1])
    for words in (["--exercise", "ex2"], []):  # the second time one of the four is known already
        code, _, error = command(tmp_path, "class", "--out", "grades", *words, verb="batch")
        assert (code, error) == (1, "")
        found = [json.loads(line) for line in (tmp_path / "grades/results.jsonl").read_text().splitlines()]
        got: dict[str, dict[str, bool]] = {r["student"]: {} for r in found}
        for result in found:
            (exercise,) = result["exercises"]
            got[result["student"]][exercise["id"]] = result["passed"]
    asked = {e: e == "ex1" for e in LECTURE}
    assert got == {"ann": dict.fromkeys(LECTURE, True), "bob": asked}


LEFT = {
    "dh = 1": True,
    "  dh, dW2 = 1, 2": True,
    "x,dh\t, y = f()": True,
    "dh += 1": True,
    "dh *= 2": True,
    "dh == 1": False,
    "if dh == 1: pass": False,
    "print(x, dh=1)": False,
    "f(dh) = 1": False,
    "x = dh = 1": False,
    "dhs = 1": False,
    "dh.data = 1": False,
    "# dh = 1": False,
}


@pytest.mark.parametrize("line", LEFT)
def test_a_script_is_flat_that_assigns_a_gradient(line: str, exercises: dict[str, Task]) -> None:
    assert is_flat(f"logits = 1\n{line}\n", exercises["ex1"][0]) == LEFT[line]
    assert not is_flat(f"def forward():\n    logits = 1\n{line}\n", exercises["ex1"][0])


@pytest.mark.parametrize("kind", ["code", "markdown"])
@pytest.mark.parametrize(("cells", "lines"), [(50_001, 0), (1, 100_001), (401, 250)])
def test_a_notebook_of_too_many_lines_is_refused(kind: str, cells: int, lines: int) -> None:
    book = {"nbformat": 4, "cells": [{"cell_type": kind, "source": "\n" * lines}] * cells}
    with pytest.raises(Unreadable, match="has more than 100000 lines"):
        notebook(json.dumps(book).encode())


LONG = """
from grader.core.exercise import Exercise, Gradient, Line
from grader.submissions.script import is_flat
exercise = Exercise("ex1", lines=(Line("logits", "", ()),), items=(Gradient("dh", "h"),))
print(is_flat("logits = 1\\n" + ",".join(["dh"] * 600_000) + "\\n", exercise))
"""


def test_a_line_of_many_names_is_read_once() -> None:
    ran = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, timeout=DEADLINE)
    assert ran.stdout == "False\n", ran.stderr
