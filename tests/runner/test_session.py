"""A child that stays: round after round of functions in a submission's place, and what may go wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from grader.core.exercise import File, Task
from grader.judging.compare import values
from grader.runner import wire
from grader.runner.host import client
from grader.runner.host.client import Part, Runner
from grader.runner.host.fresh import Fresh
from grader.runner.host.session import Round, Session

SOURCE = "import torch\nKEPT = []\n\n\ndef dprobs(probs):\n    return probs\n"
ON = ("lecture", "probe-2")
TWICE = "def dprobs(probs, dlogprobs):\n    return dlogprobs * {}\n"


@pytest.fixture(scope="module", params=["fork", "fresh"])
def either(request: pytest.FixtureRequest, exercises: dict[str, Task]) -> Iterator[Runner]:
    """A runner as it is with fork, and as where there is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "FORKS", request.param == "fork")
        one = Runner()
    with one:
        assert isinstance(one.starter, Fresh) == (request.param == "fresh")
        one.load(exercises["ex1"].exercise, exercises["ex1"].fixtures.given)
        yield one


def session(runner: Runner, source: str = SOURCE) -> Session:
    return Session(runner, Part("ex1", ON, []), File("x.py", source.encode()))


def factors(found: Round | None, upstream: dict[str, np.ndarray]) -> dict[tuple[str, int], float]:
    """By fixture and number, by how much the upstream gradient was multiplied."""
    assert found is not None
    told = {}
    for (f, k), record in sorted(found.items()):
        value = values(record)
        assert value is not None
        told[f, k] = float(value.sum() / upstream[f].sum())
        assert np.allclose(value, told[f, k] * upstream[f], rtol=1e-4)
    return told


@pytest.fixture
def upstream(exercises: dict[str, Task]) -> dict[str, np.ndarray]:
    import safetensors.numpy

    given = exercises["ex1"].fixtures.given
    return {f: safetensors.numpy.load(given[f])["dlogprobs"].astype(float) for f in ON}


def test_each_round_is_answered_and_what_fails_is_left_out(
    either: Runner, upstream: dict[str, np.ndarray]
) -> None:
    with session(either) as one:
        texts = [TWICE.format(2.0), "def dprobs(:", TWICE.format("[]"), TWICE.format("3.0 / nothing")]
        first = one.run([("dprobs", t) for t in texts], ON[:1])
        assert factors(first, upstream) == pytest.approx({("lecture", 0): 2.0})
        second = one.run([("dprobs", TWICE.format(k)) for k in (5.0, 7.0)], ON)
        assert factors(second, upstream) == pytest.approx(
            {("lecture", 0): 5.0, ("lecture", 1): 7.0, ("probe-2", 0): 5.0, ("probe-2", 1): 7.0}
        )
        assert one.run([], ON) == {}


def test_it_is_one_child_until_that_ends_and_then_another(either: Runner) -> None:
    keeps = "def dprobs(probs):\n    KEPT.append(1)\n    return probs[0, 0] * 0 + len(KEPT)\n"
    dies = "import os\ndef dprobs(probs):\n    os._exit(3)\n"
    with session(either) as one:

        def kept() -> float:
            found = one.run([("dprobs", keeps)], ["lecture"])
            assert found is not None
            return float(np.asarray(values(found["lecture", 0])))

        assert [kept(), kept()] == [1.0, 2.0]
        assert one.run([("dprobs", keeps), ("dprobs", dies)], ["lecture"]) is None
        assert kept() == 1.0


def test_a_request_may_be_longer_than_a_pipe_holds(either: Runner, upstream: dict[str, np.ndarray]) -> None:
    long = TWICE.format("4.0  # " + "x" * 3_000_000)
    with session(either) as one:
        assert factors(one.run([("dprobs", long)], ON[:1]), upstream) == pytest.approx({("lecture", 0): 4.0})


@pytest.mark.parametrize(
    "source",
    [
        SOURCE + "while True: pass\n",
        SOURCE + "import os\nos.closerange(3, 99)\n",
        SOURCE + "import os\nos.write(3, b'x' * 99)\n",
        SOURCE
        + "import os\nfor fd in range(1, 30):\n"
        + "  try: os.write(fd, b'{\"end\": true}' * 50_000)\n  except OSError: pass\n",
    ],
    ids=["never", "closes", "writes", "floods"],
)
def test_a_submission_that_spoils_it_holds_nobody_up(
    source: str, either: Runner, upstream: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is larger than a pipe: who wrote it without looking would wait for ever."""
    long = TWICE.format("4.0  # " + "x" * 3_000_000)
    monkeypatch.setattr(either, "wall", 1.0)
    whole = [("dprobs", long), ("dprobs", TWICE.format(2.0))]
    with session(either, source) as one:
        found = one.run(whole, ON[:1])
        assert found is None or factors(found, upstream)["lecture", 1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    "answer",
    ["os.close(3)", "[(os.write(3, b'!'), time.sleep(0.0001)) for _ in range(99_999)]"],
    ids=["closed", "byte by byte"],
)
def test_a_child_that_never_ends_its_answer_costs_time_but_no_work(
    answer: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trusted side waits; it must not look again and again at what will not come, or comes by bytes."""
    spoils = f"import os, time\ndef dprobs(probs):\n    {answer}\n    time.sleep(60)\n"
    with session(runner) as one:
        assert one.run([("dprobs", "def dprobs(probs):\n    return probs\n")], ON[:1])
        monkeypatch.setattr(runner, "wall", 1.0)
        before = time.process_time()
        assert one.run([("dprobs", spoils)], ON[:1]) is None
        assert time.process_time() - before < 0.4


def test_rounds_share_what_may_be_sent_until_it_is_counted_anew(
    either: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what is kept of many rounds would have no bound."""
    one_round = [("dprobs", TWICE.format(k)) for k in range(4)]
    with session(either) as one:
        assert one.run(one_round, ON[:1])
        monkeypatch.setattr(wire, "MAX_SENT", 2 * one.sent + 9)
        assert one.run(one_round, ON[:1])
        one.begin()
        assert one.run(one_round, ON[:1])
        assert one.run(one_round, ON[:1])
        assert one.run(one_round, ON[:1]) is None


def test_its_child_is_as_confined_as_any(runner: Runner) -> None:
    tries = (
        "import os\ndef dprobs(probs):\n    try:\n        os.listdir('/')\n        seen = 1.0\n"
        "    except OSError:\n        seen = 0.0\n    return probs[0, 0] * 0 + seen\n"
    )
    with session(runner) as one:
        found = one.run([("dprobs", tries)], ["lecture"])
        assert found is not None and one.off is not None
        free = float(np.asarray(values(found["lecture", 0])))
    assert (free == 0.0) or {"landlock", "seccomp"} & {*one.off}
    assert list(one.off) == runner.trial()["off"]
