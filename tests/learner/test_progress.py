"""Progress: what passed is remembered, by content; two processes lose nothing; damage costs one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import command
import pytest
from conftest import DEADLINE, EXERCISES, ROOT, solution, stub_of

from grader.core.exercise import Exercise
from grader.learner import progress
from grader.learner.progress import Status, statuses
from grader.suite import fixtures

EX1 = fixtures.describe(ROOT, "ex1")
EX4 = fixtures.describe(ROOT, "ex4")
NAMES = [item.name for item in EX1.items]
STUB1 = stub_of("ex1").encode()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    for name in EXERCISES:
        stub = tmp_path.joinpath("exercises", *name.split(".")).with_suffix(".py")
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(stub_of(name))
    return tmp_path


def start(*args: str, cwd: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *args],
        cwd=cwd,
        env=environ,
        stdout=pipe,
        stderr=pipe,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def grader(*args: str, cwd: Path) -> tuple[int, str, str]:
    ran = command.grader(*args, cwd=cwd, NO_COLOR="1")
    return ran.returncode, ran.stdout, ran.stderr


def write(work: Path, *names: str, exercise: str = "ex1") -> Path:
    """The learner's file with these items written as in the solution."""
    stub, whole = stub_of(exercise), solution(exercise)
    text = stub
    for name in names:
        old = next(f for f in stub.split("\n\n\n") if f.startswith(f"def {name}("))
        new = next(f for f in whole.split("\n\n\n") if f.startswith(f"def {name}("))
        text = text.replace(old.rstrip("\n"), new.rstrip("\n"))
    path = work / f"exercises/{exercise}.py"
    path.write_text(text)
    return path


def state(work: Path) -> dict[str, Any]:
    return dict(json.loads((work / ".grader/progress.json").read_text()))


def listed(work: Path, *words: str) -> dict[str, str]:
    """By item: its status, as `grader list` shows it."""
    code, out, _ = grader("list", *words, cwd=work)
    assert code == 0
    rows = [line.split("  ") for line in out.splitlines()]
    return {row[0].partition("(")[0]: row[-1].strip() for row in rows}


# --- what is remembered ----------------------------------------------------------------------------


def test_a_check_is_remembered_and_an_edit_is_noticed(work: Path) -> None:
    path = write(work, "dlogprobs", "dprobs")
    path.write_text(path.read_text().replace("(1.0 / probs) * dlogprobs", "(2.0 / probs) * dlogprobs"))
    assert listed(work, "ex1")["ex1.dlogprobs"] == "unchecked"
    assert grader("check", "ex1", cwd=work)[0] == 1
    found = listed(work, "ex1")
    assert (found["ex1.dlogprobs"], found["ex1.dprobs"]) == ("passed", "wrong")
    assert found["ex1.dcounts_sum_inv"] == "not written"  # dprobs has not passed
    assert "1 of  26 passed" in grader("list", "backprop", cwd=work)[1].splitlines()[0]
    path.write_text(path.read_text().replace("(2.0 / probs)", "(1.0 / probs)"))
    found = listed(work, "ex1")
    assert (found["ex1.dlogprobs"], found["ex1.dprobs"]) == ("passed", "unchecked")
    assert grader("check", "ex1.dprobs", cwd=work)[0] == 0
    found = listed(work, "ex1")
    assert (found["ex1.dlogprobs"], found["ex1.dprobs"]) == ("passed", "passed")
    assert found["ex1.dcounts_sum_inv"] == "can be done now"


def test_the_attempts_of_an_item_are_kept_and_a_check_of_the_same_is_none(work: Path) -> None:
    right = write(work, "dlogprobs").read_text()
    assert grader("check", "ex1.dprobs", cwd=work)[0] == 1
    assert progress.attempts(state(work), "ex1.dprobs") == [], "not written"
    for text in ("2 * logprobs", "2 * logprobs", "3 * logprobs"):
        body = right.replace("dlogprobs = torch.zeros_like(logprobs)", f"return {text}")
        (work / "exercises/ex1.py").write_text(body)
        grader("check", "ex1", cwd=work)
    (work / "exercises/ex1.py").write_text(right)
    grader("check", "ex1", cwd=work)
    told = progress.attempts(state(work), "ex1.dlogprobs")
    assert [verdict for _, verdict, _ in told] == ["exact", "wrong", "wrong"], told
    assert told[0][2] == "" and told[1][2] != ""
    many = state(work)
    many["attempts"]["ex1.dlogprobs"] *= 100
    (work / ".grader/progress.json").write_text(json.dumps(many))
    (work / "exercises/ex1.py").write_text(f"{right}\n\nmine = 1\n")
    grader("check", "ex1", cwd=work)
    assert len(state(work)["attempts"]["ex1.dlogprobs"]) == progress.ATTEMPTS


@pytest.mark.parametrize(
    "told", [[["x", "wrong", ""]], [[1, "wrong"]], [[1, 2, ""]], [[2**60, "wrong", ""]], 7]
)
def test_damaged_attempts_are_put_aside(told: Any, work: Path) -> None:
    (work / ".grader").mkdir()
    damaged = {**progress.empty(), "attempts": {"ex1.dh": told}}
    (work / ".grader/progress.json").write_text(json.dumps(damaged))
    assert progress.read(work) == progress.empty()
    assert (work / ".grader/progress.bad.json").exists()


def test_a_comment_changes_nothing_and_a_helper_everything(work: Path) -> None:
    path = write(work, "dlogprobs")
    assert grader("check", "ex1.dlogprobs", cwd=work)[0] == 0
    path.write_text(path.read_text() + "\n\n# a remark\n")
    assert listed(work, "ex1")["ex1.dlogprobs"] == "passed"
    path.write_text(path.read_text() + "\n\ndef mine():\n    return 1\n")
    assert listed(work, "ex1")["ex1.dlogprobs"] == "unchecked"


@pytest.mark.parametrize(
    "how", [["--solutions"], ["--submission", "exercises/ex2.py"], ["--fresh", "7"]], ids=lambda x: x[0]
)
def test_only_a_plain_check_of_exercises_is_remembered(how: list[str], work: Path) -> None:
    grader("check", "ex2", *how, cwd=work)
    assert not (work / ".grader").exists()


def test_next_goes_on_where_the_learner_is(work: Path) -> None:
    write(work, "dlogprobs")
    assert grader("check", "ex1", cwd=work)[0] == 1
    code, out, _ = grader("next", cwd=work)
    assert code == 0 and out.startswith("Next: ex1.dprobs\n")
    assert "used by:   logprobs = probs.log()" in out and "`logprobs = probs.log()`" in out
    line = 1 + (work / "exercises/ex1.py").read_text().splitlines().index("def dprobs(probs, dlogprobs):")
    assert f"exercises/ex1.py:{line}" in " ".join(out.split())
    assert grader("next", "ex2", cwd=work)[1].startswith("Next: ex2.dlogits\n")


def test_next_names_the_line_that_check_names(work: Path) -> None:
    write(work, "dlogprobs", "dprobs")
    path = work / "exercises/ex1.py"
    path.write_text(path.read_text().replace("return (1.0 / probs)", "return (-1.0 / probs)"))
    said = grader("check", "ex1", cwd=work)[1].splitlines()[-1]
    where = said.partition("Next: fix ex1.dprobs, ")[2].rstrip(".")
    assert where.startswith("exercises/ex1.py:")
    assert f"First step: fix dprobs in {where}." in " ".join(grader("next", cwd=work)[1].split())


def test_when_all_has_passed_next_says_so(work: Path) -> None:
    write(work, "dlogits", exercise="ex2")
    assert grader("check", "ex2", cwd=work)[0] == 0
    assert grader("next", "ex2", cwd=work)[1] == "Everything has passed.\n"
    assert "nothing to give a hint for" in grader("hint", "ex2", cwd=work)[1]


def test_a_file_that_passed_whole_is_known_by_its_bytes_and_no_other(work: Path) -> None:
    """So the functions of what is done needn't be looked at; what differs by one byte is looked at."""
    path = write(work, *(item.name for item in EX4.items), exercise="ex4")
    right = path.read_bytes()
    assert grader("check", "ex4", cwd=work)[0] == 0
    assert progress.done(EX4, right, state(work)) and set(listed(work, "ex4").values()) == {"passed"}
    path.write_bytes(right + b"# a remark\n")
    assert not progress.done(EX4, path.read_bytes(), state(work))
    assert set(listed(work, "ex4").values()) == {"passed"}
    path.write_bytes(right + b"\n\ndef dbngain(hpreact):\n    return hpreact\n")
    assert listed(work, "ex4")["ex4.dbngain"] == "unchecked"
    assert grader("check", "ex4.dbnbias", cwd=work)[0] == 0  # of another file than the rest
    assert "ex4" not in state(work)["files"]
    assert grader("check", "ex4", cwd=work)[0] == 1
    assert not progress.done(EX4, path.read_bytes(), state(work))
    path.write_bytes(right)
    assert not progress.done(EX4, right, state(work))


def test_what_is_done_is_what_its_statuses_say(work: Path) -> None:
    source = solution("ex4").encode()
    names = [item.name for item in EX4.items] + ["training"]
    for verdicts in ({}, dict.fromkeys(names, "exact"), dict.fromkeys(names[1:], "exact")):
        for last in ("exact", "wrong"):
            known = checked(EX4, source, **(verdicts | {names[-1]: last} if verdicts else {}))
            known["files"] = {"ex4": progress._digest(source)}
            found = statuses(EX4, stub_of("ex4").encode(), source, known)
            assert progress.done(EX4, source, known) == (set(found.values()) == {Status.PASSED})


# --- statuses --------------------------------------------------------------------------------------


def checked(exercise: Exercise, source: bytes, **verdicts: str) -> dict[str, Any]:
    """A state in which these items have had these verdicts on this source."""
    marks = progress.digests(source)
    entry = {"said": "", "line": None}
    items = {
        f"{exercise.id}.{k}": {**entry, "verdict": v, "passed": v == "exact", "source": marks(k)}
        for k, v in verdicts.items()
    }
    return {**progress.empty(), "items": items}


def test_at_the_start_the_first_item_can_be_done_and_what_needs_it_not_yet() -> None:
    found = statuses(EX1, STUB1, STUB1, progress.empty())
    assert list(found) == NAMES
    assert [n for n, s in found.items() if s is Status.READY] == ["dlogprobs"]
    assert set(found.values()) == {Status.READY, Status.LATER}


def test_an_item_is_not_yet_to_be_done_as_long_as_one_of_its_upstream_gradients_has_not_passed() -> None:
    stub = STUB1
    one = statuses(EX1, STUB1, stub, checked(EX1, stub, dprobs="exact"))
    assert one["dcounts"] is Status.LATER and one["dcounts_sum_inv"] is Status.READY
    both = statuses(EX1, STUB1, stub, checked(EX1, stub, dprobs="exact", dcounts_sum="exact"))
    assert both["dcounts"] is Status.READY
    wrong = statuses(EX1, STUB1, stub, checked(EX1, stub, dprobs="exact", dcounts_sum="wrong"))
    assert wrong["dcounts"] is Status.LATER and wrong["dcounts_sum"] is Status.WRONG


def test_what_is_written_is_never_to_wait(work: Path) -> None:
    source = write(work, "dC").read_bytes()
    assert statuses(EX1, STUB1, source, progress.empty())["dC"] is Status.UNCHECKED
    assert statuses(EX1, STUB1, source, checked(EX1, source, dC="wrong"))["dC"] is Status.WRONG
    assert statuses(EX1, STUB1, source, checked(EX1, source, dC="not-written"))["dC"] is Status.LATER


def test_an_item_whose_upstream_comes_from_outside_can_always_be_done() -> None:
    exercise = fixtures.describe(ROOT, "ex3")
    stub = stub_of("ex3").encode()
    assert statuses(exercise, stub, stub, progress.empty()) == {"dhprebn": Status.READY}


def test_training_waits_for_all_gradients() -> None:
    stub = stub_of("ex4").encode()
    names = [item.name for item in EX4.items]
    assert statuses(EX4, stub, stub, progress.empty())["training"] is Status.LATER
    all_passed = checked(EX4, stub, **dict.fromkeys(names, "exact"))
    assert statuses(EX4, stub, stub, all_passed)["training"] is Status.READY
    done = checked(EX4, stub, **dict.fromkeys([*names, "training"], "exact"))
    assert set(statuses(EX4, stub, stub, done).values()) == {Status.PASSED}


@pytest.mark.parametrize("source", [b"def dprobs(:\n", b"\xff\xfe", b"", b"\0", b"x = 1\n"], ids=repr)
def test_any_file_has_statuses(source: bytes) -> None:
    found = statuses(EX1, STUB1, source, progress.empty())
    assert list(found) == NAMES and Status.PASSED not in found.values()


# --- the file --------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from grader.learner import progress
who = sys.argv[1]
for k in range(40):
    def change(state, k=k):
        state["rungs"][f"{who}.{k}"] = k
        state["rungs"]["all"] = state["rungs"].get("all", 0) + 1
    assert not progress.update(Path("."), change)
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [start("-c", WRITER, str(k), cwd=tmp_path) for k in range(4)]
    assert [(w.communicate(timeout=DEADLINE)[1], w.returncode) for w in writers] == [("", 0)] * 4
    rungs = state(tmp_path)["rungs"]
    assert rungs.pop("all") == 160
    assert rungs == {f"{who}.{k}": k for who in range(4) for k in range(40)}


def test_two_checks_at_once_are_both_remembered(work: Path) -> None:
    write(work, "dlogprobs", "dprobs")
    targets = ("ex1.dlogprobs", "ex1.dprobs")
    checks = [start("-m", "grader.cli", "check", target, cwd=work) for target in targets]
    assert [(c.communicate(timeout=DEADLINE)[1], c.returncode) for c in checks] == [("", 0)] * 2
    assert {k for k, v in state(work)["items"].items() if v["passed"]} == set(targets)


BAD = {
    "not JSON": b"garbage",
    "empty": b"",
    "a list": b"[]",
    "another format": b'{"format": 99, "items": {}, "rungs": {}}',
    "no items": b'{"format": 1}',
    "items of another kind": b'{"format": 1, "items": {"ex1.dh": 3}, "rungs": {}}',
    "a number for a text": b'{"format": 1, "items": {"ex1.dh": {"verdict": 1}}, "rungs": {}}',
    "a number for a file": b'{"format": 1, "items": {}, "rungs": {}, "files": {"ex1": 3}}',
    "nested without end": b"[" * 100_000,
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_file_that_is_not_ours_is_put_aside_with_one_line(data: bytes, work: Path) -> None:
    folder = work / ".grader"
    folder.mkdir()
    (folder / "progress.json").write_bytes(data)
    code, out, err = grader("list", "ex2", cwd=work)
    assert code == 0 and out.endswith("can be done now\n")
    assert err.count("\n") == 1 and "kept as .grader/progress.bad.json, begun anew" in err
    assert (folder / "progress.bad.json").read_bytes() == data
    assert grader("list", "ex2", cwd=work)[2] == ""
    (folder / "progress.json").write_bytes(data)  # and a second one doesn't replace the first
    assert grader("hint", "ex2.dlogits", cwd=work)[0] == 0
    assert (folder / "progress.bad-2.json").read_bytes() == data
    assert state(work)["rungs"] == {"ex2.dlogits": 1}


def test_a_state_that_leads_elsewhere_is_not_followed(work: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (work / ".grader").symlink_to(elsewhere)
    write(work, "dlogits", exercise="ex2")
    code, out, err = grader("check", "ex2", cwd=work)
    assert code == 0 and "1 of 1 passed" in out and "nothing can be remembered in .grader/" in err
    assert list(elsewhere.iterdir()) == []
    (work / ".grader").unlink()
    (work / ".grader").mkdir()
    os.mkfifo(work / ".grader" / "progress.json")
    assert grader("list", "ex2", cwd=work)[0] == 0  # and doesn't wait for a writer


def test_where_nothing_can_be_written_everything_works_without(work: Path) -> None:
    (work / ".grader").write_text("in the way")
    write(work, "dlogits", exercise="ex2")
    code, out, err = grader("check", "ex2", cwd=work)
    assert code == 0 and "1 of 1 passed" in out
    assert err.count("\n") == 1 and "nothing can be remembered in .grader/ (File exists)" in err
    assert listed(work, "ex2")["ex2.dlogits"] == "unchecked"
    code, out, err = grader("hint", "ex2.dlogits", cwd=work)
    assert (code, err) == (0, "") and "`grader hint ex2.dlogits --rung 2` gives the next" in out
    assert (work / ".grader").read_text() == "in the way"


def test_a_reason_from_a_submission_is_shown_harmless(work: Path) -> None:
    path = work / "exercises/ex2.py"
    head = path.read_text().partition("    raise NotImplementedError")[0]
    path.write_text(head + '    raise ValueError("\\x1b[31mred\\u202e")\n')
    assert grader("check", "ex2", cwd=work)[0] == 1
    saved = state(work)
    saved["items"]["ex2.dlogits"]["said"] = "\x1b[31mred"
    (work / ".grader/progress.json").write_text(json.dumps(saved))
    out = grader("hint", "ex2.dlogits", cwd=work)[1]
    assert out.startswith("Your last check: error: ") and "\x1b" not in out
    shutil.rmtree(work / ".grader")
