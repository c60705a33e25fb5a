"""`grader new` and the build of an exercise of one's own: what is refused, what is written, what is next."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from command import grader
from conftest import GRADIENTS, parts_of
from test_release import PASSED, USAGE, contents

from grader.authoring import authored, build, skeleton, straight_line
from grader.authoring.item import AuthoredError

# --- is it flat ------------------------------------------------------------------------------------------

NOT_FLAT = {
    "for i in range(3):\n        x = x @ W": (2, "`for i in range(3):` is a loop: write its steps"),
    "while True:\n        break": (2, "is a loop"),
    "if n > 2:\n        x = x + 1": (2, "is a branch"),
    "h = x @ W\n    h += b": (3, "h is changed in place: write `h2 = h + b`, and h2 from here on"),
    "h1 = x\n    h2 = x\n    h1 *= b": (4, "write `h3 = h1 * b`, and h3 from here on"),
    "h = x @ W\n    h[0] = 0": (3, "`h[0] = 0` writes into a tensor: torch.where or torch.cat"),
    "x[0] -= 1": (2, "x[0] is changed in place: torch.where or torch.cat"),
    "x.add_(1)": (2, "changes a tensor in place: give the result a new name, without the underscore"),
    "h = x.add_(1)": (2, "`x.add_(1)` changes a tensor in place"),
    "h = x @ W\n    h = h + b": (3, "h is named a second time: call it h2 from here on"),
    "x = x + b": (2, "x is named a second time: call it x2"),
    "a, c = x, b": (2, "names several tensors: write a line for each"),
    "a = c = x": (2, "names several tensors"),
    "h: float = x @ W": (2, "has a type: leave it out"),
    "print(x)": (2, "`print(x)` names no tensor: leave it out"),
    "return x": (2, "`return x` is not the last line"),
    "h = (x @ W\n         + b)": (2, "is longer than a line: split it"),
    "h = torch.tanh(x @ W)": (2, "write `h_in = x @ W`, then `h = torch.tanh(h_in)`"),
    "h = (x @ W).sum(0)": (2, "write `h_in = x @ W`, then `h = h_in.sum(0)`"),
    "h = x.exp().log()": (2, "write `h_in = x.exp()`, then `h = h_in.log()`"),
    "h = torch.cat([x @ W, b], 1)": (2, "write `h_in = x @ W`, then `h = torch.cat([h_in, b], 1)`"),
    "h_in = x\n    h = torch.tanh(-x)": (3, "write `h_in2 = -x`, then `h = torch.tanh(h_in2)`"),
    "h = torch.stack([r for r in x])": (2, "`[r for r in x]` is a loop"),
    "h = x if n else b": (2, "hides a step: write it out"),
}  # fmt: skip


@pytest.mark.parametrize("body", NOT_FLAT)
def test_what_is_not_flat_is_named_with_what_to_write_instead(body: str) -> None:
    source = f"def net(x, W, b, n):\n    {body}\n    loss = x.sum()\n    return loss\n"
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    line, said = NOT_FLAT[body]
    found = straight_line.problem(node)
    assert found and found[0] == line and said in found[1], found
    with pytest.raises(AuthoredError, match=f"net.py, line {line}: "):
        skeleton.begin("net.ex1", source, "net", "net.py")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def net(self, x):\n    loss = x.sum()\n    return loss", "line 1: `self` hides"),
        ("def net(x, *more):\n    loss = x.sum()\n    return loss", "line 1: name all that it works with"),
        ("def net(x, n=3):\n    loss = x.sum()\n    return loss", "without defaults"),
        ("def net(x):\n    loss = x.sum()", "line 2: end with `return loss`"),
        ("def net(x):\n    return x.sum()", "`loss = x.sum()`, then `return loss`"),
        ("def net(x):\n    a = x.sum()\n    b = x.sum()\n    return a", "the last tensor that is named, b"),
        ("def net(x):\n    loss = = x", "line 2: invalid syntax"),
        ("def other(x):\n    return x", "has no function net; it has other"),
        ("def dims():\n    return 2\n\n\ndef inputs(g):\n    return dims()\n\n\n"
         "def net(x):\n    loss = x.sum()\n    return loss",
         "line 1: dims begins with d, as items do: call it otherwise"),
        ("class A:\n    def net(self):\n        return 1", "there it is a method"),
    ],
)  # fmt: skip
def test_a_function_that_can_t_be_taken_is_told_of(source: str, said: str) -> None:
    with pytest.raises(AuthoredError) as error:
        skeleton.begin("net.ex1", source, "net", "net.py")
    assert said in str(error.value)


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_the_suite_s_own_forward_passes_are_refused_only_with_a_way_to_write_them(exercise: str) -> None:
    """None is refused for nothing: a line that is, holds a step inside a step, as its author meant it."""
    node = ast.parse(parts_of(exercise).forward).body[0]
    assert isinstance(node, ast.FunctionDef)
    if found := straight_line.problem(node):
        assert "step inside a step" in found[1] or "longer than a line" in found[1], found


# --- the command -----------------------------------------------------------------------------------------

NET = '''"""A net."""

import math

import torch
import torch.nn.functional as F

SCALE = 0.5
UNUSED = torch.zeros(3)
FIXTURES = {
    "lecture": dict(seed=1, n=4, d=3),
    "probe-1": dict(seed=2, n=4, d=3),
    "probe-2": dict(seed=3, n=5, d=2),
    "probe-3": dict(seed=4, n=7, d=6),
}


def noise(g, *shape):
    return torch.randn(shape, generator=g) * SCALE


def inputs(g, n, d):
    return dict(x=noise(g, n, d), W=noise(g, d, d), Y=torch.randint(0, d, (n,), generator=g))


def unused():
    return math.pi


def net(x, W, Y, n):
    a = x @ W
    b = a * x + a  # used twice
    logits = b / n
    loss = F.cross_entropy(logits, Y)
    return loss
'''
BODIES = {
    "dlogits": "out = F.softmax(logits, 1)\n    out[range(n), Y] -= 1\n    return out / n",
    "db": "return dlogits / n",
    "da": "return db * x + db",
    "dW": "return x.T @ da",
    "dx": "return db * a + da @ W.T",
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def filled(text: str, **bodies: str) -> str:
    for name, body in bodies.items():
        text = text.replace(f'raise NotImplementedError("{name}: not written yet")', body)
    return text.replace("def dlogits(logits, Y)", "def dlogits(logits, Y, n)")


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.stderr.startswith("grader: ") and ran.stderr.count("\n") == 1, ran.stderr
    return ran.stderr


def test_from_a_forward_function_to_an_exercise(own: Path) -> None:
    ran = grader("new", "net", "--forward", "net.py::net", "--stubs", cwd=own)
    assert ran.returncode == PASSED, ran.stderr
    assert "5 items are added, in backward order: dlogits, db, da, dx, dW." in ran.stdout
    file = own / "solutions/net/ex1.py"
    text = file.read_text()
    assert "SCALE = 0.5" in text and "def noise(" in text and "def forward(x, W, Y, n):" in text
    assert not {"UNUSED", "def unused", "import math", "def net("} & {w for w in (
        "UNUSED", "def unused", "import math", "def net(") if w in text}  # fmt: skip
    shown = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.startswith("def d")]
    for number, line in shown[1:]:
        assert f"  line {number:<4} {line.removesuffix(':')}" in ran.stdout
    assert "da (4, 3)" in text and "Upstream: db (4, 3)" in text

    # what is there is kept, and told again
    again = grader("new", "net", cwd=own)
    assert again.returncode == PASSED and "Write next" in again.stdout and file.read_text() == text
    assert "is there already" in one_line(grader("new", "net", "--forward", "net.py::net", cwd=own))

    before = contents(own)
    assert "dlogits is not written yet, nor are 4 more" in one_line(grader("build", "net", cwd=own))
    assert contents(own) == before
    file.write_text(filled(text, **BODIES))
    ran = grader("build", "net", cwd=own)
    assert ran.returncode == PASSED, ran.stderr
    ran = grader("check", "net", "--solutions", cwd=own)
    assert "score: 5 of 5. All passed." in ran.stdout, ran.stdout + ran.stderr
    assert "Next: `grader build net`" in grader("new", "net", cwd=own).stdout
    assert grader("list", cwd=own).stdout.startswith("net    0 of   5 passed")


def begun(**bodies: str) -> str:
    """The authored file of NET, as `grader new` writes it, with some bodies."""
    text = skeleton.begin("net.ex1", NET, "net", "net.py")
    items = skeleton.items(*authored.network(text, "net"), **build.network(text, "net"))
    return filled("\n\n".join([text, *items.values()]), **bodies)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(db="return dlogits * n"), "db is not autograd's gradient on lecture: at ["),
        (dict(db="return dlogits / 4"), "db is not autograd's gradient on probe-2: at ["),
        (dict(dW="return (x.T @ da).sum(0)"), "dW gives (3,) on lecture, autograd (3, 3)"),
        (dict(dW="return x @ da"), "dW stops on lecture: RuntimeError: mat1 and mat2"),
        (dict(dW="return da.tolist()"), "dW gives list on lecture"),
    ],
    ids=["value", "one size", "shape", "stops", "kind"],
)
def test_a_gradient_that_is_not_autograd_s_is_not_built(change: dict[str, str], said: str) -> None:
    with pytest.raises(AuthoredError) as error:
        build.derive(begun(**{**BODIES, **change}), "net.ex1")
    assert said in str(error.value) and "solutions/net/ex1.py, line " in str(error.value)


def test_sizes_that_are_the_same_everywhere_are_warned_of() -> None:
    said: list[str] = []
    build.derive(begun(**BODIES), "net.ex1", tell=said.append)
    assert said == []
    same = re.sub(r"n=\d, d=\d", "n=4, d=3", begun(**BODIES))
    build.derive(same, "net.ex1", tell=said.append)
    assert said == ["net.ex1: no fixture has other sizes than the first: a size written as a number passes"]


def test_from_nothing_the_skeleton_says_what_to_write(tmp_path: Path) -> None:
    ran = grader("new", "mine", cwd=tmp_path)
    file = tmp_path / "solutions/mine/ex1.py"
    assert ran.returncode == PASSED and "Then: `grader new mine` adds an item" in ran.stdout
    todo = [n for n, line in enumerate(file.read_text().splitlines(), 1) if "TODO" in line]
    assert todo and all(f"  line {n:<4} " in ran.stdout for n in todo)
    assert "inputs is not written yet" in one_line(grader("build", "mine", cwd=tmp_path))
    text = file.read_text()
    for number in range(1, 5):
        text = text.replace(f"dict(seed={number})", f"dict(seed={number}, n={number + 2}, d={number + 3})")
    body = "return dict(x=torch.randn((n, d), generator=g), W=torch.randn((d, d), generator=g))"
    text = text.replace("inputs(g)", "inputs(g, n, d)")
    file.write_text(text.replace('raise NotImplementedError("inputs: not written yet")', body))
    said = one_line(grader("new", "mine", cwd=tmp_path))
    assert "at the sizes of lecture (n=3, d=4): forward takes b, which is no size and not of inputs()" in said
    file.write_text(file.read_text().replace(
        "W=torch.randn((d, d), generator=g)",
        "W=torch.randn((d, d), generator=g), b=torch.zeros(d), Y=torch.randint(0, d, (n,), generator=g)",
    ))  # fmt: skip
    assert "4 items are added" in grader("new", "mine", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a = x @ W", "a = x @ W.T @ x", "at the sizes of lecture (n=4, d=3): `a = x @ W.T @ x` stops: Run"),
        ("W=noise(g, d, d)", "W=noise(g, d, e)", "inputs() stops: NameError: name 'e' is not defined"),
        (
            "W=noise(g, d, d)",
            "W=torch.rand(d, d)",
            "inputs() gives another W each time: draw it with its gen",
        ),
        ("loss = F.cross_entropy(logits, Y)", "loss = logits * 2", "must end with one number, the loss"),
    ],
)
def test_a_network_that_doesn_t_run_is_told_of_by_its_line(old: str, new: str, said: str) -> None:
    text = skeleton.begin("net.ex1", NET.replace(old, new), "net", "net.py")
    with pytest.raises(AuthoredError) as error:
        build.network(text, "net")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Net"], "Net is no exercise's name: small letters, such as rnn or rnn.ex1"),
        (["../net"], "is no exercise's name"),
        (["a.b.c"], "is no exercise's name"),
        (["net", "--forward", "nosuch.py::net"], "--forward nosuch.py can't be read: No such file"),
        (["net", "--forward", "net.py"], "net.py has no function forward; it has noise, inputs"),
        (["net", "--forward", "net.py", "--stubs"], "net.py has no function forward; it has noise, inputs"),
    ],
)
def test_wrong_usage_is_told_in_one_line(own: Path, arguments: list[str], said: str) -> None:
    ran = grader("new", *arguments, cwd=own)
    assert ran.returncode == USAGE and said in one_line(ran)
    assert not (own / "solutions").exists()


# --- build -----------------------------------------------------------------------------------------------

MIXED = '''

OUTPUTS = {"best": "exact"}


def best(x):
    """The largest of each row."""
    return x.argmax(1).tolist()
'''


def test_outputs_and_gradients_in_one_file_are_refused() -> None:
    with pytest.raises(AuthoredError) as error:
        build.derive(begun(**BODIES) + MIXED, "net.ex1")
    said = "dlogits is a gradient and best an output: put the gradients into an exercise of their own"
    assert said in str(error.value)


def test_build_takes_a_set_and_check_tells_of_one_that_is_not_built(own: Path) -> None:
    (own / "solutions/net").mkdir(parents=True)
    for number in (1, 2):
        (own / f"solutions/net/ex{number}.py").write_text(begun(**BODIES))
    said = "net has no fixtures yet: `grader build net` makes them"
    assert said in one_line(grader("check", "net", cwd=own))
    ran = grader("build", "net", cwd=own)
    assert ran.returncode == PASSED, ran.stderr
    assert "wrote exercises/net/ex1.py" in ran.stdout and "wrote exercises/net/ex2.py" in ran.stdout
    ran = grader("build", "net.ex2", "--check", cwd=own)
    assert ran.stdout == "1 exercise: stubs, notebooks and fixtures are what solutions/ gives\n"
    assert "solutions/ has no gpt; it has the sets net" in one_line(grader("build", "gpt", cwd=own))
