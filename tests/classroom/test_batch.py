"""A class graded: what is written, in which order, once only, and whatever some of the class hand in."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from classroom import (
    FAILED,
    FAULT,
    GRADER,
    OUTPUTS,
    PASSED,
    USAGE,
    Counting,
    One,
    batch_command,
    batch_process,
    controls,
    environ,
    grades,
    one_line,
    quiet,
    results,
    right,
    snapshot,
    verdicts,
    write,
    wrong,
    zipped,
)
from conftest import DEADLINE, ROOT, solution, stub_of

from grader.classroom import batch, files
from grader.classroom.batch import Progress
from grader.classroom.local import Local
from grader.classroom.results import Result
from grader.classroom.summary import Summary
from grader.core.errors import GraderFault
from grader.core.exercise import Task
from grader.submissions.uploads import Intake, uploads

SCHEMA = json.loads((ROOT / "grader/reports/report.schema.json").read_text())
EXERCISES = ["ex1", "ex2", "ex3", "ex4"]
ITEMS = len([line for line in solution("ex1").splitlines() if line.startswith("def d")])

Described = Mapping[str, Task]


@pytest.fixture(scope="module")
def ex1(exercises: dict[str, Task]) -> Described:
    return {"ex1": exercises["ex1"]}


@pytest.fixture(scope="module")
def local(ex1: Described) -> Iterator[Local]:
    one = Local(ex1)
    yield one
    one.close()


def graded(
    folder: Path, exercises: Described, out: Path, grader: batch.Grader, workers: int = 2
) -> tuple[Summary, Progress]:
    """A batch in this process, written as the command writes it."""
    out.mkdir(exist_ok=True)
    last = Progress(0)

    def look(progress: Progress) -> None:
        nonlocal last
        last = progress

    found = uploads([folder], Intake(EXERCISES, "ex1"))
    return files.write(batch.run(batch.Class(found, exercises), out, grader, workers, look), out), last


# --- what is written -------------------------------------------------------------------------------

CLASS = {
    "leeann_1_2_ex1.py": right("ann"),
    "raybob_LATE_3_4_ex1.py": wrong("bob"),
    "=cmd|'c'!A0_5_6_ex1.py": right("carol"),
    "dora_7_8_essay.pdf": "essay",
    "emil_9_10_ex1.py": "def dprobs(:\n",
    "finn_11_12_ex1-1.py": right("finn"),
    "finn_11_13_ex1.py": wrong("finn"),
}
ORDER = ["=cmd|'c'!A0", "dora", "emil", "finn", "leeann", "raybob"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("class")
    path = zipped(base / "submissions.zip", CLASS)
    ran = batch_process(path, "--exercise", "ex1", out=base / "out")
    assert ran.returncode == FAILED, ran.stderr
    (base / "stdout").write_bytes(ran.stdout)
    return base


def test_every_line_follows_the_schema_in_the_order_of_submissions(written: Path) -> None:
    found = results(written / "out")
    for line in found:
        jsonschema.validate(line, SCHEMA)
    assert [r["name"] for r in found] == ORDER
    assert [r["passed"] for r in found] == [True, False, False, True, True, False]
    assert [r["late"] for r in found] == [False] * 5 + [True]
    assert [r["score"] for r in found] == [ITEMS, 0, 0, ITEMS, ITEMS, ITEMS - 1]
    assert "no .py or .ipynb file; it has essay.pdf" in found[1]["problem"]
    assert not any(r["problem"] for r in found if r["name"] != "dora")
    assert found[3]["submission"].endswith("finn_11_12_ex1-1.py")
    assert "newest of 2 uploads" in found[3]["note"]
    assert verdicts(found[5])["ex1.dnorm_logits"] == "wrong"
    assert all(r["protection_off"] == [] for r in found)


def test_grades_csv_has_a_row_each_and_no_formula(written: Path) -> None:
    rows = grades(written / "out")
    assert list(rows[0]) == list(files.COLUMNS)
    assert [r["name"] for r in rows] == ["'=cmd|'c'!A0", *ORDER[1:]]
    assert [(r["score"], r["max_score"], r["passed"], r["late"]) for r in rows[3:]] == [
        (str(ITEMS), str(ITEMS), "yes", "no"),
        (str(ITEMS), str(ITEMS), "yes", "no"),
        (str(ITEMS - 1), str(ITEMS), "no", "yes"),
    ]
    assert [r["exercise"] for r in rows] == ["ex1", "", "ex1", "ex1", "ex1", "ex1"]
    assert "no .py or .ipynb file" in rows[1]["note"] and rows[5]["note"] == "late"


@pytest.mark.parametrize(
    "start",
    ["a;=1+2;b", "a; @x", ";;+1", "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "＝1+1", "＋1"],
)
def test_a_cell_is_never_a_formula(start: str, tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "student": start,
        "name": start,
        "submission": start,
        "note": start,
        "problem": "",
        "late": False,
        "passed": True,
        "score": 0,
        "max_score": 0,
        "exercises": [],
        "notes": [],
        "output": "",
        "identical_to": None,
        "protection_off": [],
    }
    files.write([row], tmp_path)
    with (tmp_path / "grades.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.reader(file))[1]
    assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋"))]
    for (
        separator
    ) in ",;\t":  # as a spreadsheet may split a line, quotes within a field being no more than text
        for line in (tmp_path / "grades.csv").read_text().splitlines():
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
                parts = next(csv.reader([line], delimiter=separator, quoting=quoting))
                assert not [p for p in parts if p.strip().startswith(("=", "+", "-", "@", "＝", "＋"))], line


def test_each_student_has_a_text(written: Path) -> None:
    texts = {p.name: p.read_text() for p in (written / "out" / "reports").iterdir()}
    assert len(texts) == len(ORDER)
    (bob,) = [t for name, t in texts.items() if "raybob" in name]
    assert f"score: {ITEMS - 1} of {ITEMS}" in bob and "note: late" in bob
    (line,) = [line for line in bob.splitlines() if line.startswith("ex1.dnorm_logits ")]
    assert "  wrong: " in line and "(line " in line
    (diagnosis,) = [i["diagnosis"] for r in results(written / "out") for e in r["exercises"]
                    for i in e["items"] if i["id"] == "ex1.dnorm_logits" and i["diagnosis"]]  # fmt: skip
    assert f"  wrong: {diagnosis}" in line
    (dora,) = [t for name, t in texts.items() if "dora" in name]
    assert "not graded: no .py or .ipynb file; it has essay.pdf" in dora


def test_no_report_is_lost_to_another_of_a_like_name(tmp_path: Path) -> None:
    names = ["a b", "a_b", "a+b", "a_b.py-2", "A_B", "ä_b", "ö_b", "a" * 200, "b" + "a" * 199]
    found = []
    for name in names:
        problem = batch._problem(uploads([_one(tmp_path)], Intake(EXERCISES, "ex1"))[0], "x")
        own = {"submission": f"in/{name}.py" if "." not in name else f"in/{name}"}
        found.append(
            {**problem, **own, "student": "", "name": "", "late": False, "note": "", "identical_to": None}
        )
    files.write(found, tmp_path)
    texts = [p.read_text().split("\n")[0] for p in (tmp_path / "reports").iterdir()]
    assert sorted(texts) == sorted(r["submission"] for r in found)


def _one(folder: Path) -> Path:
    return write(folder, {"one.py": right()}) / "one.py"


def test_the_summary_counts(written: Path) -> None:
    summary = json.loads((written / "out" / "summary.json").read_text())
    assert (summary["submissions"], summary["passed"]) == (6, 3)
    assert sum(summary["verdicts"].values()) == 5 * ITEMS
    assert summary["items"]["ex1.dnorm_logits"] == {"asked": 5, "passed": 3}
    assert summary["items"]["ex1.dprobs"] == {"asked": 5, "passed": 4}
    assert summary["commonest"]["ex1.dnorm_logits: wrong"] == 1
    assert [p.split(": ", 1)[1] for p in summary["problems"]] == ["no .py or .ipynb file; it has essay.pdf"]
    assert summary["identical"] == {} and summary["protection_off"] == []
    text = (written / "out" / "summary.txt").read_text()
    assert text.startswith("6 submissions, 3 passed everything\n")
    assert " 60% passed  ex1.dnorm_logits" in text and "not graded:" in text
    assert (written / "stdout").read_text().startswith(text)


def test_nothing_else_is_left(written: Path) -> None:
    assert {p.name for p in (written / "out").iterdir()} - {".lock", ".seed"} == set(OUTPUTS)
    assert (written / "out" / ".seed").stat().st_mode & 0o077 == 0


def test_the_order_is_the_submissions_whatever_the_order_of_work(tmp_path: Path, ex1: Described) -> None:
    """The first ones are answered last."""
    folder = write(tmp_path / "in", {f"s{n:02}.py": right(n) for n in range(12)})
    turn, left = threading.Condition(), [*range(12)]

    class Backwards(One):
        def grade(self, exercise: str, source: bytes, filename: str) -> Result:
            number = next(n for n in range(12) if right(n).encode() == source)
            with turn:
                # of those under way (13 threads take all 12), the last goes first
                assert turn.wait_for(lambda: number == max(left), timeout=DEADLINE)
                left.remove(number)
                turn.notify_all()
            return {**EMPTY, "output": f"s{number:02}.py"}

    graded(folder, ex1, tmp_path / "out", Backwards(), workers=12)
    assert [r["output"] for r in results(tmp_path / "out")] == [f"s{n:02}.py" for n in range(12)]


EMPTY: Result = {
    "schema": "grader/report/v1.1",
    "submission": "",
    "score": 0,
    "max_score": 0,
    "passed": True,
    "exercises": [],
    "output": "",
    "notes": [],
    "protection_off": [],
}


class Echo(One):
    """Grades nothing: what it was asked comes back."""

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        return {**EMPTY, "output": f"{exercise} {source.decode('latin-1')}"}


# --- once only -------------------------------------------------------------------------------------

ALIKE = {
    "folders": [f"{who}/ex1.py" for who in ("ann", "bob", "eve")],
    "files": [f"{who}.py" for who in ("ann", "bob", "eve")],
    "Canvas": [f"{who}_{n}_{n + 50}_ex1.py" for n, who in enumerate(("ann", "bob", "eve"))],
    "Moodle": [f"{who}_{n}_assignsubmission_file/ex1.py" for n, who in enumerate(("ann", "bob", "eve"))],
    "Moodle, flat": [f"{who}_assignsubmission_file_ex1.py" for who in ("ann_0", "bob_1", "eve_2")],
    "Gradescope": [f"x_export/submission_{n}/ex1.py" for n in range(3)],
}  # fmt: skip


@pytest.mark.parametrize("paths", ALIKE.values(), ids=ALIKE)
def test_identical_submissions_are_graded_once_and_listed(
    paths: list[str], tmp_path: Path, ex1: Described
) -> None:
    sources = [right("copied"), right("own work"), right("copied")]
    folder = write(tmp_path / "in", dict(zip(paths, sources, strict=True)))
    counting = Counting(Echo())
    summary, _ = graded(folder, ex1, tmp_path / "out", counting)
    first, second, third = results(tmp_path / "out")
    assert [first["identical_to"], second["identical_to"]] == [None, None]
    assert third["identical_to"] == first["submission"]
    assert summary.identical == {first["submission"]: [third["submission"]]}
    assert len(counting.asked) == 2
    text = (tmp_path / "out" / "summary.txt").read_text()
    assert f"{first['submission']} = {third['submission']}" in text


def test_untouched_stubs_are_no_copies_and_have_no_place(tmp_path: Path, ex1: Described) -> None:
    folder = write(tmp_path / "in", {f"{who}/ex1.py": stub_of("ex1") for who in ("ann", "bob")})
    write(folder, {f"{who}/ex1.py": "# nothing\n" for who in ("eve", "joe")})
    local = Local(ex1)
    summary, _ = graded(folder, ex1, tmp_path / "out", local)
    local.close()
    assert summary.identical == {}
    texts = sorted((tmp_path / "out/reports").iterdir())
    assert all(line.endswith("  not written") for line in texts[0].read_text().splitlines()[4:])
    assert f"{4 * ITEMS:8}  not written\n" in (tmp_path / "out/summary.txt").read_text()


def test_a_second_run_regrades_nothing_and_gives_the_same_bytes(
    tmp_path: Path, ex1: Described, local: Local
) -> None:
    sources = {f"s{n}/ex1.py": right(n) if n % 3 else wrong(n) for n in range(9)}
    folder = write(tmp_path / "in", {**sources, "z/ex1.py": sources["s4/ex1.py"], "no/a.txt": "x"})
    counting = Counting(local)
    out = tmp_path / "out"
    _, progress = graded(folder, ex1, out, counting)
    assert (progress.done, progress.passed, progress.failed, progress.errors) == (11, 7, 3, 1)
    assert (len(counting.asked), progress.reused) == (9, 0)
    before = snapshot(out)
    _, progress = graded(folder, ex1, out, counting)
    assert (len(counting.asked), progress.reused) == (9, 10)
    assert snapshot(out) == before
    # one changes: it alone is graded anew, the rest of the bytes stay
    write(folder, {"s5/ex1.py": wrong("changed")})
    graded(folder, ex1, out, counting)
    assert [source for _, source, _ in counting.asked[9:]] == [wrong("changed").encode()]
    found = {Path(r["submission"]).parent.name: r["passed"] for r in results(out)}
    assert not found["s5"] and found["s4"] and found["z"]
    old, new = before["results.jsonl"].splitlines(), snapshot(out)["results.jsonl"].splitlines()
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
    # and back: the results of before are not kept, so it is graded again, to the same bytes
    write(folder, {"s5/ex1.py": sources["s5/ex1.py"]})
    graded(folder, ex1, out, counting)
    assert snapshot(out) == before


def test_the_command_gives_the_same_bytes_whatever_the_workers(tmp_path: Path, written: Path) -> None:
    path = written / "submissions.zip"
    for workers in ("1", "4"):
        out = tmp_path / f"out{workers}"
        ran = batch_command(path, "--exercise", "ex1", "--workers", workers, out=out)
        assert ran.returncode == FAILED
        assert snapshot(out) == snapshot(written / "out")


def test_a_changed_fixture_or_grader_makes_all_results_old(
    tmp_path: Path, ex1: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "in", {f"s{n}/ex1.py": right(n) for n in range(3)})
    counting = Counting(Echo())
    graded(folder, ex1, tmp_path / "out", counting)
    graded(folder, ex1, tmp_path / "out", counting)
    assert len(counting.asked) == 3
    description, fixtures = ex1["ex1"]
    first, *rest = description.fixtures
    first = replace(first, given=replace(first.given, sha256="0" * 64))
    other = replace(description, fixtures=(first, *rest))
    graded(folder, {"ex1": Task(other, fixtures)}, tmp_path / "out", counting)
    assert len(counting.asked) == 6
    monkeypatch.setattr(batch, "__version__", "999")
    graded(folder, {"ex1": Task(other, fixtures)}, tmp_path / "out", counting)
    assert len(counting.asked) == 9


def test_one_file_for_two_exercises_is_two_results(tmp_path: Path, exercises: dict[str, Task]) -> None:
    folder = write(tmp_path / "in", {"ann/ex1.py": right(), "ann/ex2.py": right()})
    found = uploads([folder], Intake(EXERCISES, None))
    both = {name: exercises[name] for name in ("ex1", "ex2")}
    told = list(batch.run(batch.Class(found, both), tmp_path, Echo(), 2, quiet))
    assert [r["output"].split()[0] for r in told] == ["ex1", "ex2"]
    assert [r["identical_to"] for r in told] == [None, None]


# --- faults of the grader's own --------------------------------------------------------------------


class Faulty(Echo):
    """Fails on some, as often as it is asked."""

    broken = True

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        if self.broken and b"# bad" in source:
            raise GraderFault("the computing process ended: \x1b[31mwhy")
        return super().grade(exercise, source, filename)


def test_a_fault_is_told_not_kept_and_tried_again(tmp_path: Path, ex1: Described) -> None:
    folder = write(tmp_path / "in", {"a/ex1.py": right(), "b/ex1.py": right("bad"), "c/ex1.py": right("bad")})
    faulty = Faulty()
    out = tmp_path / "out"
    summary, progress = graded(folder, ex1, out, faulty)
    assert (summary.faults, summary.passed, progress.errors) == (2, 1, 2)
    found = results(out)
    assert "the grader's own fault" in found[1]["problem"] and found[1]["problem"].isprintable()
    assert not found[1]["passed"] and found[1]["submission"].endswith("b/ex1.py")
    faulty.broken = False
    counting = Counting(faulty)
    summary, _ = graded(folder, ex1, out, counting)
    assert (summary.faults, summary.passed, len(counting.asked)) == (0, 3, 1)


class Foreseen(One):
    """A grader that meets in one file what it has not foreseen."""

    def __init__(self, inner: batch.Grader) -> None:
        self.inner = inner

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        if b"# odd" in source:
            raise OverflowError("int too large to convert to float\n\x1b[31m")
        return self.inner.grade(exercise, source, filename)


def test_a_fault_that_nobody_foresaw_costs_one_file(
    tmp_path: Path, ex1: Described, local: Local, swallowed: list[str]
) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    write(folder, {f"{n}.py": right("odd" if n == "b" else n) for n in "abc"})
    summary, progress = graded(folder, ex1, out, Foreseen(local))
    assert (summary.faults, summary.passed, progress.done) == (1, 2, 3)
    problem = results(out)[1]["problem"]
    assert "the grader's own fault: OverflowError" in problem and problem.isprintable()
    (logged,) = swallowed
    assert re.match(r"an error cost \S+/b.py its grade\nTraceback", logged) and "OverflowError" in logged
    swallowed.clear()


ODD_DATA = {
    "huge": "def parameter_count(vocab_size, block_size, n_embd, n_hidden):\n    return 10**400\n",
    "nan": "import torch\ndef parameter_count():\n    return torch.tensor(float('nan'))\n",
    "complex": "import torch\ndef parameter_count():\n    return torch.tensor(1 + 1j)\n",
    "decimal": "import torch\ndef parameter_count():\n    return torch.tensor(3481.5)\n",
    "long": "def schedule(*_):\n    return [0.0] * 60000\n",
    "set": "import torch\ndef schedule(*_):\n    return [{torch.tensor(1.0)}]\n",
}
ODD_CODE = {
    "sum": f"def dprobs(probs, dlogprobs):\n    k = {'1 + ' * 1200}1\n    return probs\n",
    "chain": f"def dprobs(probs, dlogprobs):\n    return probs{'.abs()' * 600}\n",
    "digits": f"def dprobs(probs, dlogprobs):\n    k = 0x{'f' * 4000}\n    return probs\n",
}


@pytest.mark.parametrize(("exercise", "odd"), [("mlp.ex5", ODD_DATA), ("ex1", ODD_CODE)])
def test_an_odd_answer_is_wrong_and_no_fault(exercise: str, odd: Mapping[str, str], tmp_path: Path) -> None:
    folder = write(tmp_path / "class", {f"{n}.py": code for n, code in odd.items()})
    write(folder, {"author.py": solution(exercise)})
    ran = batch_command(folder, "--exercise", exercise, out=tmp_path / "out")
    assert ran.returncode == FAILED, ran.stderr
    for result in results(tmp_path / "out"):
        assert not result["problem"], result
        assert result["passed"] == (result["student"] == "author")
        assert result["passed"] or {"wrong", "not-finite"} & set(verdicts(result).values()), result


def test_a_killed_zygote_costs_nobody_a_grade(tmp_path: Path, ex1: Described) -> None:
    """It goes while several submissions are under way, twice."""
    folder = write(tmp_path / "in", {f"s{n:02}/ex1.py": right(n) for n in range(24)})
    found = uploads([folder], Intake(EXERCISES, "ex1"))
    grader = Local(ex1)
    at = [6, 14]

    def tell(progress: Progress) -> None:
        if at and progress.done >= at[0] and grader.runner and grader.runner.starter.process.poll() is None:
            at.pop(0)
            os.kill(grader.runner.starter.process.pid, signal.SIGKILL)

    try:
        told = list(batch.run(batch.Class(found, ex1), tmp_path, grader, 3, tell))
    finally:
        grader.close()
    assert at == []
    assert [(r["passed"], r["problem"]) for r in told] == [(True, "")] * 24


def test_a_result_is_there_before_the_next_is_graded(tmp_path: Path, ex1: Described) -> None:
    """Its report is written meanwhile: the third is graded once the first was given."""
    given = threading.Event()

    class Waiting(Echo):
        def grade(self, exercise: str, source: bytes, filename: str) -> Result:
            assert not source.endswith(b"2\n") or given.wait(DEADLINE)
            return super().grade(exercise, source, filename)

    found = uploads(
        [write(tmp_path / "in", {f"s{n}/ex1.py": f"# {n}\n" for n in range(3)})], Intake(["ex1"], None)
    )
    told = batch.run(batch.Class(found, ex1), tmp_path, Waiting(), 1, quiet)
    next(told)
    given.set()
    assert [result["problem"] for result in told] == ["", ""]


def test_two_batches_in_one_folder_harm_nothing(tmp_path: Path, ex1: Described) -> None:
    """The second comes while the first writes its results; it is told so, and the first is whole."""
    folder = write(tmp_path / "in", {f"student{n:03}/ex1.py": right(n) for n in range(150)})
    graded(folder, ex1, tmp_path / "alone", Echo())
    out = tmp_path / "out"
    out.mkdir()

    def disturbed() -> Iterator[Result]:
        found = uploads([folder], Intake(EXERCISES, "ex1"))
        for number, result in enumerate(batch.run(batch.Class(found, ex1), out, Echo(), 2, quiet)):
            if number == 140:
                with pytest.raises(GraderFault, match="another batch is at work here"):
                    graded(folder, ex1, out, Echo())
            yield result

    files.write(disturbed(), out)
    assert snapshot(out) == snapshot(tmp_path / "alone")


def test_the_second_batch_at_once_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"ann.py": right()})
    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = batch_command(folder, "--exercise", "ex1", out=out)
    assert ran.returncode == FAULT
    assert "another batch is at work here" in one_line(ran)
    assert [p.name for p in out.iterdir() if p.suffix == ".new"] == []
    assert batch_command(folder, "--exercise", "ex1", out=out).returncode == PASSED


# --- the command -----------------------------------------------------------------------------------


def test_exit_codes_and_usage(tmp_path: Path) -> None:
    good = write(tmp_path / "good", {"ann/ex1.py": right()})
    bad = write(tmp_path / "bad", {"ann/ex1.py": wrong()})
    out = tmp_path / "out"
    assert batch_command(good, "--exercise", "ex1", out=out).returncode == PASSED
    assert batch_command(good, out=out).returncode == PASSED  # called after its exercise
    assert batch_command(bad, "--exercise", "ex1", "--require-sandbox", out=out).returncode == FAILED
    refused: list[tuple[tuple[str | Path, ...], str]] = [
        ((good, "--exercise", "ex9"), "ex9"),
        ((good, "--exercise", "ex1.dprobs"), "a batch grades whole exercises"),
        ((good, "--exercise", "../ex1"), "../ex1"),
        ((good, "--exercise", "ex1", "--workers", "0"), "--workers 0: at least one is needed"),
        ((good, "--exercise", "ex1", "--workers", "-3"), "--workers -3"),
        ((good, good, "--exercise", "ex1"), "is named twice"),
        ((tmp_path / "none",), "does not exist"),
        ((good, "--exercise", "ex2"), "has the results of ex1: name another folder"),
    ]
    for args, said in refused:
        ran = batch_command(*args, out=out)
        assert ran.returncode == USAGE and said in one_line(ran)
        assert ran.stdout == b""
    unknown: list[list[str | Path]] = [[good, "--workers", "x"], [], [good, "--nonsense"]]
    for words in unknown:
        assert batch_command(*words, out=out).returncode == USAGE
    ran = subprocess.run([GRADER, "batch", good], env=environ(), capture_output=True)
    assert ran.returncode == USAGE and b"--out" in ran.stderr


def test_files_called_after_no_exercise_are_told_to_need_exercise(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"ann.py": right(), "bob/ex1.py": right()})
    ran = batch_command(folder, out=tmp_path / "out")
    assert ran.returncode == FAILED
    rows = {r["name"]: r for r in grades(tmp_path / "out")}
    assert "--exercise names it" in rows["ann"]["note"] and rows["ann"]["passed"] == "no"
    assert rows["bob"]["passed"] == "yes"


@pytest.mark.parametrize("what", ["a file", "below a file", "a folder for a file", "a folder for a new file"])
def test_an_out_that_can_not_be_written_is_told_in_one_line(what: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"ann/ex1.py": right()})
    out = write(tmp_path, {"file": "x"}) / "file"
    if what == "below a file":
        out = out / "out"
    elif what == "a folder for a file":
        out = tmp_path / "out"
        (out / "reports").mkdir(parents=True)
        (out / "grades.csv").mkdir()
    elif what == "a folder for a new file":
        out = tmp_path / "out"
        (out / "results.jsonl.new").mkdir(parents=True)
    ran = batch_process(folder, out=out)
    assert ran.returncode in (USAGE, FAULT)
    one_line(ran)
    assert (tmp_path / "file").read_text() == "x"


def test_what_a_reader_cuts_off_or_nobody_reads_still_grades(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"ann/ex1.py": right()})
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [GRADER, "batch", folder, "--out", tmp_path / "out"],
            env=environ(),
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert ran.returncode != 0 and len(ran.stderr.splitlines()) <= 1
    assert [r["passed"] for r in results(tmp_path / "out")] == [True]


# --- a hostile class -------------------------------------------------------------------------------

HOSTILE = {
    "leaves": "import os\nos._exit(0)\n",
    "leaves in an item": "def dprobs(probs, dlogprobs):\n    import os\n    os._exit(0)\n",
    "aborts": "import os\nos.abort()\n",
    "aborts in an item": "def dprobs(probs, dlogprobs):\n    import os\n    os.abort()\n",
    "kills": "import os\nos.kill(0, 9)\nos.kill(-1, 9)\nos.kill(os.getppid(), 9)\n",
    "forks": "import os\nwhile True:\n    os.fork()\n",
    "starts": "import subprocess\nsubprocess.run(['sh', '-c', 'sleep 1000 &'])\n",
    "threads": "import threading\nwhile True:\n    threading.Thread(target=threading.Event().wait).start()\n",
    "prints": "for _ in range(70):\n    print('x' * (1 << 20))\n",
    "writes": "import os\nfor fd in range(256):\n    try: os.write(fd, b'{}')\n    except OSError: 0\n",
    "closes": "import os\nos.closerange(0, 4096)\n",
    "stops": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "eats memory": "x = []\nwhile True:\n    x.append(bytearray(1 << 26))\n",
    "recurses": "import sys\nsys.setrecursionlimit(1 << 30)\ndef f():\n    f()\nf()\n",
    "raises": "raise ValueError('\\x1b[2J\\x1b[32mPASS \\x07\\x08 \\u202e \\x9b31m <b>x</b>')\n",
    "says": "print('\\x1b[2J\\x1b]0;t\\x07\\n::error::got\\n<b>x</b>\\r\\x00\\x7f\\x9b31m\\u202e\\u2028')\n",
    "formula": "def dprobs(probs, dlogprobs):\n    raise ValueError(\"=cmd|' /C calc'!A0\")\n",
    "surrogates": "print('\\ud800')\nraise ValueError('\\udcff')\n",
    "bytes": "import os\nos.write(1, bytes(range(256)) * 20)\nos.write(2, bytes(range(256)))\n",
    "exits": "raise SystemExit(0)\n",
    "is deleted": "import os, grader\nos.remove(grader.__file__)\n",
    "name of a class": "class \\u202e: pass\n".encode("ascii").decode("unicode_escape"),
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    """A class of all of them, good ones between; names with escapes, HTML and commands too."""
    base = tmp_path_factory.mktemp("hostile")
    sources: dict[str, str] = {}
    for number, source in enumerate(HOSTILE.values()):
        sources[f"s{number:02}-bad/ex1.py"] = source
        sources[f"s{number:02}-good/ex1.py"] = right(number) if number % 2 else wrong(number)
    sources |= {
        "t\x1b[2J\x07/ex1.py": right("esc"),
        "t<script>alert(1)<script>/ex1.py": right("html"),
        "tt::error::x/ex1.py": right("annotation"),
        "t\u202egnp/ex1.py": right("bidi"),
        "t\r\n::stop-commands::x/ex1.py": right("line"),
        "t[bold red]x/ex1.py": right("markup"),
        "=1+1/ex1.py": right("formula"),
    }
    folder = write(base / "in", sources)
    ran = batch_process(folder, "--exercise", "ex1", "--workers", "2", out=base / "out")
    assert ran.returncode == FAILED, ran.stderr
    return base / "out", ran.stdout, ran.stderr


def test_a_hostile_class_changes_nobody_elses_grade(hostile: tuple[Path, bytes, bytes]) -> None:
    found = {Path(r["submission"]).parent.name: r for r in results(hostile[0])}
    for number in range(len(HOSTILE)):
        good, bad = found[f"s{number:02}-good"], found[f"s{number:02}-bad"]
        wanted = {"ex1.dnorm_logits"} if number % 2 == 0 else set()
        assert {i for i, v in verdicts(good).items() if v != "exact"} == wanted
        assert not bad["passed"] and not bad["problem"], bad["problem"]
        assert bad["score"] == 0, list(HOSTILE)[number]
    for name in ("t<script>alert(1)<script>", "tt::error::x", "t[bold red]x", "=1+1"):
        assert found[name]["passed"], name
    assert (ROOT / "grader" / "__init__.py").exists()


def test_no_control_character_reaches_a_reader(hostile: tuple[Path, bytes, bytes]) -> None:
    out, stdout, stderr = hostile
    assert stderr == b""
    assert controls(stdout) == []
    for name, data in snapshot(out).items():
        assert controls(data) == [], name
        assert all(ch.isprintable() for ch in name), name
    for result in results(out):  # what the JSON's own escapes hold
        for text in _texts({k: v for k, v in result.items() if k != "output"}):
            assert text.isprintable(), ascii(text)
        assert all(line.isprintable() for line in result["output"].split("\n"))


def test_no_line_of_the_output_is_a_command_to_ci(hostile: tuple[Path, bytes, bytes]) -> None:
    out, stdout, _ = hostile
    assert not [line for line in stdout.decode().splitlines() if line.lstrip().startswith("::")]
    for path in (out / "reports").iterdir():
        assert not [line for line in path.read_text().splitlines() if line.lstrip().startswith("::")]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def test_much_output_is_cut_and_said_to_be(hostile: tuple[Path, bytes, bytes]) -> None:
    (out, _, _), number = hostile, list(HOSTILE).index("prints")
    (it,) = [r for r in results(out) if f"s{number:02}-bad" in r["submission"]]
    assert len(it["output"]) <= 5000
    assert any("printed more than is shown" in note for note in it["notes"])
    assert max(p.stat().st_size for p in (out / "reports").iterdir()) < 20_000


# --- notebooks -------------------------------------------------------------------------------------


def notebook(*cells: str) -> str:
    """The smallest notebook with these code cells."""
    return json.dumps({"cells": [{"cell_type": "code", "source": c} for c in cells], "nbformat": 4})


def test_notebooks_are_graded_beside_files(tmp_path: Path) -> None:
    flat = notebook(
        "%matplotlib inline", "dprobs = (1.0 / probs) * dlogprobs", "dcounts_sum = dcounts_sum_inv"
    )
    files = {"ann/makemore.ipynb": flat, "bob/ex1.py": right(), "cem/ex1.ipynb": flat, "dan/ex1.ipynb": "{"}
    ran = batch_command(write(tmp_path / "in", files), out=tmp_path / "out")
    assert ran.returncode == FAILED
    by = {
        (r["student"], r["exercises"][0]["id"] if r["exercises"] else ""): r
        for r in results(tmp_path / "out")
    }
    assert set(by) == {*((("ann", e)) for e in EXERCISES), ("bob", "ex1"), ("cem", "ex1"), ("dan", "")}
    told = verdicts(by["ann", "ex1"])
    assert told["ex1.dprobs"] == "exact" and told["ex1.dcounts_sum"] == "wrong"
    assert {v for k, v in told.items() if k not in ("ex1.dprobs", "ex1.dcounts_sum")} == {"not-written"}
    assert verdicts(by["cem", "ex1"]) == told
    assert by["bob", "ex1"]["score"] == ITEMS
    assert "its JSON is broken" in by["dan", ""]["problem"]
    assert by["ann", "ex1"]["submission"].endswith("ann/makemore.ipynb (ex1)")


def test_a_broken_notebook_is_told_once(tmp_path: Path) -> None:
    ran = batch_command(write(tmp_path / "in", {"ann/makemore.ipynb": "{"}), out=tmp_path / "out")
    assert ran.stdout.decode().count("its JSON is broken") == 1


@pytest.mark.parametrize("first", [".py", ".ipynb"])
def test_a_file_is_read_by_its_own_suffix_whoever_hands_in_the_same_bytes(
    first: str, tmp_path: Path, ex1: Described, local: Local
) -> None:
    data = notebook("dprobs = (1.0 / probs) * dlogprobs")
    names = {"ann": first, "bob": ".ipynb" if first == ".py" else ".py"}
    folder = write(tmp_path / "in", {f"{who}/ex1{suffix}": data for who, suffix in names.items()})
    graded(folder, ex1, tmp_path / "out", local, workers=1)
    scores = {Path(r["submission"]).suffix: r["score"] for r in results(tmp_path / "out")}
    assert scores == {".py": 0, ".ipynb": 1}
