"""The autograder for Gradescope: the zip, set up and run in a folder as Gradescope does it in /autograder."""

from __future__ import annotations

import functools
import json
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from classroom import FAULT, PASSED, USAGE, environ
from command import Ran, grader
from conftest import DEADLINE, ROOT, solution
from hypothesis import given
from hypothesis import strategies as st

from grader import __version__
from grader.judging.points.policy import Attempts
from grader.reports.services import gradescope
from grader.reports.services.gradescope import Metadata, Previous

GRADER = Path(sys.executable).with_name("grader")
WHEEL = f"backprop_grader-{__version__}-py3-none-any.whl"
POLICY = """
[points]
ex2 = 8
[late]
per_day = 0.25
[attempts]
counts = "best"
most = 3
"""
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["visible", "hidden", "after_due_date", "after_published"]}
# As https://gradescope-autograders.readthedocs.io/en/latest/specs/ has it.
SPECIFIED: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["score"]}, {"properties": {"tests": {"items": {"required": ["score"]}}}}],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {"type": "array"},
    },
}
NOON = "2026-11-20T12:00:00.000000-08:00"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return out / WHEEL


def zipped(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return grader("gradescope-zip", *args, cwd=folder)


def unzipped(archive: Path, folder: Path) -> None:
    """With the modes that are in there, as unzip has them on Unix."""
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            path = Path(file.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)


@pytest.fixture(scope="module")
def prefix(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/autograder, after Gradescope has built the image: the zip in source/, setup.sh done.

    The environment is there already, with torch in sight, so that nothing comes from the network.
    """
    prefix = tmp_path_factory.mktemp("auto grader")  # a blank in it, which Gradescope's has not
    (prefix / "policy.toml").write_text(POLICY)
    out = str(prefix / "autograder.zip")
    options = (
        "--policy",
        str(prefix / "policy.toml"),
        "--wheel",
        str(wheel),
        "--prefix",
        str(prefix),
        "--out",
        out,
    )
    made = zipped(prefix, "ex2", *options)
    assert made.returncode == PASSED, made.stderr
    assert "8 points" in made.stdout
    unzipped(prefix / "autograder.zip", prefix / "source")
    venv.create(prefix / "venv", symlinks=True)
    here = Path(sysconfig.get_path("purelib", vars={"base": str(prefix / "venv")}))
    import pip
    import torch

    seen = {str(Path(module.__file__ or "").parent.parent) for module in (torch, pip)}
    (here / "dependencies.pth").write_text("\n".join(seen) + "\n")
    ran = subprocess.run(
        [prefix / "source/setup.sh"],
        cwd=prefix,
        env=environ() | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.rstrip().endswith(f"grader {__version__}")
    shutil.copy(prefix / "source/run_autograder", prefix / "run_autograder")
    return prefix


Results = dict[str, Any]
Run = Callable[..., Results]


def script(prefix: Path) -> Ran:
    """run_autograder, as Gradescope starts it."""
    return subprocess.run(
        [prefix / "run_autograder"],
        cwd=prefix,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def here(prefix: Path) -> Ran:
    """The command that it ends in, in this process, with the fixtures of this checkout."""
    words = shlex.split((prefix / "run_autograder").read_text().splitlines()[-1].partition("grader.cli")[2])
    return grader(*words, cwd=prefix)


def submitted(
    start: Callable[[Path], Ran],
    prefix: Path,
    files: dict[str, str],
    at: str = NOON,
    previous: tuple[Any, ...] = (),
    code: int = PASSED,
) -> Results:
    """The results of one submission, in a fresh container."""
    for name in ("submission", "results"):
        shutil.rmtree(prefix / name, ignore_errors=True)
    (prefix / "submission").mkdir()
    for name, text in files.items():
        path = prefix / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (prefix / "submission_metadata.json").write_text(json.dumps(told(at, *previous)))
    ran = start(prefix)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    results: Results = json.loads((prefix / "results/results.json").read_text())
    if code == PASSED:
        jsonschema.validate(results, SPECIFIED)
    return results


@pytest.fixture
def run(prefix: Path) -> Run:
    """run({name: text}, at, previous): the results by the script itself."""
    return functools.partial(submitted, script, prefix)


@pytest.fixture
def run_here(prefix: Path) -> Run:
    return functools.partial(submitted, here, prefix)


def told(at: str = NOON, *previous: Any) -> dict[str, Any]:
    """submission_metadata.json, in the documented shape."""
    return {
        "id": 123456,
        "created_at": at,
        "assignment": {
            "due_date": NOON,
            "group_size": 4,
            "group_submission": True,
            "id": 25828,
            "course_id": 1234,
            "late_due_date": None,
            "release_date": "2026-11-01T00:00:00.000000-07:00",
            "title": "Backprop",
            "total_points": "8.0",
        },
        "submission_method": "upload",
        "users": [{"email": "student@example.com", "id": 1234, "name": "Student User"}],
        "previous_submissions": list(previous),
    }


def earlier(score: Any, day: int = 1, error: bool = False, tests: Any = None) -> dict[str, Any]:
    at = f"2026-11-{day:02}T12:00:00.000000-08:00"
    one = {"submission_time": at, "score": score, "autograder_error": error}
    return one | ({"results": {"tests": tests}} if tests is not None else {})


# --- the zip -----------------------------------------------------------------------------------------


def test_the_zip(prefix: Path, wheel: Path) -> None:
    with zipfile.ZipFile(prefix / "autograder.zip") as archive:
        infos = {info.filename: info for info in archive.infolist()}
        assert set(infos) == {"setup.sh", "run_autograder", "policy.toml", "constraints.txt", WHEEL}
        for name, info in infos.items():
            executable = name in ("setup.sh", "run_autograder")
            assert info.external_attr >> 16 == (0o100755 if executable else 0o100644)
            assert info.create_system == 3 and info.date_time == (1980, 1, 1, 0, 0, 0)
            assert name == WHEEL or b"\r" not in archive.read(name)
        assert archive.read(WHEEL) == wheel.read_bytes()
        assert archive.read("policy.toml") == POLICY.encode()
        pins = dict(line.split("==") for line in archive.read("constraints.txt").decode().split())
        needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        assert (
            len(pins) == len(needed) and {"torch", "numpy"} < set(pins) and "+" not in "".join(pins.values())
        )
        for script in ("setup.sh", "run_autograder"):
            text = archive.read(script)
            assert text.startswith(b"#!/usr/bin/env bash\n") and b"@" not in text.replace(b'"$@"', b"")
            assert subprocess.run(["bash", "-n"], input=text, capture_output=True).returncode == 0


def test_the_same_files_make_the_same_bytes(prefix: Path, wheel: Path, tmp_path: Path) -> None:
    options = ("--policy", str(prefix / "policy.toml"), "--wheel", str(wheel), "--prefix", str(prefix))
    assert zipped(tmp_path, "ex2", *options).returncode == PASSED
    assert (tmp_path / "autograder.zip").read_bytes() == (prefix / "autograder.zip").read_bytes()


def test_for_gradescope_itself_all_is_below_its_folder(wheel: Path, tmp_path: Path) -> None:
    made = zipped(tmp_path, "ex2", "gpt", "--wheel", str(wheel), "--visibility", "after_published")
    assert made.returncode == PASSED and "not their total either" in made.stdout
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        script = archive.read("run_autograder").decode()
    assert "prefix=/autograder\n" in script and "--prefix /autograder --visibility after_published" in script
    assert "--policy" not in script and str(tmp_path) not in script and "-I -m grader.cli" in script


@pytest.mark.parametrize(
    "args, said",
    [
        (["ex2.dlogits"], "grades whole exercises"),
        (["ex22"], "there is no exercise ex22 (did you mean ex2?)"),
        (["ex2", "--without", "seccom"], "--without seccom: the layers are namespaces, no-new-privileges"),
        (["ex2", "--wheel", "x.whl"], f"this grader's own is called {WHEEL}"),
        (["ex2", "--wheel", WHEEL], "is no wheel, or a damaged one"),
        (["ex2", "--wheel", f"nowhere/{WHEEL}"], "can't be read"),
        (["ex2", "--policy", "bad.toml"], "bad.toml: points.ex2: -1 are no points"),
        (["ex2", "--out", "nowhere/a.zip"], "there is no folder nowhere"),
    ],
)
def test_slips_are_one_line(args: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[points]\nex2 = -1\n")
    (tmp_path / WHEEL).write_text("no wheel")
    ran = zipped(tmp_path, *args)
    assert ran.returncode == USAGE and said in ran.stderr and ran.stderr.count("\n") == 1
    assert not (tmp_path / "autograder.zip").exists()


def test_a_private_set_is_packed_and_graded_on(wheel: Path, tmp_path: Path) -> None:
    """So outputs too have probes there that nobody has, where only the wheel is."""
    private, source = tmp_path / "private", tmp_path / "source"
    assert grader("build", "--private", "9", str(private), "tokenizer.ex1", cwd=ROOT).returncode == PASSED
    made = zipped(tmp_path, "tokenizer.ex1", "--wheel", str(wheel), "--prefix", str(tmp_path))
    assert "outputs rest on saved probes there: tokenizer.ex1" in made.stdout
    options = ("--fixtures", str(private), "--wheel", str(wheel), "--prefix", str(tmp_path))
    made = zipped(tmp_path, "tokenizer.ex1", *options)
    assert made.returncode == PASSED and "saved" not in made.stdout
    unzipped(tmp_path / "autograder.zip", source)
    assert f"--fixtures {source}/private" in (source / "run_autograder").read_text()
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "mine.py").write_text(solution("tokenizer.ex1"))
    private = source / "private"
    command = ("gradescope-run", "tokenizer.ex1", "--fixtures", str(private), "--prefix", str(tmp_path))
    ran = grader(*command, cwd=tmp_path)
    assert ran.returncode == PASSED
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["score"] == len(results["tests"]) > 0


def test_a_wheel_without_the_exercise_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr("grader/data/gradescope-run", "")
    ran = zipped(tmp_path, "ex2", "--wheel", WHEEL)
    assert ran.returncode == USAGE and "has no grader/fixtures/ex2/exercise.json" in ran.stderr


# --- submissions -------------------------------------------------------------------------------------


def test_an_honest_submission_of_any_name(run: Run) -> None:
    results = run({"my answer.py": solution("ex2"), "README.txt": "hello"})
    assert results["score"] == 8 and results["output"].startswith("score: 8 of 8 points. All passed.")
    (test,) = results["tests"]
    assert (test["name"], test["score"], test["max_score"], test["status"]) == ("ex2.dlogits", 8, 8, "passed")
    assert test["tags"][0] == "ex2" and test["visibility"] == "visible" and test["output_format"] == "text"
    assert results["stdout_visibility"] == "hidden"


def test_a_notebook(run_here: Run, tmp_path: Path) -> None:
    grader("solution", "ex2", "--yes", "--notebook", "solved.ipynb", cwd=tmp_path)
    assert run_here({"Untitled7.ipynb": (tmp_path / "solved.ipynb").read_text()})["score"] == 8


def test_a_wrong_submission(run_here: Run) -> None:
    results = run_here({"ex2.py": "def dlogits(logits, Yb, n):\n    return -logits\n"})
    (test,) = results["tests"]
    assert results["score"] == test["score"] == 0 and test["status"] == "failed"
    assert test["output"].startswith("wrong: ") and "(line 2)" in test["output"]


def test_a_hostile_submission(run: Run, prefix: Path) -> None:
    """It writes a grade of its own, looks for references, brings metadata, and ends its process."""
    secret = next((prefix / "venv").rglob("fixtures/ex2"))
    code = f"""
import json, os, sys
for path in ({str(prefix / "results/results.json")!r}, "results.json", "/autograder/results/results.json"):
    try:
        open(path, "w").write('{{"score": 1000}}')
    except OSError as error:
        print("kept out", type(error).__name__)
for path in ({str(secret)!r}, {str(prefix / "source")!r}, {str(prefix)!r}):
    try:
        print("SEEN", os.listdir(path))
    except OSError:
        print("nothing to see")
print('{{"score": 1000}}')
print("\\x1b[31m::error::<script>alert(1)</script>")
sys.stdout.flush()
def dlogits(logits, Yb, n):
    os._exit(0)
"""
    more = {
        "submission_metadata.json": json.dumps(told("2020-01-01T00:00:00Z")),
        "policy.toml": "[points]\nex2 = 1000\n",
        "torch.py": "open('heard', 'w')",
        "grader/__init__.py": "open('heard', 'w')",
        "sitecustomize.py": "open('heard', 'w')",
    }
    results = run({"ex2.py": code, **more}, at="2026-11-21T11:00:00-08:00")
    assert results["score"] == 0 and len(results["tests"]) == 2
    assert results["tests"][0]["max_score"] == 8 and results["tests"][0]["status"] == "failed"
    assert "1 day late" in results["output"]
    assert "SEEN" not in results["output"] and results["output"].count("| nothing to see") == 3
    assert "\x1b" not in results["output"] and results["output_format"] == "text"
    assert "\n| {" in results["output"]
    assert not list(prefix.rglob("heard"))


def test_nothing_that_can_be_graded(run_here: Run) -> None:
    for files, why in (
        ({}, "nothing was submitted"),
        ({"README.txt": "hello"}, "no .py or .ipynb file; it has README.txt"),
        ({"a.py": "", "b.py": ""}, "several files could be ex2: a.py, b.py"),
        ({"x.ipynb": "{"}, "x.ipynb"),
    ):
        results = run_here(files)
        assert results["score"] == 0 and why in results["output"], results
        assert [t["tags"][1] for t in results["tests"]] == ["not-written"]


def test_a_whole_repository(run_here: Run) -> None:
    """The stub is written in, the notebook beside it is as it was: so the stub is meant."""
    book = (ROOT / "exercises/ex2.ipynb").read_text()
    files = {"exercises/ex2.py": solution("ex2"), "exercises/ex2.ipynb": book, "README.md": "x"}
    assert run_here(files)["score"] == 8
    assert (
        "several files"
        in run_here({**files, "exercises/ex2.ipynb": book.replace("dlogits", "dlogitz")})["output"]
    )


# --- time and attempts -------------------------------------------------------------------------------


def test_late_by_gradescope_s_own_clock(run_here: Run) -> None:
    late = run_here({"ex2.py": solution("ex2")}, at="2026-11-21T12:00:00.000001-08:00")
    assert late["score"] == 4 and "ex2: 4 less for 2 days late" in late["output"]
    assert late["tests"][0]["score"] == 8 and late["tests"][1]["name"] == "ex2: points taken off"
    assert "score" not in late["tests"][1]


def test_the_best_attempt_counts(run_here: Run) -> None:
    files = {"ex2.py": solution("ex2")}
    better = run_here(files, at="2026-11-21T13:00:00-08:00", previous=(earlier("6.5"), earlier(2.0, 2)))
    assert better["score"] == 6.5 and "The score of attempt 1 counts" in better["output"]
    assert run_here(files, previous=(earlier("6.5"), earlier(None, 2)))["score"] == 8


def test_after_the_last_attempt_nothing_is_graded(run_here: Run) -> None:
    tests = [{"name": "ex2.dlogits", "score": 2}]
    previous = (earlier(1.0), earlier("3.0", 2), earlier(2.0, 3, tests=tests))
    results = run_here({"ex2.py": solution("ex2")}, previous=previous)
    assert results["score"] == 3 and results["tests"] == tests
    assert results["output"] == "Attempt 4: not graded, since 3 are allowed. The score of attempt 2 stands."
    failed = (earlier(1.0), earlier(0.0, 2, error=True), earlier(2.0, 3))  # one was the autograder's own
    assert run_here({"ex2.py": solution("ex2")}, previous=failed)["score"] == 8


# --- faults ------------------------------------------------------------------------------------------


def no_grade(results: Results) -> bool:
    return (
        "score" not in results and "tests" not in results and results["output"].startswith(gradescope.FAULT)
    )


def test_the_grader_s_own_fault_is_no_zero(run: Run, prefix: Path) -> None:
    damaged = next((prefix / "venv").rglob("fixtures/ex2/lecture.reference.safetensors.gz"))
    kept = damaged.read_bytes()
    damaged.write_bytes(kept[:100])
    try:
        results = run({"ex2.py": solution("ex2")}, code=FAULT)
    finally:
        damaged.write_bytes(kept)
    assert no_grade(results) and "lecture.reference.safetensors.gz is damaged" in results["output"]


def test_metadata_that_can_t_be_read_is_no_zero(run_here: Run) -> None:
    results = run_here({"ex2.py": solution("ex2")}, at="yesterday", code=FAULT)
    assert (
        no_grade(results) and "submission_metadata.json is not as Gradescope writes it" in results["output"]
    )


def test_grading_that_is_killed_is_no_zero(prefix: Path, tmp_path: Path) -> None:
    """For lack of memory, say: what the script wrote first stays."""
    script = (prefix / "run_autograder").read_text().replace(str(prefix), str(tmp_path))
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "venv/bin/python").chmod(0o755)
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, timeout=DEADLINE)
    assert ran.returncode == -9
    assert no_grade(json.loads((tmp_path / "results/results.json").read_text()))


# --- metadata, pure ----------------------------------------------------------------------------------


def test_metadata_as_documented() -> None:
    text = json.dumps(told(NOON, earlier("1.5", tests=[]), earlier(4.0, 2, error=True), earlier(9.0, 30)))
    found = gradescope.metadata(text)
    assert found.submitted == found.due == datetime(2026, 11, 20, 20, tzinfo=UTC)
    assert found.previous == (Previous(1.5, []),)  # not one that failed, nor one that came later
    first = told()
    first["assignment"]["due_date"] = None
    del first["previous_submissions"]
    assert gradescope.metadata(json.dumps(first)) == Metadata(found.submitted, None, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(NOON),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*told(), *earlier(1), "due_date"]), inner)
    ),
)


@given(JSON)
def test_metadata_of_any_kind_is_read_or_refused(document: object) -> None:
    try:
        gradescope.metadata(json.dumps(document))
    except ValueError as error:
        assert str(error).startswith("is not as Gradescope writes it")


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=6), st.floats(0, 100), st.booleans(), st.integers(1, 6)
)
def test_a_score_that_stands_is_one_that_was_earned(
    before: list[float], now: float, best: bool, most: int
) -> None:
    found = Metadata(datetime(2026, 11, 20, tzinfo=UTC), None, tuple(Previous(s, ()) for s in before))
    attempts = Attempts(best, most)
    if gradescope.refused(found, attempts):
        allowed = before[:most]
        stands = gradescope.kept(found, attempts)["score"]
        assert abs(stands - (max(allowed) if best else allowed[-1])) <= 0.005
    else:
        shown = gradescope.with_best({"score": now, "output": ""}, found, 100)
        assert abs(shown["score"] - max([now, *before])) <= 0.005
