"""One warm runner for the whole session, loaded with every exercise."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import command
import pytest
from hypothesis import settings

from grader import fixture
from grader.fixture import Fixtures
from grader.grading import check
from grader.runner.client import Runner
from grader.settings import REPRODUCIBLE
from grader.verdict import ExerciseReport, ItemReport

pytest_plugins = ["pytester"]
os.environ.update(REPRODUCIBLE)  # before torch is there: what is derived in this process has the saved bits
os.environ["GRADER_NO_SERVER"] = "1"  # each command by itself; test_server.py turns it on
# no deadline: the machine may be busy; `make test-all` asks for the other by its name
settings.register_profile("usual", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("usual")

ROOT = Path(__file__).parent.parent
EXERCISES = fixture.exercises(ROOT)
DEADLINE = 300  # seconds that anything may take that a test waits for: the machine may be busy
GRADIENTS = [e for e in EXERCISES if fixture.describe(ROOT, e)["lines"]]  # not of outputs alone


def examples(many: int) -> int:
    """How many examples a property gets: `many` where all is tested, in a usual run a fifth."""
    profile = settings.default
    assert profile
    return many * profile.max_examples // 100


def sampled(cases: Iterable[Any], each: int) -> list[Any]:
    """Parameters of a test of which a usual run takes one in `each`, and `make test-all` the rest too."""
    return [
        case if number % each == 0 else pytest.param(*_parameters(case), marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]


def _parameters(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell: Ctrl-C is tested
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tensors of the tests are small: more threads would only wait for one another, and for the cores."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


Exercises = dict[str, tuple[dict[str, Any], Fixtures]]  # by id an exercise's description and its fixtures


@pytest.fixture(scope="session")
def exercises() -> Exercises:
    """Descriptions and verified fixtures by exercise id."""
    descriptions = {name: fixture.describe(ROOT, name) for name in EXERCISES}
    return {name: (d, fixture.read(ROOT, d)) for name, d in descriptions.items()}


@pytest.fixture(scope="session")
def runner(exercises: Exercises) -> Iterator[Runner]:
    with Runner() as one:
        for description, fixtures in exercises.values():
            one.load(description, fixtures.given)
        yield one


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """What `command.grader` keeps between its calls ends with the session."""
    yield
    command.close()


Grade = Callable[..., ExerciseReport]


@pytest.fixture
def grade(runner: Runner, exercises: Exercises) -> Grade:
    """grade(source, "ex1", items=None): the report of a submission's text."""

    def one(source: str, exercise: str = "ex1", items: list[str] | None = None) -> ExerciseReport:
        description, fixtures = exercises[exercise]
        return check(runner, description, fixtures, source.encode(), "submission.py", items)[0]

    return one


@pytest.fixture
def item(grade: Grade) -> Callable[..., ItemReport]:
    """item(source, "ex1", "dprobs"): the report of one item."""

    def one(source: str, exercise: str, name: str) -> ItemReport:
        return grade(source, exercise, [name]).items[0]

    return one


def stub_of(exercise: str) -> str:
    return fixture.derived(ROOT, fixture.describe(ROOT, exercise))["stub"]


def solution(exercise: str) -> str:
    return ROOT.joinpath("solutions", *exercise.split(".")).with_suffix(".py").read_text()
