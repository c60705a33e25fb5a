"""The wheel and the sdist: what is in them, and a learner's day with the wheel, outside the checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import tools
import yaml
from conftest import DEADLINE, EXERCISES, ROOT, parts_of, sampled
from test_release import made
from test_tutorial import follow

from grader import __version__
from grader.authoring.handout import wheel as handed
from grader.commands import arguments, manual
from grader.suite import fixtures

PASSED, FAILED, USAGE = 0, 1, 2
REQUIREMENT = f"backprop-grader=={__version__}"
Ran = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, built by the standard front end: the wheel from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> dict[str, bytes]:
    """The wheel's files by name."""
    with zipfile.ZipFile(dist / f"backprop_grader-{__version__}-py3-none-any.whl") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def clean(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel. Torch and the rest are where they were."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*pip, "--no-index", "--find-links", str(dist), REQUIREMENT],
        check=True,
        timeout=DEADLINE,
    )
    torch = importlib.util.find_spec("torch")
    assert torch and torch.origin
    here = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (here / "dependencies.pth").write_text(f"{Path(torch.origin).parent.parent}\n")
    return python.parent


def environ(clean: Path, home: Path) -> dict[str, str]:
    """A learner's: the environment's programs, and nothing of this process's Python or grader."""
    path = f"{clean}{os.pathsep}{os.environ['PATH']}"
    told = {name: os.environ[name] for name in (handed.SETTING, handed.TORCH_INDEX)}
    return {"PATH": path, "HOME": str(home), "GRADER_NO_SERVER": "1", "LANG": "C.UTF-8"} | told


def run(clean: Path, *args: str, cwd: Path) -> Ran:
    """A program of the clean environment; nobody is at its input."""
    return subprocess.run(
        [clean / args[0], *args[1:]],
        cwd=cwd,
        env=environ(clean, cwd),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


@pytest.fixture(scope="module")
def course(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder somewhere, after `grader init`."""
    folder = tmp_path_factory.mktemp("course")
    ran = run(clean, "grader", "init", cwd=folder)
    assert ran.returncode == PASSED, ran.stderr
    assert f"exercises/: {len(EXERCISES)} exercises" in ran.stdout
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- what is in them ---------------------------------------------------------------------------------


def test_the_wheel_has_the_package_and_the_fixtures_as_they_are_here(wheel: dict[str, bytes]) -> None:
    package = {f"grader/{k}": v for k, v in files(ROOT / "grader").items() if "__pycache__" not in k}
    writes = {k for k in package if k.startswith("grader/authoring/network/")}  # gradients: for authors only
    assert "grader/authoring/network/bodies.py" in writes
    package = {k: v for k, v in package.items() if k not in writes}
    fixtures = {f"grader/fixtures/{k}": v for k, v in files(ROOT / "fixtures").items()}
    ours = {k: v for k, v in wheel.items() if k.startswith("grader/")}
    assert ours.keys() == package.keys() | fixtures.keys()
    assert ours == package | fixtures
    assert "grader/py.typed" in ours
    beside = {name.partition("/")[0] for name in wheel} - {"grader"}
    assert beside == {f"backprop_grader-{__version__}.{end}" for end in ("dist-info", "data")}


def test_the_wheel_says_what_it_needs(wheel: dict[str, bytes]) -> None:
    metadata = wheel[f"backprop_grader-{__version__}.dist-info/METADATA"].decode()
    assert "Requires-Python: >=3.11" in metadata and f"Version: {__version__}\n" in metadata
    assert "Requires-Dist: torch>=2.3" in metadata
    points = wheel[f"backprop_grader-{__version__}.dist-info/entry_points.txt"].decode()
    assert "grader = grader.cli:entry" in points and "[pytest11]" in points


def bodies() -> list[str]:
    """Reference bodies of several lines, without their docstrings."""
    items = [i for e in EXERCISES for i in parts_of(e).items]
    found = {item.source.rpartition('"""')[2].strip("\n") for item in items}
    return [body for body in found if "\n" in body]


def test_neither_has_a_solution(wheel: dict[str, bytes], dist: Path) -> None:
    with tarfile.open(dist / f"backprop_grader-{__version__}.tar.gz") as archive:
        members = [m for m in archive if m.isfile()]
        sdist = {m.name.partition("/")[2]: archive.extractfile(m).read() for m in members}  # type: ignore[union-attr]
    assert not [name for name in (*wheel, *sdist) if re.search(r"(^|/)(solutions|tests|mistakes)/", name)]
    looked_for = bodies()
    assert len(looked_for) > 100
    for name, data in (wheel | sdist).items():
        if not name.endswith(".safetensors.gz"):
            text = (fixtures.unpacked(data) if name.endswith(".gz") else data).decode(errors="replace")
            spelt = text + text.replace("\\n", "\n").replace('\\"', '"')  # inside a string of JSON
            assert not [body for body in looked_for if body in spelt], name


def test_the_sdist_has_what_builds_the_wheel_and_the_exercises(dist: Path) -> None:
    with tarfile.open(dist / f"backprop_grader-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for path in (
        "exercises/ex1.py",
        "exercises/ex1.ipynb",
        "fixtures/ex1/exercise.json",
        "LICENSE",
        "hatch_build.py",
    ):
        assert path in names


# --- a learner's day ---------------------------------------------------------------------------------


def test_init_writes_the_exercises_of_this_checkout(course: Path) -> None:
    assert files(course / "exercises") == files(ROOT / "exercises")


def test_the_installed_grader_is_the_one_that_runs(clean: Path, course: Path) -> None:
    ran = run(clean, "python", "-c", "import grader; print(grader.__file__)", cwd=course)
    assert ran.stdout.startswith(str(clean.parent)), ran.stdout + ran.stderr
    assert run(clean, "grader", "--version", cwd=course).stdout == f"grader {__version__}\n"


def test_stubs_fail_and_what_is_filled_in_passes(clean: Path, course: Path, tmp_path: Path) -> None:
    shutil.copytree(course / "exercises", tmp_path / "exercises")
    stubs = run(clean, "grader", "check", "ex1", cwd=tmp_path)
    assert (stubs.returncode, stubs.stderr) == (FAILED, "")
    assert "ex1: 0 of 26 passed" in stubs.stdout
    shutil.copy(ROOT / "solutions/ex1.py", tmp_path / "exercises/ex1.py")
    solved = run(clean, "grader", "check", "ex1", "--strict", cwd=tmp_path)
    assert (solved.returncode, solved.stderr) == (PASSED, "")
    assert "\nscore: 26 of 26. " in solved.stdout and "\nNext: ex2, " in solved.stdout
    assert "26 of  42 passed" in " ".join(run(clean, "grader", "list", cwd=tmp_path).stdout.split("\n"))


@pytest.mark.slow
def test_a_notebook_is_graded(clean: Path, tmp_path: Path) -> None:
    solved = [
        sys.executable,
        "-m",
        "grader",
        "solution",
        "ex2",
        "--yes",
        "--notebook",
        str(tmp_path / "my.ipynb"),
    ]
    subprocess.run(solved, cwd=ROOT, check=True, capture_output=True, timeout=DEADLINE)
    ran = run(clean, "grader", "check", "my.ipynb", "--strict", cwd=tmp_path)
    assert ran.returncode == PASSED and "score: 1 of 1. All passed." in ran.stdout, ran.stderr


@pytest.mark.slow
def test_the_doctor_finds_the_installation_healthy(clean: Path, course: Path) -> None:
    ran = run(clean, "grader", "doctor", cwd=course)
    assert ran.returncode == PASSED, ran.stdout
    assert "ok   this machine " in ran.stdout


SPY = """
import os
for path in {paths!r}:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()
        print("READ", path)
    except OSError:
        pass

def dlogits(logits, Yb, n):
    raise NotImplementedError
"""


def test_a_submission_can_not_read_the_installed_fixtures(clean: Path, tmp_path: Path) -> None:
    where = run(clean, "python", "-c", "import grader; print(grader.__path__[0])", cwd=tmp_path)
    package = Path(where.stdout.strip())
    probe = package / "fixtures/ex2/probe-1.reference.safetensors.gz"
    assert probe.is_file()
    (tmp_path / "ex2.py").write_text(SPY.format(paths=[str(package), str(probe.parent), str(probe)]))
    command = ["check", "ex2", "--submission", "ex2.py", "--require-sandbox", "--json"]
    ran = run(clean, "grader", *command, cwd=tmp_path)
    assert ran.returncode == FAILED, ran.stderr
    report = json.loads(ran.stdout)
    assert report["exercises"][0]["items"][0]["verdict"] == "not-written" and not report["output"]


# --- an instructor's day with the wheel --------------------------------------------------------------


@pytest.mark.slow
def test_an_exercise_of_one_s_own_needs_no_checkout(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    follow(tmp_path / "work", environ(clean, tmp_path))


def test_a_release_is_the_same_from_the_wheel_and_from_a_checkout(clean: Path, tmp_path: Path) -> None:
    ran = run(clean, "grader", "release", "students", "ex2", "gpt.ex1", cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    assert files(tmp_path / "students") == files(made(tmp_path / "other", "ex2", "gpt.ex1"))


# --- what an installation lacks is said in one line --------------------------------------------------


LACKING = {
    "check": (["check", "ex1"], "there is no exercises/ in {here}: `grader init` makes it there"),
    "watch": (["watch", "ex1"], "`grader init` makes it there"),
    "next": (["next"], "`grader init` makes it there"),
    "report": (["report"], "`grader init` makes it there"),
    "train": (["train"], "`grader init` makes it there"),
    "build": (["build"], "there is no solutions/ to build from: `grader new NAME` starts"),
    "solution": (["solution", "ex1", "--yes"], "solutions/ is not here"),
    "check --solutions": (["check", "--solutions"], "this copy of the suite has no solutions"),
}


@pytest.mark.parametrize(("args", "said"), LACKING.values(), ids=LACKING)
def test_what_is_not_there_is_named_with_its_repair(
    args: list[str], said: str, clean: Path, tmp_path: Path
) -> None:
    ran = run(clean, "grader", *args, cwd=tmp_path)
    assert ran.returncode == USAGE and ran.stdout == ""
    assert ran.stderr.startswith("grader: ") and ran.stderr.count("\n") == 1
    assert said.format(here=tmp_path) in ran.stderr
    assert not list(tmp_path.iterdir())  # nothing is left behind


def test_a_ladder_of_hints_is_climbed_without_exercises_too(clean: Path, tmp_path: Path) -> None:
    for rung in (1, 2):
        ran = run(clean, "grader", "hint", "ex1.dprobs", cwd=tmp_path)
        assert ran.returncode == PASSED and f"hint {rung} of 4" in ran.stdout
    assert [p.name for p in tmp_path.iterdir()] == [".grader"]


# --- recipes, types, man pages -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_recipe_grades_with_the_package_that_it_installs(clean: Path, course: Path) -> None:
    (job,) = yaml.safe_load((ROOT / "examples/github-actions/autograde.yml").read_text())["jobs"].values()
    install, grade = [s["run"] for s in job["steps"] if "run" in s and "sysctl" not in s["run"]]
    assert install.rstrip().endswith('install "$GRADER_WHEEL"')  # what `clean` has installed
    env = environ(clean, course) | {"CI": "true"}
    ran = subprocess.run(
        ["bash", "-ec", grade], cwd=course, env=env, capture_output=True, text=True, timeout=DEADLINE
    )
    assert ran.returncode == FAILED, ran.stderr
    assert "::notice::26 not written yet: ex1.dlogprobs" in ran.stdout


API = '''
from pathlib import Path
from grader import GraderFault, Report, UsageError, Verdict, __version__, check, cmp, grade

def main(path: Path) -> float:
    report: Report = grade(path, "ex2", strict=True)
    for item in report.items:
        verdict: Verdict = item.verdict
        print(item.id, verdict.value, item.passed)
    print(report.score, report.max_score, __version__, check.__name__, cmp.__name__)
    try:
        grade("nowhere.py", "ex2")
    except (UsageError, GraderFault) as error:
        print(error)
    try:
        grade(path, "gpt")
    except UsageError as error:
        print(error)
    return report.score

if __name__ == "__main__":
    import sys
    main(Path(sys.argv[1]))
    assert "torch" not in sys.modules
'''  # fmt: skip


def test_the_public_names_work(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(API)
    ran = run(clean, "python", "program.py", str(ROOT / "solutions/ex2.py"), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    graded, counted, refused, several = ran.stdout.splitlines()
    assert graded in ("ex2.dlogits exact True", "ex2.dlogits approximate True")
    assert counted == f"1 1 {__version__} check cmp"
    assert refused == "nowhere.py does not exist"
    assert several.endswith("solutions/ex2.py is one exercise's file: name one exercise")


@pytest.mark.slow
def test_the_public_names_are_typed(clean: Path, tmp_path: Path) -> None:
    """As mypy reads them from the installed wheel; torch's own types are left out, which take a minute."""
    (tmp_path / "right.py").write_text(API)
    (tmp_path / "wrong.py").write_text("from grader import grade\nx: int = grade('a.py')\ngrade(3)\n")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-torch.*]\nfollow_imports = skip\n")
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--python-executable",
        str(clean / "python"),
        "right.py",
        "wrong.py",
    ]
    ran = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    errors = [line for line in ran.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[:2] for line in errors] == [["wrong.py", "2"], ["wrong.py", "3"]], ran.stdout


def test_importing_the_package_imports_nothing_heavy(clean: Path, tmp_path: Path) -> None:
    program = "import sys, grader; assert 'cmp' in dir(grader); grader.Verdict; print(sorted(sys.modules))"
    ran = run(clean, "python", "-c", program, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert not {"torch", "numpy", "safetensors", "rich", "nbformat"} & set(
        json.loads(ran.stdout.replace("'", '"'))
    )


def test_each_command_has_its_man_page(clean: Path) -> None:
    folder = clean.parent / "share/man/man1"
    assert sorted(p.name for p in folder.iterdir()) == sorted(manual.pages(arguments.parser()))


@pytest.mark.tools("man")
def test_man_knows_every_macro_of_the_pages_and_shows_every_section(clean: Path) -> None:
    env = {"PATH": os.environ["PATH"], "MANWIDTH": "90", "LC_ALL": "C.UTF-8"}
    for page in (clean.parent / "share/man/man1").iterdir():
        shown = subprocess.run([tools.MAN, "--warnings", "-l", page], capture_output=True, text=True, env=env)
        assert (shown.returncode, shown.stderr) == (0, ""), page
        assert "EXIT STATUS" in shown.stdout and "EXAMPLES" in shown.stdout


# --- other Pythons -----------------------------------------------------------------------------------


def interpreter(version: str) -> str | None:
    """A Python of that version: on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"versions/{version}.*/bin/python3"))]
    for path in filter(None, found):
        command = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(command, capture_output=True, text=True).stdout.strip() == version:
            return path
    return None


@pytest.mark.parametrize("version", sampled(["3.13", "3.12", "3.14"], 3))
def test_what_needs_no_torch_works_on_another_python(version: str, dist: Path, tmp_path: Path) -> None:
    """The whole job on these has been done by hand; torch for each would be gigabytes."""
    path = interpreter(version)
    if not path:
        pytest.skip(f"there is no Python {version} here")
    site = tmp_path / "site"
    with zipfile.ZipFile(dist / f"backprop_grader-{__version__}-py3-none-any.whl") as archive:
        archive.extractall(site)
    python = [path, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(site)!r})"]
    compiled = subprocess.run(
        [path, "-W", "error", "-m", "compileall", "-q", str(site / "grader")], capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stdout
    for args in (
        ["init", "ex1", "gpt"],
        ["list"],
        ["show", "ex1.dh"],
        ["hint", "ex1.dh"],
        ["next"],
        ["check", "-h"],
    ):
        program = f"{python[-1]}; import grader.cli; sys.exit(grader.cli.main({args!r}))"
        ran = subprocess.run(
            [*python[:-1], program],
            cwd=tmp_path,
            env=environ(tmp_path, tmp_path),
            capture_output=True,
            text=True,
        )
        assert (ran.returncode, ran.stderr) == (PASSED, ""), ran.stderr
        assert ran.stdout
    assert (tmp_path / "exercises/gpt/ex1.ipynb").is_file()
