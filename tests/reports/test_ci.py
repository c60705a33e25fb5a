"""What services get: the renderers as pure functions, and the recipes run step by step in a shell."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from command import grader
from conftest import DEADLINE, ROOT
from hypothesis import example, given
from hypothesis import strategies as st
from wheels import LOOKING, address

from grader.core.finding import Code, Finding
from grader.core.text import quiet, text
from grader.core.verdict import Check, ExerciseReport, ItemReport, Report, Verdict
from grader.reports.services import (
    autolab,
    classroom50,
    codequality,
    github,
    junit,
    prairielearn,
    reporter,
)

PYTHON = sys.executable
EXAMPLES = ROOT / "examples"
PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3
PATHS = {"ex1": "exercises/ex1.py"}
CLASSROOM = {
    "CLASSROOM": "cs50",
    "ASSIGNMENT": "backprop",
    "SUBMISSION_TAG": "submit/20261122T190000Z-abc1234",
    "USERNAME": "ada",
    "OWNER": "ada",
    "ASSIGNMENT_TYPE": "individual",
    "COMMIT_URL": "https://example.org/c",
    "RELEASE_URL": "https://example.org/r",
    "REVIEW_URL": "https://example.org/v",
}
NATURAL = {"type": "integer", "minimum": 0}
STRING = {"type": "string", "minLength": 1}


def strict(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


RESULT = strict(
    **{
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "owner", "commit", "release", "review"), STRING),
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": NATURAL,
        "max-score": NATURAL,
        "tests": {
            "type": "array",
            "items": strict(
                **{"test-name": STRING, "passed": {"type": "boolean"}, "score": NATURAL, "max-score": NATURAL}
            ),
        },
    }
)
REPORTER = strict(
    version={"const": 1},
    status={"enum": ["pass", "fail", "error"]},
    max_score={"type": "number"},
    tests={
        "type": "array",
        "items": strict(
            name=STRING,
            status={"enum": ["pass", "fail", "error"]},
            score={"type": "number"},
            message={"type": ["string", "null"]},
            test_code=STRING,
            filename=STRING,
            line_no=NATURAL,
            duration={"type": "number"},
        ),
    },
)
QUALITY = {
    "type": "array",
    "items": strict(
        description=STRING,
        check_name=STRING,
        fingerprint=STRING,
        severity={"enum": ["info", "minor", "major", "critical", "blocker"]},
        location=strict(path=STRING, lines=strict(begin={"type": "integer", "minimum": 1})),
    ),
}


def reports(words: st.SearchStrategy[str]) -> st.SearchStrategy[Report]:
    """Reports whose every text comes from a submission, harmless as the grader has made it."""
    check = st.builds(
        lambda verdict, reason, maxdiff: Check(
            verdict,
            Finding(Code.ERROR, text(reason)),
            exact=verdict is Verdict.EXACT,
            approx=verdict.passed,
            maxdiff=maxdiff,
        ),
        st.sampled_from(list(Verdict)),
        words,
        st.none() | st.floats(0, 1e9),
    )
    item = st.builds(
        lambda name, check, line, cell: ItemReport(
            f"ex1.{name}", (2, 3), check, "lecture", line, None, {}, cell
        ),
        st.from_regex(r"d[a-z]{1,8}", fullmatch=True),
        check,
        st.none() | st.integers(1, 999),
        st.none() | st.integers(1, 99),
    )
    exercise = st.builds(
        lambda items: ExerciseReport("ex1", "A title", tuple(items)), st.lists(item, min_size=1, max_size=40)
    )
    return st.builds(
        lambda one, output: Report("ex1.py", (one,), "\n".join(text(x) for x in output.split("\n"))),
        exercise,
        words,
    )


HOSTILE = st.text() | st.sampled_from(
    [
        "::error::x",
        "\n::set-output name=a::b",
        "##[error]x",
        "###[group]",
        "%0A::warning::y",
        "a,b:c%d\r",
        "]]>&<",
    ]
)
REPORTS = reports(HOSTILE)
V2 = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<properties>[^:]*))?::(?P<message>.*)")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it: properties end at the next `::`."""
    match = V2.fullmatch(line)
    assert match, line
    pairs = (pair.split("=", 1) for pair in (match["properties"] or "").split(",") if pair)
    properties = {key: unescaped(value) for key, value in pairs}
    return match["name"], properties, unescaped(match["message"])


def unescaped(value: str) -> str:
    """One pass, so that an escaped percent sign escapes nothing else."""
    table = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}
    return re.sub("%25|%0D|%0A|%3A|%2C", lambda m: table[m[0]], value)


@given(HOSTILE, HOSTILE, HOSTILE)
@example("::stop", "a,line=3::b", "c%2C")
def test_a_command_is_one_line_and_says_what_it_was_given(message: str, file: str, title: str) -> None:
    line = github.command("error", message, file=file, title=title)
    assert "\n" not in line and "\r" not in line
    name, properties, said = parsed(line)
    assert said == quiet(message)
    assert properties == {"file": quiet(file), "title": quiet(title)}
    assert name == "error" and "##[" not in line


@given(REPORTS)
def test_annotations(report: Report) -> None:
    lines = github.render(report, PATHS).split("\n")
    assert lines.pop() == ""
    commands = [parsed(line) for line in lines]
    wrong = [i for i in report.items if not i.passed and i.verdict is not Verdict.NOT_WRITTEN]
    errors = [c for c in commands if c[0] == "error"]
    assert len(errors) == min(len(wrong), github.MOST)
    assert {c[0] for c in commands} <= {"error", "notice"} and len(commands) - len(errors) <= 2
    for (_, properties, _), item in zip(errors, wrong, strict=False):
        assert properties["file"] == "exercises/ex1.py" and item.id in properties["title"]
        assert properties.get("line") == (str(item.line) if item.line and not item.cell else None)
    assert not any("##[" in line for line in lines)


@given(REPORTS, st.integers(0, 4000))
def test_the_summary_keeps_within_its_limit(report: Report, limit: int) -> None:
    cut = github.markdown(report, limit)
    assert len(cut.encode()) <= limit
    whole = github.markdown(report)
    assert cut in ("", whole) or whole.startswith(cut.removesuffix(github.CUT))
    rows = [line for line in whole.split("\n") if line.startswith("| ex1.")]
    assert len(rows) == report.max_score
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 8 for row in rows)


@given(REPORTS)
def test_every_format_has_its_shape_and_the_report_s_score(report: Report) -> None:
    result = json.loads(classroom50.render(report, CLASSROOM, datetime(2026, 11, 22, tzinfo=UTC)))
    jsonschema.validate(result, RESULT)
    assert type(result["score"]) is int and result["score"] == sum(t["score"] for t in result["tests"])
    assert (result["score"], result["max-score"]) == (report.score, report.max_score)
    line = reporter.render(report, PATHS)
    assert re.fullmatch("[A-Za-z0-9+/=]+", line)
    older = json.loads(base64.b64decode(line))
    jsonschema.validate(older, REPORTER)
    assert sum(t["score"] for t in older["tests"]) == report.score
    assert not any("##[" in t["message"] for t in older["tests"])
    quality = json.loads(codequality.render(report, PATHS))
    jsonschema.validate(quality, QUALITY)
    assert len(quality) == report.max_score - report.score
    suite = ET.fromstring(junit.render(report, PATHS))[0]
    cases = suite.findall("testcase")
    passed = [c for c in cases if c.find("failure") is None and c.find("skipped") is None]
    assert len(cases) == report.max_score == int(suite.get("tests", "")) and len(passed) == report.score
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))


def test_the_reviewer_s_link_falls_back_to_the_commit() -> None:
    report = Report("ex1.py", ())
    bare = {k: v for k, v in CLASSROOM.items() if k not in ("REVIEW_URL", "OWNER", "ASSIGNMENT_TYPE")}
    result = json.loads(classroom50.render(report, bare, datetime.now(UTC)))
    jsonschema.validate(result, RESULT)
    assert result["review"] == CLASSROOM["COMMIT_URL"] and result["owner"] == "ada"


Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A student's repository: one item wrong, one that tries to speak to the runner, the rest not written.

    Beside it lies what must not be heard: modules and fixtures of the student's own.
    """
    work = tmp_path / "checkout"
    (work / "exercises").mkdir(parents=True)
    (work / "exercises/ex1.py").write_text(
        (ROOT / "exercises/ex1.py").read_text()
        + "\nprint('::error::spoken')\nprint('##[error]spoken')\n"
        + "def dprobs(probs, dlogprobs):\n    return -dlogprobs / probs\n"
        + "def dcounts(counts):\n    raise ValueError('##[error]spoken\\n::error::spoken')\n"
    )
    for name in ("grader.py", "torch.py", "numpy.py", "sitecustomize.py", "conftest.py", "json.py"):
        (work / name).write_text("open('heard', 'w').close()\n")
    (work / "fixtures/ex1").mkdir(parents=True)
    (work / "fixtures/ex1/exercise.json").write_text("{}")
    return work


def solved(checkout: Path) -> None:
    shutil.copy(ROOT / "solutions/ex1.py", checkout / "exercises/ex1.py")


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """As on the service: the installed commands, and no way to a package index."""
    ours = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PYTHON", "GITHUB_", "CI", "GRADER_", "PIP_"))
    }
    path = f"{Path(PYTHON).parent}{os.pathsep}{ours['PATH']}"
    return ours | {"PATH": path, "PIP_NO_INDEX": "1", "HOME": str(tmp_path), "CI": "true"} | more


def shell(script: str, cwd: Path, env: dict[str, str]) -> Ran:
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def workflow(path: Path, checkout: Path, env: dict[str, str]) -> Ran:
    """Run a workflow's steps but the one that changes the runner's kernel; the last one's result."""
    (job,) = yaml.safe_load(path.read_text())["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step and "sysctl" not in step["run"]]
    assert len(steps) == 2
    installs(steps[0], checkout, env)
    return shell(steps[1], checkout, env)


def installs(step: str, cwd: Path, env: dict[str, str]) -> None:
    """A recipe's installation does, of the wheel that it is told, and of no other file of that name."""
    env = env | LOOKING | {"GRADER_WHEEL": address()}
    ran = shell(step, cwd, env)
    assert ran.returncode == 0 and "Would install backprop-grader" in ran.stdout, ran.stdout + ran.stderr
    if "$GRADER_WHEEL" not in step:
        return
    other = shell(step, cwd, env | {"GRADER_WHEEL": address()[:-64] + "0" * 64})
    assert other.returncode and "DO NOT MATCH THE HASHES" in other.stderr
    unset = shell(step, cwd, {k: v for k, v in env.items() if k != "GRADER_WHEEL"})
    assert (unset.returncode, unset.stdout.count("\n")) == (USAGE, 1) and not unset.stderr
    assert "GRADER_WHEEL is not set" in unset.stdout


def obeyed(log: str) -> list[str]:
    """The lines of a log in which the runner would find a command."""
    found, token = [], ""
    for line in log.split("\n"):
        if token:
            token = "" if line == f"::{token}::" else token
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.lstrip().startswith("::") or "##[" in line:
            found.append(line)
    return found


def test_the_workflow_for_github_actions(checkout: Path, tmp_path: Path) -> None:
    step = tmp_path / "summary.md"
    env = environ(tmp_path, GITHUB_STEP_SUMMARY=str(step), GITHUB_WORKSPACE=str(checkout))
    ran = workflow(EXAMPLES / "github-actions/autograde.yml", checkout, env)
    assert ran.returncode == FAILED, ran.stderr
    commands = [parsed(line) for line in obeyed(ran.stdout)]
    errors = [properties for name, properties, _ in commands if name == "error"]
    assert [e["title"] for e in errors] == ["ex1.dprobs: wrong", "ex1.dcounts: error"]
    source = (checkout / "exercises/ex1.py").read_text().split("\n")
    assert "-dlogprobs / probs" in source[int(errors[0]["line"]) - 1]
    assert {e["file"] for e in errors} == {"exercises/ex1.py"}
    assert not any(message == "spoken" for _, _, message in commands)
    assert "::error::spoken" in ran.stdout  # it is shown, where nothing obeys
    assert "| ex1.dprobs | 32×27 | no | no |" in step.read_text()
    assert not (checkout / "heard").exists()


@pytest.mark.slow
def test_the_workflow_for_github_actions_passes_where_all_has_passed(checkout: Path, tmp_path: Path) -> None:
    env = environ(tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"), GITHUB_WORKSPACE=str(checkout))
    solved(checkout)
    assert workflow(EXAMPLES / "github-actions/autograde.yml", checkout, env).returncode == PASSED


@pytest.mark.slow
def test_the_workflow_for_the_older_reporter(checkout: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    env = environ(tmp_path, GITHUB_OUTPUT=str(output), GITHUB_WORKSPACE=str(checkout))
    ran = workflow(EXAMPLES / "github-classroom/classroom.yml", checkout, env)
    assert ran.returncode == PASSED, ran.stderr
    (line,) = output.read_text().splitlines()
    result = json.loads(base64.b64decode(line.removeprefix("result=")))
    jsonschema.validate(result, REPORTER)
    assert result["status"] == "fail" and result["max_score"] == 26
    tests = {t["name"]: t for t in result["tests"]}
    assert "the sign is wrong" in tests["ex1.dprobs"]["message"]
    assert tests["ex1.dprobs"]["filename"] == "exercises/ex1.py" and tests["ex1.dprobs"]["line_no"] > 1
    assert not (checkout / "heard").exists()


@pytest.mark.slow
def test_the_autograder_for_classroom_50(checkout: Path, tmp_path: Path) -> None:
    """As the runner calls it: in the checkout, with the names in the environment."""
    (tmp_path / "precious").write_text("kept")
    (checkout / "result.json").symlink_to(tmp_path / "precious")
    env = environ(tmp_path, **CLASSROOM)
    command = f"'{PYTHON}' '{EXAMPLES}/classroom50/autograder.py'"
    ran = shell(command, checkout, env)
    assert ran.returncode == PASSED, ran.stderr
    assert not obeyed(ran.stdout) and not obeyed(ran.stderr)
    result = json.loads((checkout / "result.json").read_text())
    jsonschema.validate(result, RESULT)
    assert (result["score"], result["max-score"]) == (0, 26)
    assert (result["classroom"], result["assignment"], result["owner"]) == ("cs50", "backprop", "ada")
    assert "| ex1.dprobs |" in (checkout / "release-body.md").read_text()
    assert (tmp_path / "precious").read_text() == "kept"
    assert not (checkout / "heard").exists()
    solved(checkout)
    assert shell(command, checkout, env).returncode == PASSED
    assert json.loads((checkout / "result.json").read_text())["score"] == 26
    lost = shell(command, checkout, {k: v for k, v in env.items() if k != "SUBMISSION_TAG"})
    assert lost.returncode == USAGE and "SUBMISSION_TAG" in lost.stderr


@pytest.mark.slow
def test_the_recipe_for_gitlab(checkout: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((EXAMPLES / "gitlab/.gitlab-ci.yml").read_text())["grade"]
    env = environ(tmp_path, CI_PROJECT_DIR=str(checkout))
    *install, grade = recipe["script"]
    installs("\n".join(install), checkout, env)
    ran = shell(grade, checkout, env)
    assert ran.returncode == FAILED, ran.stderr
    artifacts = recipe["artifacts"]["reports"]
    quality = json.loads((checkout / artifacts["codequality"]).read_text())
    jsonschema.validate(quality, QUALITY)
    assert len({finding["fingerprint"] for finding in quality}) == len(quality) == 26
    cases = {c.get("name"): c for c in ET.parse(checkout / artifacts["junit"]).iter("testcase")}
    wrong = cases["dprobs"].find("failure")
    assert wrong is not None and "the sign is wrong" in wrong.get("message", "")
    properties = {p.get("name"): p.get("value") for p in cases["dprobs"].iter("property")}
    assert properties["exact"] == "false" and set(properties) == {"exact", "approx", "maxdiff"}
    assert not (checkout / "heard").exists()


RECIPES = sorted(p for p in EXAMPLES.rglob("*") if p.is_file() and p.suffix != ".json")


@pytest.mark.parametrize("folder", sorted({p.parent for p in RECIPES}), ids=lambda p: p.name)
def test_every_recipe_is_safe_and_grades_with_the_wheel_that_it_is_told(folder: Path) -> None:
    recipe = "\n".join(p.read_text() for p in RECIPES if p.parent == folder)
    assert "--require-sandbox" in recipe and "--no-server" in recipe and "-I" in recipe
    assert "GRADER_WHEEL" in recipe


BARE = re.compile(r"pip[^\n]*(?:install|download)[^\n]*backprop[-_]grader(?![-_]grader[-\d.]*-py3)(?! @)")


def test_nothing_installs_the_grader_by_a_bare_name() -> None:
    """Which nobody holds on the index: whoever takes it would run code of theirs wherever it is installed."""
    folders = ("examples", "docs", "grader", "exercises", ".github", "benchmarks", "scripts")
    found = [p for name in folders for p in (ROOT / name).rglob("*") if p.is_file()]
    texts = {p: p.read_text(errors="replace") for p in (*found, *ROOT.glob("*.md")) if p.suffix != ".pyc"}
    wheels = re.compile(r"backprop_grader-[\d.]+-py3-none-any\.whl")
    assert len(texts) > 300
    assert [p for p, text in texts.items() if BARE.search(wheels.sub("WHEEL", text))] == []
    assert BARE.search("RUN pip install --quiet backprop-grader") and BARE.search(
        "pip install 'backprop_grader[x]'"
    )


PRAIRIE = {  # what PrairieLearn's page on external grading says of results.json
    "type": "object",
    "required": ["score"],
    "properties": {
        "gradable": {"type": "boolean"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "message": {"type": "string"},
        "output": {"type": "string"},
        "tests": {
            "type": "array",
            "items": strict(
                name=STRING,
                points={"type": "number"},
                max_points={"type": "number"},
                message={"type": "string"},
                output={"type": "string"},
            ),
        },
    },
}


@given(REPORTS)
def test_what_prairielearn_autolab_and_codegrade_document(report: Report) -> None:
    made = prairielearn.render(report)
    result = json.loads(made)
    jsonschema.validate(result, PRAIRIE)
    assert len(made.encode()) < 1_000_000
    assert sum(t["points"] for t in result["tests"]) == report.score
    assert result["score"] * report.max_score == pytest.approx(report.score)

    line = autolab.render(report)
    assert line.count("\n") == 1 and line.endswith("\n")
    assert json.loads(line) == {"scores": {"ex1": report.score}}

    root = ET.fromstring(junit.render(report, PATHS, codegrade=True))
    cases = root.findall("testsuite/testcase")
    passed = [c for c in cases if c.find("failure") is None and c.find("error") is None]
    assert len(passed) == report.score and len(cases) == report.max_score
    assert not {"properties", "property", "skipped"} & {e.tag for e in root.iter()}


@pytest.mark.slow
def test_the_recipe_for_prairielearn(checkout: Path, tmp_path: Path) -> None:
    student, results = tmp_path / "grade/student", tmp_path / "grade/results/results.json"
    shutil.copytree(checkout / "exercises", student)
    for path in checkout.glob("*.py"):
        shutil.copy(path, student)
    run = f"{EXAMPLES}/prairielearn/run.sh '{tmp_path}/grade'"
    named = json.loads((EXAMPLES / "prairielearn/info.json").read_text())["externalGradingOptions"]
    assert named["enabled"] and named["entrypoint"] == "/grade/tests/run.sh" and named["timeout"] <= 600
    assert shell(run, tmp_path, environ(tmp_path)).returncode == PASSED
    result = json.loads(results.read_text())
    jsonschema.validate(result, PRAIRIE)
    tests = {t["name"]: t for t in result["tests"]}
    assert result["score"] == 0 and "the sign is wrong" in tests["ex1.dprobs"]["message"]
    shutil.copy(ROOT / "solutions/ex1.py", student / "ex1.py")
    assert shell(run, tmp_path, environ(tmp_path)).returncode == PASSED
    assert json.loads(results.read_text())["score"] == 1
    (student / "ex1.py").unlink()
    assert shell(run + "; :", tmp_path, environ(tmp_path)).stderr.startswith("grader: ")
    fault = json.loads(results.read_text())
    assert fault["gradable"] is False and "score" not in fault
    assert not list(student.rglob("heard"))


@pytest.mark.slow
def test_the_recipe_for_autolab(checkout: Path, tmp_path: Path) -> None:
    """By make, as Autolab runs it: the last line of standard output is the score."""
    shutil.copy(checkout / "exercises/ex1.py", checkout / "ex1.py")
    with (checkout / "ex1.py").open("a") as file:
        file.write('print(\'{"scores": {"ex1": 26}}\')\n')
    shutil.copy(EXAMPLES / "autolab/autograde-Makefile", checkout / "Makefile")
    ran = shell("make", checkout, environ(tmp_path))
    assert ran.returncode == PASSED, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == {"scores": {"ex1": 0}}
    shutil.copy(ROOT / "solutions/ex1.py", checkout / "ex1.py")
    ran = shell("make", checkout, environ(tmp_path))
    assert json.loads(ran.stdout.splitlines()[-1]) == {"scores": {"ex1": 26}}
    (checkout / "ex1.py").unlink()
    ran = shell("make || :", checkout, environ(tmp_path))
    assert "scores" not in ran.stdout and "ex1.py does not exist" in ran.stderr
    assert not (checkout / "heard").exists()


@pytest.mark.slow
def test_the_recipe_for_codegrade(checkout: Path, tmp_path: Path) -> None:
    shutil.copy(checkout / "exercises/ex1.py", checkout / "ex1.py")
    out = tmp_path / "junit.xml"
    installs(
        (EXAMPLES / "codegrade/setup.sh").read_text().replace("python3", "python"),
        checkout,
        environ(tmp_path),
    )
    run = f"{EXAMPLES}/codegrade/run.sh"
    ran = shell(run, checkout, environ(tmp_path, CG_JUNIT_XML_LOCATION=str(out)))
    assert ran.returncode == PASSED, ran.stderr
    (suite,) = ET.parse(out).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("26", "26", "0")
    shutil.copy(ROOT / "solutions/ex1.py", checkout / "ex1.py")
    shell(run, checkout, environ(tmp_path, CG_JUNIT_XML_LOCATION=str(out)))
    (suite,) = ET.parse(out).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("26", "0")
    assert not (checkout / "heard").exists()


@pytest.mark.slow
def test_the_image_for_prairielearn_installs_the_wheel_alone(tmp_path: Path) -> None:
    text = (EXAMPLES / "prairielearn/Dockerfile").read_text().replace("\\\n", " ")
    steps = [line.removeprefix("RUN ") for line in text.splitlines() if line.startswith("RUN ")]
    installs("\n".join(steps).replace("python3", "python"), tmp_path, environ(tmp_path))


@pytest.mark.parametrize(
    "options, word",
    [
        (["--classroom50", "result.json"], "has no CLASSROOM, ASSIGNMENT"),
        (["--classroom-reporter"], "no GITHUB_OUTPUT"),
        (["--junit", "nowhere/junit.xml"], "there is no folder nowhere"),
        (["--codequality", "."], "is a folder"),
        (["--github", "--json"], "choose one"),
        (["--autolab", "--json"], "--json and --autolab both write"),
        (["--codegrade", "junit.xml", "--policy", "p.toml"], "it takes no policy's points"),
        (["--prairie", "nowhere/results.json"], "there is no folder nowhere"),
    ],
)
def test_what_can_t_be_served_is_said_before_anything_is_graded(
    options: list[str], word: str, tmp_path: Path
) -> None:
    ran = grader("check", "ex2", "--solutions", *options, cwd=tmp_path, CI="true")
    assert ran.returncode == USAGE and word in ran.stderr and not ran.stdout


def test_an_error_that_ends_a_check_is_no_command(tmp_path: Path) -> None:
    name = "##[error]spoken.ipynb"
    (tmp_path / name).write_text("{")
    ran = grader("check", "ex2", "--submission", name, "--github", cwd=tmp_path, CI="true")
    assert ran.returncode == USAGE and "spoken" in ran.stderr
    assert not obeyed(ran.stdout + ran.stderr)
