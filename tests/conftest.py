"""One warm runner for the whole session, loaded with every exercise."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import command
import pytest
from hypothesis import settings

from grader.authoring import authored
from grader.authoring.handout.wheel import NAME, SETTING, TORCH_INDEX
from grader.core.exercise import File, How, Task
from grader.core.verdict import ExerciseReport, ItemReport
from grader.judging import grade as grading
from grader.reference.reproducible import REPRODUCIBLE
from grader.runner.host.client import Runner
from grader.suite import fixtures

pytest_plugins = ["pytester", "tools", "browser"]
os.environ.update(REPRODUCIBLE)  # before torch is there: what is derived in this process has the saved bits
os.environ["GRADER_NO_SERVER"] = "1"  # each command by itself; test_server.py turns it on
# what a release says is to be installed; nobody does
os.environ[SETTING] = f"https://example.org/{NAME}#sha256={'0' * 64}"
os.environ[TORCH_INDEX] = "https://example.org/torch"
# no deadline: the machine may be busy; `make test-all` asks for the other by its name
settings.register_profile("usual", deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("usual")

ROOT = Path(__file__).parent.parent
sys.path[:0] = sorted({str(p.parent) for p in ROOT.glob("tests/*/test_*.py")})  # they use one another
EXERCISES = fixtures.exercises(ROOT)
DEADLINE = 300  # seconds that anything may take that a test waits for: the machine may be busy
GRADIENTS = [e for e in EXERCISES if fixtures.describe(ROOT, e).lines]  # not of outputs alone


def examples(many: int) -> int:
    """How many examples a property gets: `many` where all is tested, in a usual run 15 of 100."""
    profile = settings.default
    assert profile
    return many * profile.max_examples // 100


def descriptors(pid: int | str) -> int:
    """How many a process has, but for the rules that it keeps of each disk that was used."""
    found = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found += "landlock-ruleset" not in os.readlink(link)
    return found


def sampled(cases: Iterable[Any], each: int) -> list[Any]:
    """Parameters of a test of which a usual run takes one in `each`, and `make test-all` the rest too."""
    return [case if number % each == 0 else _slow(case) for number, case in enumerate(cases)]


def _slow(case: Any) -> Any:
    if hasattr(case, "marks"):  # a pytest.param
        return pytest.param(*case.values, id=case.id, marks=[*case.marks, pytest.mark.slow])
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)


def pytest_configure() -> None:
    gc.disable()  # ten thousand tests are made, none is garbage: looking for it takes a fifth of collecting
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell: Ctrl-C is tested
        signal.signal(signal.SIGINT, signal.default_int_handler)


def in_part(ids: Iterable[str], which: int, of: int) -> list[bool]:
    """Whether a test is in one of `of` parts: every `of`-th of a test's parameters, and of what has none."""
    met = Counter[str]()
    found = []
    for one in ids:
        test, _, parameters = one.partition("[")
        kind = test if parameters else ""
        met[kind] += 1
        found.append(met[kind] % of == which % of)
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test-all PART=1/8`, in CI: one in eight of what is slow."""
    if part := os.environ.get("GRADER_TEST_PART"):
        which, of = map(int, part.split("/"))
        slow = [item for item in items if item.get_closest_marker("slow")]
        kept = in_part((item.nodeid for item in slow), which, of)
        left = {id(item) for item, keep in zip(slow, kept, strict=True) if not keep}
        config.hook.pytest_deselected(items=[item for item in items if id(item) in left])
        items[:] = [item for item in items if id(item) not in left]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tensors of the tests are small: more threads would only wait for one another, and for the cores."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exercises() -> dict[str, Task]:
    """Descriptions and verified fixtures by exercise id."""
    descriptions = {name: fixtures.describe(ROOT, name) for name in EXERCISES}
    return {name: Task(d, fixtures.read(ROOT, d)) for name, d in descriptions.items()}


@pytest.fixture(scope="session")
def runner(exercises: dict[str, Task]) -> Iterator[Runner]:
    with Runner() as one:
        for description, fixtures in exercises.values():
            one.load(description, fixtures.given)
        yield one


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """What `command.grader` keeps between its calls ends with the session."""
    yield
    command.close()


class Swallowed(logging.Handler):
    """Keeps what the grader logs: errors of its own that it did not let cost a grade."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(self.format(record))


SWALLOWED = Swallowed()
logging.getLogger("grader").addHandler(SWALLOWED)


@pytest.fixture(autouse=True)
def swallowed() -> Iterator[list[str]]:
    """What was swallowed in a test fails it, unless it takes this list and empties it."""
    yield SWALLOWED.errors
    found = SWALLOWED.errors[:]
    SWALLOWED.errors.clear()
    assert not found, "\n".join(found)


Grade = Callable[..., ExerciseReport]


@pytest.fixture
def grade(runner: Runner, exercises: dict[str, Task]) -> Grade:
    """grade(source, "ex1", items=None): the report of a submission's text."""

    def one(source: str, exercise: str = "ex1", items: list[str] | None = None) -> ExerciseReport:
        file = File("submission.py", source.encode())
        return grading.grade(runner, exercises[exercise], file, How(items))[0]

    return one


@pytest.fixture
def item(grade: Grade) -> Callable[..., ItemReport]:
    """item(source, "ex1", "dprobs"): the report of one item."""

    def one(source: str, exercise: str, name: str) -> ItemReport:
        return grade(source, exercise, [name]).items[0]

    return one


def stub_of(exercise: str) -> str:
    return fixtures.derived(ROOT, fixtures.describe(ROOT, exercise))["stub"]


def solution(exercise: str) -> str:
    return ROOT.joinpath("solutions", *exercise.split(".")).with_suffix(".py").read_text()


@functools.cache
def parts_of(exercise: str) -> authored.Authored:
    """Its authored file, as it is read."""
    return authored.read(solution(exercise), exercise)
