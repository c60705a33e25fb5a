"""Every command that README and docs/ show runs: those of `sh` blocks here, in a real shell.

What is shown with its output (`console`) runs in test_readme.py, test_tutorial.py and, of internals/,
test_docs.py.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import command
import pytest
from classroom import right, wrong, zipped
from conftest import DEADLINE, ROOT, solution
from test_ci import environ
from test_readme import PAGES
from test_tutorial import TUTORIAL
from wheels import built

from grader.commands import arguments

README = ROOT / "README.md"
SHOWN = [README, *sorted(ROOT.glob("docs/*.md"))]
NOT_HERE = {  # by how a command begins: why it doesn't run here
    "git clone": "there is no address of this page yet",
    "make grade ": "sets up an environment; test_make.py",
    "make dist": "test_package.py builds the wheel and the sdist",
    "pipx install": "test_package.py installs the wheel with pip, in an environment of its own",
    "mkdir course && cd course": "made for the page",
    "cd course": "made for the page",
    "grader export otter": "with the real otter in test_notebook_graders.py",
    "grader export nbgrader": "with the real nbgrader in test_notebook_graders.py",
    "cd ex2 && otter generate": "test_notebook_graders.py",
    "nbgrader ": "test_notebook_graders.py",
    "otter ": "test_notebook_graders.py",
    "grader gradescope-zip ex1": "with the real wheel, and step by step, in test_gradescope.py",
    "mkdir -p try/submission": "test_gradescope.py",
    "try/source/setup.sh": "test_gradescope.py",
}
GOES_ON = re.compile(r"\\\n\s*")


def commands(page: Path) -> list[str]:
    """The lines of a page's `sh` blocks, without remarks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [
        re.split(r"\s+# |^#", line)[0].strip() for b in blocks for line in GOES_ON.sub("", b).split("\n")
    ]
    return [line for line in lines if line]


def elsewhere(line: str) -> str:
    return next((why for begin, why in NOT_HERE.items() if f"{line} ".startswith(begin)), "")


def test_every_block_of_a_page_is_of_a_kind_that_some_test_runs() -> None:
    tested = {*PAGES, TUTORIAL, ROOT / "docs/any-network.md"}  # test_tutorial.py runs both
    for page in SHOWN:
        kinds = set(re.findall(r"^```([a-z]*)", page.read_text(), re.MULTILINE)) - {""}
        assert "console" not in kinds or page in tested, page
        assert kinds <= {"sh", "console", "python", "toml", "text"}, page
    here = [c for page in SHOWN for c in commands(page) if not elsewhere(c)]
    assert len(here) > 20
    every = [f"{c} " for page in SHOWN for c in commands(page)]
    assert [b for b in NOT_HERE if not any(c.startswith(b) for c in every)] == []  # none is excused in vain


INLINE = re.compile(r"`(grader [a-z][^`…]*)`")
PLACES = {"N": "1", "platform": "otter"}


@pytest.mark.parametrize("page", SHOWN, ids=lambda p: p.stem)
def test_every_command_that_a_page_names_is_one_of_ours(page: Path) -> None:
    """What is only named, within a sentence, too: an option that is gone is noticed."""
    named = [" ".join(words.split()) for words in INLINE.findall(page.read_text())]
    for line in named + [c for c in commands(page) if c.startswith("grader ")]:
        words = shlex.split(re.split(r" [>|&]", line)[0])[1:]
        said = io.StringIO()
        try:
            with redirect_stderr(said):
                arguments.parser().parse_args([PLACES.get(w, w) for w in words])
        except SystemExit:  # of `grader batch` alone, which a sentence may name, something is missing
            assert not re.search("unrecognized|invalid choice", said.getvalue()), f"{line}: {said.getvalue()}"


def prepared(folder: Path) -> None:
    """What the pages' commands are given: a checkout's folders, a class, its export, a student's file."""
    for name in ("solutions", "exercises", "fixtures"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "dist").mkdir()
    shutil.copy(built(), folder / "dist")
    files = {f"ada{n}_{n}_{n}_ex1.py": (wrong if n % 2 else right)(n) for n in range(1, 4)}
    zipped(folder / "submissions.zip", files)
    for n in (1, 2):
        (folder / f"submitted/s{n}/ex1").mkdir(parents=True)
        (folder / f"submitted/s{n}/ex1/ex1.py").write_text(right(n))
    rows = ["Student,ID,SIS Login ID,Section,Exercise 1 (77)", "Points Possible,,,,26"]
    rows += [f"Ada{n},{n},ada{n},S," for n in range(1, 4)]
    (folder / "export.csv").write_text("\n".join(rows) + "\n")
    (folder / "grades").mkdir()
    (folder / "grades/owners.csv").write_text("file,student\nada1_1_1_ex1.py,1\n")
    (folder / "theirs.py").write_text(solution("ex1"))
    (folder / ".zfunc").mkdir()
    (folder / ".config/fish/completions").mkdir(parents=True)
    (folder / ".local/share/bash-completion/completions").mkdir(parents=True)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in SHOWN if commands(p)], ids=lambda p: p.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """All in one shell. A grade that is not full is no failure; what is refused, or a fault, is."""
    prepared(tmp_path)
    if page.stem == "results":  # it goes on from classes.md
        subprocess.run(
            ["grader", "batch", "submissions.zip", "--exercise", "ex1", "--out", "grades"],
            cwd=tmp_path, env=environ(tmp_path), capture_output=True, timeout=DEADLINE,
        )  # fmt: skip
    here = [c for c in commands(page) if not elsewhere(c)]
    codes = "".join(f'{{\n{c}\n}} </dev/null; echo "-- exit $? " {shlex.quote(c)} >&3\n' for c in here)
    env = environ(tmp_path, DIGEST="0" * 64, GRADER_SERVER_IDLE="5", XDG_RUNTIME_DIR=str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    ran = subprocess.run(
        ["bash", "-c", f"exec 3>codes\n{codes}"], cwd=tmp_path, env=env,
        capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip
    said = re.findall(r"^-- exit (\d+)  ?(.*)$", (tmp_path / "codes").read_text(), re.MULTILINE)
    assert [c for _, c in said] == here, ran.stderr
    assert [one for one in said if one[0] not in ("0", "1")] == [], ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_the_policy_that_a_page_shows_is_one_and_has_every_key(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs/policy.md").read_text(), re.M | re.S)
    (tmp_path / "shown.toml").write_text(shown)
    ran = command.grader("policy", "check", "shown.toml", "ex1", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    template = command.grader("policy", "template", cwd=tmp_path).stdout
    keys = set(re.findall(r"^(?:# )?([a-z_]+) *= ", template, re.MULTILINE))
    assert keys <= {*re.findall(r"^([a-z_]+) *= ", shown, re.MULTILINE)}


@pytest.mark.slow
def test_the_program_that_the_page_on_installing_shows_runs(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/install.md").read_text(), re.M | re.S)
    (tmp_path / "theirs.py").write_text(wrong())
    said = subprocess.run(
        [sys.executable, "-c", shown.replace("theirs.py", str(tmp_path / "theirs.py"))],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip
    assert said.stdout == "25 26 ['ex1.dnorm_logits']\n", said.stderr
