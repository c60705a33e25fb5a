"""What students get: no solution in any form, a repository that works, and nobody's work lost."""

from __future__ import annotations

import ast
import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from command import grader
from conftest import EXERCISES, ROOT, parts_of, solution
from test_ci import environ, workflow
from wheels import built

from grader.authoring import authored
from grader.authoring.author_outputs import changes
from grader.authoring.authored import Authored
from grader.authoring.handout import leaks, release, wheel
from grader.authoring.handout.leaks import Detector, Secret, tokens
from grader.authoring.slips.mutants import alike_tensors, mutants
from grader.suite import fixtures

PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3
PARTS = {e: parts_of(e) for e in EXERCISES}

# What an exercise gives to learners, although another one asks for it.
GIVEN_ELSEWHERE = {("ex1", "mlp.ex1.joined"), ("ex3", "mlp.ex1.joined"), ("ex4", "mlp.ex1.joined")}

# What a slip leaves of another one's body, and an exercise says: nothing that is right.
SPOKEN = {
    ("gradcheck.ex1", "micrograd.ex1.numgrad: division dropped: (f(x + h) - f(x)) / h -> f(x + h) - f(x)"),
    ("micrograd.ex4", "gpt2.ex2.du: factor dropped: (1.0 - t ** 2) * dt -> 1.0 - t ** 2"),
}


def made(out: Path, *arguments: str, cwd: Path = ROOT) -> Path:
    ran = grader("release", str(out), *arguments, cwd=cwd)
    assert ran.returncode == PASSED, ran.stderr
    return out


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("all") / "students")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return made(tmp_path / "students", "ex2", "--wheel", str(built()))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- no solution ---------------------------------------------------------------------------------------


def wrong(exercise: str, parts: Authored) -> Iterator[Secret]:
    """Every wrong body that the suite knows: first-order mutants, and those of solutions/mistakes/."""
    described = fixtures.describe(ROOT, exercise)
    shapes = described.shapes
    upstream = {i.name: (*parts.available(i), *parts.siblings(i)) for i in parts.gradients}
    for item in parts.gradients:
        known = [t for t in (*described.tensors, *upstream[item.name]) if t in shapes]
        for m in mutants(item, alike_tensors(item, known, shapes), parts.program):
            yield from leaks.secrets(f"{exercise}.{m.key}", m.source, upstream[item.name])
    for _, source, m in changes(parts) if parts.outputs else ():
        yield from leaks.secrets(f"{exercise}.{m.key}", source)
    written = ROOT.joinpath("solutions/mistakes", *exercise.split(".")).with_suffix(".py")
    for node in ast.parse(written.read_text()).body if written.is_file() else ():
        if isinstance(node, ast.FunctionDef):
            name = f"{exercise}.{node.name} (a known mistake)"
            yield from leaks.secrets(name, ast.unparse(node), upstream.get(node.name, ()))


@pytest.mark.slow
def test_no_body_right_or_wrong_is_in_any_file(everything: Path) -> None:
    """Of all items of all exercises, in all files, in whatever form `texts` can read."""
    right = [s for e, parts in PARTS.items() for s in leaks.solutions(e, parts)]
    slips = Detector(s for e in PARTS for s in wrong(e, PARTS[e]))
    # a slip that turns a body into a piece of a forward pass says nothing that the forward pass doesn't
    forward = {s for parts in PARTS.values() for s in slips.in_text(tokens(parts.program))}
    both = Detector([*right, *(s for s in slips.secrets if s not in forward)])
    found = {
        (leaks.exercise_of(path), one.name)
        for path, data in contents(everything).items()
        for one in both.found(data)
    }
    assert len(right) > 500 and len(both.secrets) > 10_000
    assert found - SPOKEN == GIVEN_ELSEWHERE


def test_no_long_line_of_a_body_is_in_any_file(everything: Path) -> None:
    """The same by another way: no token, no tree, only the lines as they are written, without blanks."""

    def bare(text: str) -> str:
        return re.sub(r"\s", "", text)

    released = {path: data.decode("utf-8", "ignore") for path, data in contents(everything).items()}
    texts = {path: bare(text.replace("\\n", "").replace("\\", "")) for path, text in released.items()}
    public = "".join(bare(parts.program) for parts in PARTS.values())
    lines = {
        line
        for parts in PARTS.values()
        for item in parts.gradients
        for line in map(bare, item.source.split('"""')[2].splitlines())
        if len(line) > 20 and line.removeprefix("return") not in public
    }
    assert len(lines) > 100
    assert not [(path, line) for path, text in texts.items() for line in lines if line in text]


def test_the_rooms_of_solutions_are_not_released(everything: Path) -> None:
    paths = contents(everything)
    assert {path.split("/")[0] for path in paths} == {
        ".github", ".gitignore", ".release.json", "README.md", "exercises", "fixtures"
    }  # fmt: skip
    assert not [path for path in paths if "mistake" in path or "solution" in path]
    for path, data in paths.items():
        if path.endswith(".py"):
            assert b"raise NotImplementedError" in data


BODY = PARTS["ex2"].items[0].source


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", text)
    return out.getvalue()


def npz(text: str) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, notes=np.frombuffer(text.encode(), np.uint8))
    return out.getvalue()


def pt(text: str) -> bytes:
    out = io.BytesIO()
    torch.save({"notes": text, "t": torch.zeros(3)}, out)
    return out.getvalue()


def notebook(text: str) -> bytes:
    lines = text.splitlines(keepends=True)
    return json.dumps({"cells": [{"cell_type": "code", "source": lines, "outputs": []}]}).encode()


def flat(text: str) -> str:
    body = text.split('"""')[2].replace("    ", "")
    return body.replace("return dlogits", "dlogits = dlogits")


DISGUISES: dict[str, Callable[[str], bytes]] = {
    "as it is": lambda t: t.encode(),
    "indented, with blank lines": lambda t: t.replace("\n", "\n\n        ").encode(),
    "without blanks": lambda t: t.replace(" = ", "=").replace(", ", ",").replace(" -= ", "-=").encode(),
    "with more parentheses": lambda t: t.replace(
        "F.softmax(logits, 1)", "(F.softmax((logits), (1)))"
    ).encode(),
    "its own names changed": lambda t: (
        t.replace("    dlogits", "    a").replace("return dlogits", "return a").encode()
    ),
    "with comments between": lambda t: t.replace("\n    ", "  # so\n    # and then\n    ").encode(),
    "in a comment": lambda t: t.replace("\n", "\n# ").encode(),
    "flat": lambda t: flat(t).encode(),
    "in JSON": lambda t: json.dumps({"a": [{"b": t}]}).encode(),
    "in JSON in JSON": lambda t: json.dumps({"a": json.dumps({"b": t})}).encode(),
    "in a cell": notebook,
    "a cell in JSON": lambda t: json.dumps({"notebook": notebook(t).decode()}).encode(),
    "a string of Python's": lambda t: f"x = {t!r}\n".encode(),
    "base64": lambda t: base64.b64encode(t.encode()),
    "base64 in lines, in JSON": lambda t: json.dumps(base64.encodebytes(t.encode()).decode()).encode(),
    "base64 for addresses": lambda t: b"see " + base64.urlsafe_b64encode(t.encode()) + b" there",
    "hexadecimal": lambda t: t.encode().hex().encode(),
    "zlib": lambda t: zlib.compress(t.encode()),
    "gzip": lambda t: gzip.compress(t.encode()),
    "bz2": lambda t: bz2.compress(t.encode()),
    "xz": lambda t: lzma.compress(t.encode()),
    "gzip in base64": lambda t: base64.b64encode(gzip.compress(t.encode())),
    "a zip": zipped,
    "a zip in a zip": lambda t: zipped(base64.b64encode(zipped(t)).decode()),
    "npz": npz,
    "pt": pt,
    "a pickle": lambda t: pickle.dumps(["x", {"y": t}]),
    "safetensors, metadata": lambda t: safetensors.numpy.save({"a": np.zeros(2)}, {"notes": t}),
    "safetensors, bytes": lambda t: safetensors.numpy.save({"a": np.frombuffer(t.encode(), np.uint8)}),
    "utf-16": lambda t: t.encode("utf-16"),
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_a_body_that_is_planted_is_found(disguise: Callable[[str], bytes]) -> None:
    detector = Detector(leaks.solutions("ex2", PARTS["ex2"]))
    assert [s.name for s in detector.found(disguise(BODY))] == ["ex2.dlogits"]
    stub = authored.stub(PARTS["ex2"])
    assert detector.found(disguise(stub)) == []


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_body_is_found_in_its_own_file(exercise: str) -> None:
    """The detector knows each item; what it leaves out is too short to say anything."""
    secrets = list(leaks.solutions(exercise, PARTS[exercise]))
    found = {s.name for s in Detector(secrets).found(solution(exercise).encode())}
    assert found == {s.name for s in secrets}
    short = {f"{exercise}.{i.name}" for i in PARTS[exercise].gradients} - found
    for item in PARTS[exercise].gradients:
        if f"{exercise}.{item.name}" in short:
            body = ast.parse(item.source).body[0]
            assert isinstance(body, ast.FunctionDef)
            assert len(tokens(ast.unparse(body.body[-1]))) <= leaks.PHRASE + 1, item.name


def test_a_solution_that_an_author_has_left_in_a_comment_stops_the_release(tmp_path: Path) -> None:
    own = tmp_path / "course"
    (own / "solutions").mkdir(parents=True)
    text = solution("ex2").replace("def dlogits(", "# (F.softmax(logits, 1) - 1) / n, or:\n\n\ndef dlogits(")
    body = BODY.split('"""')[2]
    (own / "solutions/mine.py").write_text(text.replace(", or:", ", or:" + body.replace("\n", "\n# ")))
    assert grader("build", cwd=own).returncode == PASSED
    ran = grader("release", "students", cwd=own)
    assert ran.returncode == USAGE
    assert "fixtures/mine/exercise.json would hold the solution of mine.dlogits" in ran.stderr
    assert not (own / "students").exists() and not list(own.glob(".students*"))


def test_a_task_that_still_says_todo_stops_the_release(tmp_path: Path) -> None:
    """Such an exercise is not built; one that an earlier version built may be there."""
    own = tmp_path / "course"
    (own / "solutions").mkdir(parents=True)
    (own / "solutions/mine.py").write_text(solution("ex2"))
    assert grader("build", cwd=own).returncode == PASSED
    described = fixtures.describe(own, "mine")
    contents = fixtures.files(own, described)
    contents["derived.json"] = contents["derived.json"].replace(b"Forward: ", b"TODO, Forward: ")
    fixtures.save(own, replace(described, derived=fixtures.stated(contents["derived.json"])), contents)
    ran = grader("release", "students", cwd=own)
    assert (ran.returncode, ran.stdout, (own / "students").exists()) == (USAGE, "", False)
    assert re.fullmatch(
        r"grader: exercises/mine.py, line \d+: what learners read there still says TODO: nothing is written; "
        r"say it in the authored file, then `grader build mine`\n",
        ran.stderr,
    )


# --- a repository that works -----------------------------------------------------------------------------


def test_a_student_works_in_a_release(small: Path) -> None:
    right = solution("ex2")
    for command, code, said in [
        ("list", PASSED, "backprop    0 of   1 passed"),
        ("next", PASSED, "Next: ex2.dlogits"),
        ("show ex2.dlogits", PASSED, "dlogits (32, 27)"),
        ("hint ex2", PASSED, "hint 1 of 4: concept"),
        ("explain ex2.h", PASSED, "h"),
        ("check", FAILED, "not written"),
        ("watch ex2", FAILED, "0 of 1 passed"),
        ("report ex2", FAILED, "report.html is written"),
        ("check ex1", USAGE, "there is no exercise ex1"),
        ("solution ex2 --yes", USAGE, "solutions/ is not here"),
    ]:
        ran = grader(*command.split(), cwd=small)
        assert ran.returncode == code, (command, ran.stdout, ran.stderr)
        assert said in ran.stdout + ran.stderr, command
    (small / "exercises/ex2.py").write_text(right)
    ran = grader("check", cwd=small)
    assert ran.returncode == PASSED, ran.stdout
    assert "passed" in grader("list", "ex2", cwd=small).stdout
    inside = grader("list", cwd=small / "exercises")  # where a notebook's kernel is
    assert inside.stdout.startswith("backprop    1 of   1 passed"), inside.stderr
    assert grader("check", "ex2", "--fresh", "3", cwd=small).returncode == PASSED


def test_the_commands_of_a_release_s_readme_run(small: Path) -> None:
    text = (small / "README.md").read_text()
    commands = re.findall(r"^\$ grader (.*?)(?:  # exit (\d))?$", text, re.MULTILINE)
    assert len(commands) == 3
    for command, code in commands:
        assert grader(*command.split(), cwd=small).returncode == int(code or 0), command
    for path in re.findall(r"`((?:exercises|fixtures|\.github)/[\w./]*)`", text):
        assert (small / path).exists(), path


def test_the_last_rung_can_be_left_out(tmp_path: Path) -> None:
    out = made(tmp_path / "students", "ex2", "--no-formulas")
    told = json.loads(fixtures.unpacked((out / "fixtures/ex2/hints.json.gz").read_bytes()))
    assert [list(i["rungs"]) for i in told["items"].values()] == [["concept", "shapes", "example"]]
    assert "hint 3 of 3: example" in grader("hint", "ex2.dlogits", "--all", cwd=out).stdout
    for _ in range(4):
        last = grader("hint", "ex2.dlogits", cwd=out)
    assert "That was the last one." in last.stdout
    ran = grader("hint", "ex2.dlogits", "--rung", "4", cwd=out)
    assert ran.returncode == USAGE and "are 3 here, concept, shapes, example" in ran.stderr


@pytest.mark.slow
def test_the_workflow_grades_with_what_was_released_and_with_nothing_else(
    small: Path, tmp_path: Path
) -> None:
    step = tmp_path / "summary.md"
    env = environ(tmp_path, GITHUB_STEP_SUMMARY=str(step), GITHUB_WORKSPACE=str(small))
    for name in ("grader.py", "torch.py", "sitecustomize.py"):
        (small / name).write_text("open('heard', 'w').close()\n")
    ran = workflow(small / release.WORKFLOW, small, env)
    assert ran.returncode == FAILED, ran.stderr
    assert "not written" in ran.stdout
    (small / "exercises/ex2.py").write_text(solution("ex2"))
    assert workflow(small / release.WORKFLOW, small, env).returncode == PASSED
    assert not (small / "heard").exists()

    (small / "fixtures/ex2/hints.json.gz").write_text("damaged")
    assert "`git checkout fixtures` puts it back" in grader("hint", "ex2.dlogits", cwd=small).stderr

    # a student makes other fixtures, intact in themselves, that a wrong answer passes
    described = fixtures.describe(small, "ex2")
    described = replace(described, fixtures=described.fixtures[:1])
    (small / "fixtures/ex2/exercise.json").write_text(fixtures.seal(described))
    assert grader("check", "ex2", cwd=small).returncode == PASSED
    ran = workflow(small / release.WORKFLOW, small, env)
    assert ran.returncode == FAULT
    assert "not those that were released (--sealed)" in ran.stdout + ran.stderr


def test_a_grade_for_others_rests_on_no_fixtures_that_lie_about(small: Path) -> None:
    described = replace(fixtures.describe(small, "ex2"), title="other fixtures")
    (small / "fixtures/ex2/exercise.json").write_text(fixtures.seal(described))
    assert "other fixtures" in grader("check", "ex2", cwd=small).stdout
    for option in (["--require-sandbox"], ["--junit", "out.xml"]):
        assert "other fixtures" not in grader("check", "ex2", *option, cwd=small).stdout
    (small / "fixtures/ex2/exercise.json").write_text(fixtures.seal(replace(described, items=())))
    collect = [sys.executable, "-I", "-m", "pytest", "--grader", "-c", "/dev/null", "--collect-only", "-q"]
    ran = subprocess.run([*collect, "exercises/ex2.py"], cwd=small, capture_output=True, text=True)
    assert "ex2::dlogits" in ran.stdout, ran.stdout


# --- nobody's work is lost ---------------------------------------------------------------------------------


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/.release.json").write_text("{")
    before = contents(tmp_path)
    for name, said in [
        ("mine", "is not empty, and no release"),
        ("file", "is no folder"),
        ("link", "is no folder"),
        ("broken", "can't be read"),
        ("mine/notes/under", "can't be written: Not a directory"),
    ]:
        for more in ([], ["--update"]):
            ran = grader("release", str(tmp_path / name), "ex2", *more, cwd=ROOT)
            assert ran.returncode == USAGE and said in ran.stderr, (name, ran.stderr)
            assert len(ran.stderr.splitlines()) == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ex2.dlogits"], "whole exercises and sets are released"),
        (["ex99"], "there is no exercise ex99"),
        (["ex2", "--policy", "nosuch.toml"], "nosuch.toml does not exist"),
    ],
)
def test_what_can_t_be_released_is_said_in_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    ran = grader("release", str(tmp_path / "out"), *arguments, cwd=ROOT)
    assert ran.returncode == USAGE and said in ran.stderr and len(ran.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_release_is_renewed_around_what_has_been_edited(tmp_path: Path) -> None:
    out = made(tmp_path / "students", "ex2", "ex3")
    ran = grader("release", str(out), "ex2", cwd=ROOT)
    assert ran.returncode == USAGE and "--update renews it" in ran.stderr

    (out / "exercises/ex2.py").write_text("# my work on ex2\n")
    (out / "exercises/ex3.py").write_text("# my work on ex3\n")
    (out / "README.md").write_text("# Our course\n")
    (out / "notes.txt").write_text("mine\n")
    (out / "exercises/ex2.ipynb").unlink()
    (out / "fixtures/ex2/hints.json.gz").write_text("damaged")
    before = contents(out)
    made(out, "ex2", "ex3", "--update")
    again = contents(out)
    assert again["fixtures/ex2/hints.json.gz"] == (ROOT / "fixtures/ex2/hints.json.gz").read_bytes()
    assert again["exercises/ex2.ipynb"] == (ROOT / "exercises/ex2.ipynb").read_bytes()
    for path in ("exercises/ex2.py", "exercises/ex3.py", "README.md", "notes.txt"):
        assert again[path] == before[path]

    ran = grader("release", str(out), "ex2", "--no-formulas", "--update", cwd=ROOT)
    assert "kept exercises/ex3.py, which has been edited; it is no longer part of the release" in ran.stdout
    after = contents(out)
    assert after["exercises/ex3.py"] == before["exercises/ex3.py"]
    assert "exercises/ex3.ipynb" not in after and "fixtures/ex3/exercise.json" not in after
    assert after["fixtures/ex2/hints.json.gz"] != again["fixtures/ex2/hints.json.gz"]
    assert grader("check", "ex2", cwd=out).returncode == FAILED
    assert not (out / ".release.new").exists()


def test_a_changed_stub_is_put_only_where_the_old_one_stands(tmp_path: Path) -> None:
    own = tmp_path / "course"
    (own / "solutions").mkdir(parents=True)
    (own / "solutions/mine.py").write_text(solution("ex2"))
    assert grader("build", cwd=own).returncode == PASSED
    made(tmp_path / "a", cwd=own)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b/exercises/mine.py").write_text("# my work\n")
    (own / "solutions/mine.py").write_text(solution("ex2").replace("short line.", "shorter line."))
    assert grader("build", cwd=own).returncode == PASSED
    made(tmp_path / "a", "--update", cwd=own)
    assert b"shorter line." in (tmp_path / "a/exercises/mine.py").read_bytes()
    ran = grader("release", str(tmp_path / "b"), "--update", cwd=own)
    assert (
        "kept exercises/mine.py, which has been edited; `grader reset mine` gives the new one" in ran.stdout
    )
    assert (tmp_path / "b/exercises/mine.py").read_text() == "# my work\n"
    ran = grader("reset", "mine", "--yes", cwd=tmp_path / "b")
    assert "kept what was there as exercises/mine.py.bak" in ran.stdout
    assert b"shorter line." in (tmp_path / "b/exercises/mine.py").read_bytes()


def test_an_empty_folder_and_a_clone_of_an_empty_repository_are_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert grader("release", ".", "ex2", cwd=tmp_path / "empty").returncode == PASSED
    assert (tmp_path / "empty/exercises/ex2.py").is_file()
    (tmp_path / "clone/.git").mkdir(parents=True)
    (tmp_path / "clone/.git/HEAD").write_text("ref: refs/heads/main\n")
    out = made(tmp_path / "clone", "ex2")
    assert (out / ".git/HEAD").is_file() and (out / "exercises/ex2.py").is_file()
    assert not (out / ".release.new").exists()


def test_a_policy_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "points.toml").write_text("[points]\ndefault = 2\n")
    out = made(tmp_path / "students", "ex2", "--policy", str(tmp_path / "points.toml"))
    assert (out / "policy.toml").read_text() == "[points]\ndefault = 2\n"
    assert "`grader check --policy policy.toml`" in (out / "README.md").read_text()
    (out / "exercises/ex2.py").write_text(solution("ex2"))
    assert "2 of 2" in grader("check", "--policy", "policy.toml", cwd=out).stdout
    (tmp_path / "points.toml").write_text("[points]\nex3 = 2\n")
    ran = grader("release", "other", "ex2", "--policy", "points.toml", cwd=tmp_path)
    assert ran.returncode == USAGE and "no exercise or item is called so" in ran.stderr
    assert not (tmp_path / "other").exists()


WHEELS = {
    "none": ("", "GRADER_WHEEL or --wheel names it"),
    "no digest": (f"https://example.org/{wheel.NAME}", "#sha256= and 64 hex digits"),
    "a shell's words": (f"https://example.org/$(id)/{wheel.NAME}#sha256={'0' * 64}", "64 hex digits"),
    "another package": (
        f"https://example.org/torch-1-py3-none-any.whl#sha256={'0' * 64}",
        f"is called {wheel.NAME}",
    ),
    "no file": (f"nowhere/{wheel.NAME}", "can't be read"),
    "no wheel": (f"bad/{wheel.NAME}", "is no wheel, or a damaged one"),
}


@pytest.mark.parametrize(("setting", "said"), WHEELS.values(), ids=WHEELS)
def test_a_release_without_its_wheel_is_refused(setting: str, said: str, tmp_path: Path) -> None:
    """Whatever students install is told by its digest: `GRADER_WHEEL`, or `--wheel` before it."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / wheel.NAME).write_text("no wheel")
    for command in (["release", "out", "ex2"], ["export", "otter", "ex2"]):
        ran = grader(*command, cwd=tmp_path, GRADER_WHEEL=setting)
        assert ran.returncode == USAGE and said in ran.stderr and ran.stderr.count("\n") == 1
        assert not ran.stdout and [p.name for p in tmp_path.iterdir()] == ["bad"]


def test_a_release_brings_its_wheel_or_says_where_it_is(small: Path, tmp_path: Path) -> None:
    assert (small / "wheel" / wheel.NAME).read_bytes() == built().read_bytes()
    assert f"pip install wheel/{wheel.NAME}\n" in (small / "README.md").read_text()
    assert f'"file://$PWD/wheel/{wheel.NAME}#sha256=' in (small / release.WORKFLOW).read_text()
    address = f"https://example.org/{wheel.NAME}#sha256={'a' * 64}"
    out = made(tmp_path / "other", "ex2", "--wheel", address)
    for text in ((out / release.WORKFLOW).read_text(), (out / "README.md").read_text()):
        assert f'install "{address}"\n' in text
        assert text.index("install torch --index-url") < text.index(address)
    ran = grader("export", "otter", "ex2", "--wheel", str(built()), cwd=tmp_path)
    assert ran.returncode == USAGE and "from an address" in ran.stderr
