"""What GitHub and pre-commit are told: the files parse, and their commands are there and do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from conftest import ROOT
from test_ci import shell

from grader import __version__
from grader.commands import arguments

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
FORMS = sorted({*ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")} - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_is_there(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] and workflow[True]  # YAML reads `on` so
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] and job["runs-on"]
    for step in steps(path):
        assert ("run" in step) != ("uses" in step)
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), "GitHub's own actions alone"
        for line in step.get("run", "").splitlines():
            program, *words = line.split()
            if program == "make":
                assert {*words} <= TARGETS, line
            elif program == "bash":
                assert os.access(ROOT / words[0], os.X_OK), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_of_the_form_that_github_takes(path: Path) -> None:
    """By the schema that check-jsonschema keeps; a key that there is none of is found, so it looks."""
    schema = resources.files("check_jsonschema").joinpath("builtin_schemas/vendor/github-workflows.json")
    validator = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    workflow = {("on" if key is True else key): value for key, value in read(path).items()}
    assert [error.message for error in validator.iter_errors(workflow)] == []
    job = next(iter(workflow["jobs"].values()))
    assert list(validator.iter_errors({**workflow, "jobs": {"a": {**job, "timeout": 5}}}))


def test_the_job_on_windows_says_commands_that_there_are() -> None:
    job = read(ROOT / ".github/workflows/ci.yml")["jobs"]["windows"]
    assert job["runs-on"].startswith("windows-") and job["env"]["PYTHONUTF8"] == "0"
    words = [step["run"].split() for step in job["steps"] if step.get("run", "").startswith("grader ")]
    assert [arguments.parser().parse_args(line[1:]).command for line in words] == ["doctor", "check"]


def test_the_dev_container_opens_the_checkout_ready_to_use() -> None:
    """Keys of the specification alone, an image of Python's that we claim, and commands that are there."""
    told = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert told.keys() <= {"name", "image", "postCreateCommand", "remoteEnv", "customizations", "runArgs"}
    assert told["image"].rpartition(":")[2].partition("-")[0] in claimed()
    assert {*told["postCreateCommand"].removeprefix("make ").split()} <= TARGETS
    assert told["remoteEnv"]["PATH"].startswith("${containerWorkspaceFolder}/.venv/bin:")
    editor = told["customizations"]["vscode"]
    interpreter = "${containerWorkspaceFolder}/.venv/bin/python"
    assert editor["settings"]["python.defaultInterpreterPath"] == interpreter


def test_the_oldest_torch_is_the_one_that_the_documentation_says_was_run() -> None:
    told = " ".join((ROOT / "docs/install.md").read_text().split())
    oldest = dict(re.findall(r"^(torch|numpy)>=(\S+)$", "\n".join(PROJECT["dependencies"]), re.MULTILINE))
    assert f"The oldest torch is {oldest['torch']}, with NumPy {oldest['numpy']}" in told


def claimed() -> list[str]:
    return [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]


def test_ci_covers_every_python_and_system_that_the_package_claims() -> None:
    matrix = read(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == claimed()
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos"]
    ran = [step.get("run", "") for step in steps(ROOT / ".github/workflows/ci.yml")]
    assert {"make test-tools", "make test", "make lint types", "bash .ci/run"} <= {*ran}


@pytest.mark.parametrize(
    "tag, right", [(f"v{__version__}", True), (f"v{__version__}0", False), ("v0", False)]
)
def test_a_tag_makes_a_release_if_it_is_the_versions(tag: str, right: bool, tmp_path: Path) -> None:
    """The workflow's own steps, with a `make` and a `gh` that only say what they were told."""
    work = tmp_path / "work"
    (work / "grader").mkdir(parents=True)
    (work / "dist").mkdir()
    for name in (f"backprop_grader-{__version__}-py3-none-any.whl", f"backprop_grader-{__version__}.tar.gz"):
        (work / "dist" / name).touch()
    for name in ("grader/__init__.py", "CHANGELOG.md"):
        shutil.copy(ROOT / name, work / name)
    for name in ("make", "gh"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (tmp_path / name).chmod(0o755)
    script = "\n".join(step["run"] for step in steps(ROOT / ".github/workflows/release.yml") if "run" in step)
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "GITHUB_REF_NAME": tag}
    ran = shell(script, work, env)
    assert (ran.returncode == 0) == right, ran.stderr
    if not right:
        assert ran.stdout == ""
        return
    told, released = ran.stdout.splitlines()
    assert told == "make dist" and released.startswith(f"gh release create {tag} dist/backprop_grader-")
    assert released.count(f"dist/backprop_grader-{__version__}") == 2
    notes = (work / "notes.md").read_text()
    assert notes.startswith(f"## {__version__} (") and notes.count("\n## ") == 0


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one(path: Path) -> None:
    """By the rules of GitHub's form schema: https://docs.github.com, "Syntax for GitHub's form schema"."""
    form = read(path)
    assert (
        {"name", "description", "body"} <= form.keys() <= {"name", "description", "title", "labels", "body"}
    )
    asked = [element for element in form["body"] if element["type"] != "markdown"]
    assert asked and len({element["id"] for element in asked}) == len(asked)
    for element in form["body"]:
        assert element.keys() <= {"type", "id", "attributes", "validations"}
        if element["type"] == "markdown":
            assert element["attributes"].keys() == {"value"}
            continue
        assert element["type"] in ("input", "textarea") and re.fullmatch(r"[a-z-]+", element["id"])
        known = {"label", "description", "placeholder", "value"}
        if element["type"] == "textarea":
            known.add("render")
        assert "label" in element["attributes"] and element["attributes"].keys() <= known
        assert element.get("validations", {}).keys() <= {"required"}
    assert any(element.get("validations", {}).get("required") for element in asked)


def test_what_an_issue_form_asks_to_run_are_commands_of_ours() -> None:
    from grader.commands import arguments

    text = "".join(path.read_text() for path in FORMS)
    for line in set(re.findall(r"`grader ([\w -]+)`", text)) - {"--version"}:
        assert arguments.parser().parse_args(line.split())


def test_pre_commit_runs_the_pinned_tools() -> None:
    hooks = [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in read(ROOT / ".pre-commit-config.yaml")["repos"]} == {"local"}
    pins = (ROOT / "constraints.txt").read_text()
    for hook in hooks:
        tool = Path(hook["entry"].split()[0])
        assert hook["language"] == "system" and tool.parts[:2] == (".venv", "bin")
        assert re.search(rf"^{tool.name}==", pins, re.MULTILINE)
    files = next(hook["files"] for hook in hooks if hook["id"] == "ruff-format")
    formatted = re.search(r"ruff format --check (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert formatted and files == f"^({'|'.join(formatted[1].split())})/"


def test_ci_run_asks_for_targets_that_are_there() -> None:
    script = (ROOT / ".ci/run").read_text()
    asked = [
        t for line in re.findall(r"^make ([a-z -]+?)(?: \|.*)?$", script, re.MULTILINE) for t in line.split()
    ]
    assert asked[0] == "test-tools" and {"test", "lint", "types", "docs"} <= {*asked} <= TARGETS
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"]).returncode == 0
