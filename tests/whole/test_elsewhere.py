"""Where learners may be that we are not: without fork, local sockets and POSIX's modules, under a console of
cp1252, in a hosted notebook that has lost its metadata. What only a real Windows shows, these can't.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import elsewhere
import nbformat
import pytest
from command import grader as here
from conftest import DEADLINE, ROOT, sampled, solution, stub_of
from jupyter_client.manager import KernelManager
from test_notebooks_ours import OURS, executed, solved

from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import File, Task
from grader.judging.grade import grade
from grader.runner.host import client
from grader.runner.host.client import Runner
from grader.runner.host.fresh import Fresh
from grader.suite import files

LIMITED = "over_limit_by_name"  # by the sandbox's limits on memory, files and threads, which are off
SUBMISSIONS = sorted(p for p in ROOT.glob("tests/submissions/*.py") if p.stem != LIMITED)
OFF = "note: the sandbox is off: this system has none"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return elsewhere.made(tmp_path_factory.mktemp("elsewhere") / "env")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises/ex1.py").write_text(stub_of("ex1"))
    return tmp_path


@pytest.fixture(scope="module")
def fresh(exercises: dict[str, Task]) -> Iterator[Runner]:
    """A runner as it is where there is no fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "FORKS", False)
        with Runner() as one:
            assert isinstance(one.starter, Fresh)
            for description, saved in exercises.values():
                one.load(description, saved.given)
            yield one


def test_the_taken_away_is_away(python: Path) -> None:
    code = "import os, signal, socket, sys; print(sys.platform, [hasattr(*x) for x in GONE])\nimport fcntl"
    gone = "[(os, 'fork'), (os, 'getuid'), (signal, 'SIGKILL'), (socket, 'AF_UNIX'), (os, 'O_NOFOLLOW')]"
    ran = subprocess.run([python, "-c", code.replace("GONE", gone)], capture_output=True, text=True)
    assert ran.stdout == f"win32 {[False] * 5}\n"
    assert ran.stderr.endswith("ModuleNotFoundError: No module named 'fcntl'\n")


def report(done: Any) -> dict[str, Any]:
    document = json.loads(done.stdout)
    document["notes"] = [n for n in document["notes"] if not n.startswith(OFF.removeprefix("note: "))]
    return dict(document)


@pytest.mark.slow
def test_a_check_says_that_the_sandbox_is_off_and_is_else_the_same(python: Path, work: Path) -> None:
    """CRLF, an own file of a name and words that cp1252 lacks, wrong items, one that asks for the oracle."""
    text = stub_of("ex1") + (
        "\n\ndef dprobs(probs, dlogprobs):\n    print('naïve ∂')\n    return -dlogprobs / probs\n"
        "\n\ndef dcounts_sum(counts_sum, dcounts_sum_inv):\n    return dcounts_sum_inv @ counts_sum\n"
        "\n\ndef dlogprobs(logprobs, n, Yb):\n    import os\n    os._exit(3)\n"
    )
    (work / "exercises/ex1.py").write_bytes(text.replace("\n", "\r\n").encode())
    there = elsewhere.grader(python, "check", "ex1", "--json", cwd=work)
    same = here("check", "ex1", "--json", cwd=work)
    assert there.stderr == ""
    assert report(there) == report(same)
    shown = elsewhere.grader(python, "check", "ex1.dprobs", cwd=work)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert OFF in shown.stdout and "wrong: the sign is wrong" in shown.stdout and "| naïve ?" in shown.stdout
    assert json.loads((work / ".grader/progress.json").read_text())["items"]["ex1.dprobs"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list"], 0, "backprop"),
        (["next"], 0, "dlogprobs"),
        (["hint", "ex1.dprobs"], 0, "hint 1 of 4"),
        (["show", "ex1.dprobs"], 0, "dprobs (32, 27)"),
        (["reset", "ex1", "--yes"], 0, "is the stub already"),
        (["init", "other", "gpt"], 0, "files written"),
        (["server", "start"], 3, "grader: the background server needs Linux or macOS (on Windows: WSL 2)"),
        (["batch", "exercises", "--out", "o"], 3, "grader: a class's code is run in a sandbox, which needs"),
        (["check", "ex1", "--require-sandbox"], 3, "--require-sandbox: not to be had here: namespaces,"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_commands_do_their_work_or_say_in_one_line_what_they_need(
    words: list[str], code: int, said: str, python: Path, work: Path
) -> None:
    done = elsewhere.grader(python, *words, cwd=work)
    out = done.stdout if code == 0 else done.stderr
    assert (done.returncode, said in out) == (code, True), done.stdout + done.stderr
    assert code == 0 or done.stderr.count("\n") == 1


def test_a_grade_is_the_same_in_a_process_of_its_own(
    fresh: Runner, runner: Runner, exercises: dict[str, Task]
) -> None:
    """What ends its process, and what prints, is told alike; `make test-all` has the others."""
    for name in ("ends_its_process", "prints"):
        _alike(ROOT / f"tests/submissions/{name}.py", fresh, runner, exercises["ex1"])


@pytest.mark.slow
@pytest.mark.parametrize("path", SUBMISSIONS, ids=lambda path: path.stem)
def test_so_is_every_submission(
    path: Path, fresh: Runner, runner: Runner, exercises: dict[str, Task]
) -> None:
    asked = set(re.findall(r"^# expect: (\S+)", path.read_text(), re.MULTILINE)) & exercises.keys()
    for name in asked or {"ex1"}:
        _alike(path, fresh, runner, exercises[name])


def _alike(path: Path, fresh: Runner, runner: Runner, task: Task) -> None:
    file = File(path.name, path.read_bytes())
    (one, run), (other, forked) = grade(fresh, task, file), grade(runner, task, file)
    assert one == other
    assert (run.output, run.ended, run.over, run.loaded) == (
        forked.output,
        forked.ended,
        forked.over,
        forked.loaded,
    )


@pytest.mark.parametrize("name", sampled(["ex2", "ex3", "gpt.ex3", "tokenizer.ex1"], 4))
def test_a_solution_passes_there(name: str, fresh: Runner, exercises: dict[str, Task]) -> None:
    graded, run = grade(
        fresh, exercises[name], File("mine.py", solution(name).replace("\n", "\r\n").encode())
    )
    assert all(item.passed for item in graded.items) and len(run.off) == 6


def test_a_loop_without_end_is_ended_by_its_own_time(fresh: Runner, exercises: dict[str, Task]) -> None:
    part = client.Part("ex1", ["lecture"], ["dprobs"])
    run = fresh.run(part, File("x.py", b"while True: pass\n"), cpu=1)
    assert (run.over, run.ended, run.outside) == (True, "used more than 1 seconds of processor time", False)
    slept = fresh.together([part], File("x.py", b"import time\ntime.sleep(60)\n"), 0.5, 10)[0]
    assert (slept.over, slept.ended, slept.outside) == (True, "took more than 0.5 seconds", True)


def test_what_floods_the_result_is_ended(fresh: Runner) -> None:
    loop = b"while True: os.write(fd, b'x' * 65536)"
    source = b"import os\nfor fd in range(3, 20):\n  try:\n    %s\n  except OSError: pass\n" % loop
    run = fresh.run(client.Part("ex1", ["lecture"], ["dprobs"]), File("x.py", source))
    assert "result channel" in run.ended and not run.records


@pytest.mark.slow
def test_watch_and_live_see_a_save(python: Path, work: Path) -> None:
    wrong = "\n\ndef dlogprobs(logprobs, n, Yb):\n    return logprobs\n"
    code = "import sys; from grader.cli import entry; entry()"
    for command, more in (("watch", []), ("live", ["--no-browser"])):
        path = work / "exercises/ex1.py"
        path.write_text(stub_of("ex1"))
        with subprocess.Popen(
            [python, "-c", code, command, "ex1", *more],
            cwd=work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin and process.stdout and process.stderr
            first = process.stdout.readline()
            if command == "watch":
                while "not written" not in first:
                    first = process.stdout.readline()
                path.write_text(stub_of("ex1") + wrong)
                line = ""
                while "wrong" not in line:
                    line = process.stdout.readline()
                    assert line, process.stderr.read()
                process.stdin.close()  # the end of its input ends it
            else:
                url = re.search(r"http\S+", first)
                assert url, first + process.stderr.read()
                path.write_text(stub_of("ex1") + wrong)
                kept = work / ".grader/progress.json"
                with urllib.request.urlopen(f"{url[0]}events", timeout=DEADLINE) as events:
                    while '"wrong"' not in kept.read_text():  # told of once it is remembered
                        assert events.readline()
                assert "ex1.dlogprobs" in urllib.request.urlopen(url[0]).read().decode()
                process.terminate()
            assert process.wait(DEADLINE) == 1, process.stderr.read()


def test_a_path_of_windows_is_a_path_of_ours() -> None:
    """As far as pathlib knows them: no part of a name that travels has a backslash or a drive."""
    path = PureWindowsPath(r"C:\Users\Zoë\course\exercises\gpt\ex1.py")
    assert path.relative_to(r"c:\users\zoë\course").as_posix() == "exercises/gpt/ex1.py"


def test_a_file_is_read_without_dir_fd_and_no_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STEPS", False)
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.py").write_bytes(b"x\r\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real/b.py").symlink_to("a.py")
    assert files.read_file(tmp_path / "real/a.py") == b"x\r\n"
    assert (
        files.read_file(Path("a.py"), folder=tmp_path / "link") == b"x\r\n"
    )  # that folder itself may be one
    for path, why in (("link/a.py", "lies behind a link, link"), ("real/b.py", "is a link")):
        with pytest.raises(Unreadable, match=f"^{why}"):
            files.read_file(tmp_path / path)
    with pytest.raises(Unreadable, match="is not a file"):
        files.read_file(tmp_path / "real")
    with pytest.raises(Unreadable, match="can't be read"):
        files.read_file(tmp_path / "none.py")


@pytest.mark.parametrize("held", [1, 3, files.TRIES])
def test_a_file_that_another_program_has_open_is_waited_for_and_then_told(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, tried = os.replace, []

    def refused(*paths: Any) -> None:
        tried.append(paths)
        if len(tried) <= held:
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(*paths)

    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    monkeypatch.setattr(files, "STEPS", False)
    monkeypatch.setattr(files, "PAUSE", 0.0)
    monkeypatch.setattr(os, "replace", refused)
    if held < files.TRIES:
        files.replaced(path, b"new")
    else:
        with pytest.raises(
            UsageError, match=f"^{path} can't be written: it is open in another program: close it"
        ):
            files.replaced(path, b"new")
    assert path.read_bytes() == (b"old" if held == files.TRIES else b"new")
    assert os.listdir(tmp_path) == ["report.html"]


def hosted(text: str) -> str:
    """A notebook as a hosted service saves it: its own metadata and none of ours, an older format, no ids."""
    book = json.loads(text)
    book["metadata"] = {"colab": {"provenance": []}, "kernelspec": book["metadata"]["kernelspec"]}
    book["nbformat_minor"] = 0
    for cell in book["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}
    return json.dumps(book)


@pytest.fixture(scope="module")
def kernel(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelManager]:
    """A kernel of a Python without fork, whose home nobody writes to."""
    folder = tmp_path_factory.mktemp("kernel")
    words = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = folder / "kernels/elsewhere"
    spec.mkdir(parents=True)
    told = {"argv": words, "language": "python", "display_name": "elsewhere"}
    (spec / "kernel.json").write_text(json.dumps(told))
    manager = KernelManager(kernel_name="elsewhere")
    manager.kernel_spec_manager.kernel_dirs = [str(spec.parent)]
    env = {**os.environ, "LINUX": "1", "HOME": "/proc/none", "IPYTHONDIR": str(folder / "ipython")}
    manager.start_kernel(env=env, cwd=str(folder))
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ["ex2", *OURS[8::8]])
def test_a_notebook_runs_and_checks_without_fork_home_or_metadata(
    exercise: str, python: Path, kernel: KernelManager, exercises: dict[str, Task], tmp_path: Path
) -> None:
    """From its first cell to its last, every gradient right and `check` of the same mind as the command."""
    text = hosted(solved(exercise, tmp_path).read_text())
    folder = tmp_path / "content"
    folder.mkdir()
    book = json.loads(text)
    wanted = [cell["metadata"]["id"] for cell in book["cells"] if cell["cell_type"] == "code"]
    ran = executed(json.dumps({**book, "nbformat_minor": 4}), folder, kernel)
    assert [err for _, _, err in ran if err] == []
    by_id = dict(zip(wanted, [out for _, out, _ in ran][-len(wanted) :], strict=True))
    assert by_id["install"] == ""
    names = [item.name for item in exercises[exercise].exercise.gradients]
    assert [name for name in names if "exact: " not in by_id[name]] == []
    assert f"{len(names)} of {len(names)} right." in by_id["check"]
    (folder / "Copy of mine.ipynb").write_text(text)
    done = elsewhere.grader(python, "check", "Copy of mine.ipynb", cwd=folder)
    assert (done.returncode, "All passed." in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_install_cell_installs_the_wheel_beside_it_or_says_what_is_missing(tmp_path: Path) -> None:
    """In a process that has no grader, pip's part played by what writes down its words."""
    book = nbformat.reads(solved("ex2", tmp_path).read_text(), as_version=4)
    cell = next(c.source for c in book.cells if c.id == "install")
    code = f"""
import subprocess, sys
sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]
subprocess.run = lambda words, check: print(*words[1:])
exec({cell!r})
"""
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONSAFEPATH": "1"}

    def ran() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return done.stdout + done.stderr

    assert "AssertionError: upload the grader's wheel beside this notebook, or name its address" in ran()
    (tmp_path / "backprop_grader-0.2.0-py3-none-any.whl").write_bytes(b"")
    assert ran() == "-m pip install --quiet backprop_grader-0.2.0-py3-none-any.whl\n"
