"""The background server: it answers as the command alone would, and nobody notices when it can't."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Ran, grader
from conftest import DEADLINE, ROOT, sampled, solution
from test_cli import FAULT, PASSED, USAGE, on_a_terminal, put_stubs

from grader.commands.background import place, talk
from grader.suite import fixtures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these tests look into /proc")

GRADER = Path(sys.executable).with_name("grader")
SECRET = "hunter2-in-the-environment"
SLOW = "import time\ntime.sleep(3)\n"
STUCK = "import time\ntime.sleep(1000)\n"


class Place:
    """A runtime directory of its own, with whatever server comes to live there."""

    def __init__(self, folder: Path, cwd: Path) -> None:
        self.folder, self.cwd = folder, cwd
        self.home = folder / "grader"

    def environ(self, **more: str) -> dict[str, str]:
        unwanted = {"GRADER_NO_SERVER", "CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH"}
        kept = {k: v for k, v in os.environ.items() if k not in unwanted}
        return {**kept, "XDG_RUNTIME_DIR": str(self.folder), "GRADER_SERVER_IDLE": "600", **more}

    def start(self, *args: str, cwd: Path | None = None, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [GRADER, *args],
            cwd=cwd or self.cwd,
            env=self.environ(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, cwd: Path | None = None, **more: str) -> Ran:
        process = self.start(*args, cwd=cwd, **more)
        out, err = process.communicate(timeout=DEADLINE)
        return Ran(args, process.returncode, out, err)

    def status(self) -> str:
        """Without a process of its own: it is asked for again and again."""
        environ = {"XDG_RUNTIME_DIR": str(self.folder), "GRADER_NO_SERVER": "", "CI": ""}
        return grader("server", "status", cwd=self.cwd, **environ).stdout

    def number(self, pattern: str) -> int:
        """A number of the status; -1 where no server runs."""
        match = re.search(pattern, self.status())
        return int(match[1]) if match else -1

    def pid(self) -> int:
        return self.number(r"process (\d+)")

    def requests(self) -> int:
        return self.number(r"(\d+) requests")

    def recalled(self) -> int:
        return self.number(r"(\d+) answered from the cache")

    def grading(self) -> bool:
        return "grading now" in self.status()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def servers(home: Path) -> list[int]:
    """The processes that serve there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if os.fsencode(home) in words and b"-I" in words:
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def private(cwd: Path) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="grader-test-"))  # a socket's path must be short
    try:
        one = Place(folder, cwd)
        yield one
        os.chmod(folder, 0o700)
        if one.home.is_dir() and not one.home.is_symlink():
            os.chown(one.home, os.getuid(), -1)
            os.chmod(one.home, 0o700)
        for path in one.home.glob("*.socket"):  # of copies too
            with contextlib.suppress(ConnectionError), socket.socket(socket.AF_UNIX) as line:
                line.connect(str(path))
                talk.write(line, "stop", "")
                line.recv(1)
        until(lambda: not servers(one.home))
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with stubs; mine.py has ex1's dlogprobs right, dprobs wrong, and prints."""
    folder = put_stubs(tmp_path_factory.mktemp("work"))
    (folder / "mine.py").write_text(
        "print('\\x1b[31mhello [bold]there')\n"
        "def dlogprobs(logprobs, Yb, n):\n"
        "    d = 0 * logprobs\n    d[range(n), Yb] = -1.0 / n\n    return d\n"
        "def dprobs(probs, dlogprobs):\n    return -dlogprobs / probs\n"
        "def dcounts_sum_inv(counts):\n    raise ValueError('[red]\\x1b[2J')\n"
    )
    return folder


@pytest.fixture(scope="module")
def warm(work: Path) -> Iterator[Place]:
    """A server that has answered before."""
    with private(work) as one:
        assert one.run("check", "ex1", "--solutions").returncode == PASSED
        assert one.requests() == 1
        yield one


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[Place]:
    """No server yet."""
    with private(put_stubs(tmp_path)) as one:
        yield one


# --- the same answers ----------------------------------------------------------------------------------

SERVED = [
    "check ex1 --submission mine.py",
    "check ex1 --submission mine.py --json",
    "check ex1.dprobs ex1.dlogprobs --submission ./mine.py",
    "check backprop --progress",
    "check ex2 ex3",
    "check ex3 --solutions --fresh 7",
]
NOT_SERVED = [
    "check ex1.dprosb",
    "check ex1 --submission nowhere.py",
    "check ex1 --solutions --submission mine.py",
    "check --nonsense",
    "check --help",
    "check ex3 --solutions --no-serv",
]


@pytest.mark.parametrize("command", sampled([*SERVED, *NOT_SERVED], 2))
def test_what_is_printed_is_the_same_byte_for_byte(command: str, warm: Place) -> None:
    before = warm.requests()
    answered = [warm.run(*command.split()) for _ in range(2)]
    assert warm.requests() == before + 2
    alone = grader(*command.split(), cwd=warm.cwd)
    for one in answered:
        assert (one.returncode, one.stdout, one.stderr) == (alone.returncode, alone.stdout, alone.stderr)
    assert (alone.returncode == USAGE) == (command in NOT_SERVED[:4])


TERMINALS: list[tuple[int, dict[str, str], bool]] = [  # width, environment, whether in colour
    (140, {}, True),
    (80, {}, True),
    (50, {}, True),
    (50, {"COLUMNS": "99"}, True),
    (140, {"NO_COLOR": "1"}, False),
    (140, {"TERM": "dumb"}, False),
    (140, {"TERM": "xterm", "COLORTERM": "truecolor"}, True),
]


@pytest.mark.parametrize(("width", "more", "color"), sampled(TERMINALS, 4), ids=str)
def test_on_a_terminal(width: int, more: dict[str, str], color: bool, warm: Place) -> None:
    args = ("check", "ex1", "--submission", "mine.py")
    environ = {"GRADER_NO_SERVER": "", "CI": "", "XDG_RUNTIME_DIR": str(warm.folder), **more}
    before = warm.requests()
    answered = on_a_terminal(*args, cwd=warm.cwd, width=width, **environ)
    assert warm.requests() == before + 1
    assert answered == on_a_terminal(*args, "--no-server", cwd=warm.cwd, width=width, **environ)
    assert ("\x1b[" in answered) == color


def test_a_text_that_the_output_can_not_carry(warm: Place) -> None:
    args = ("check", "ex1", "--submission", "mine.py")
    answered = warm.run(*args, PYTHONIOENCODING="ascii:replace")
    assert "32?27" in answered.stdout
    assert answered.stdout == warm.run(*args, "--no-server", PYTHONIOENCODING="ascii:replace").stdout
    assert answered.stdout == warm.run(*args, PYTHONIOENCODING="ascii").stdout


def test_what_goes_to_standard_error_is_the_same(warm: Place) -> None:
    folder = warm.cwd / ".grader"
    folder.mkdir(exist_ok=True)
    said = []
    for how in ([], ["--no-server"]):
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "progress.json").write_text("damaged")
        before = warm.requests()
        said.append(warm.run("check", "ex2", *how).stderr)
        assert warm.requests() == before + (not how)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    said += [warm.run("check", "ex2", *how).stderr for how in ([], ["--no-server"])]
    folder.unlink()
    assert said[0] == said[1] and "is damaged: kept as" in said[0]
    assert said[2] == said[3] and "nothing can be remembered" in said[2]


def test_a_path_is_relative_to_the_folder_that_the_command_is_run_in(warm: Place, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(solution("ex2"))
    assert warm.run("check", "ex2", "--submission", "mine.py", cwd=tmp_path).returncode == PASSED
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises/ex2.py").write_text(solution("ex2"))
    assert warm.run("check", "ex2", cwd=tmp_path).returncode == PASSED
    assert warm.run("check", "ex2").returncode == 1


# --- the cache -----------------------------------------------------------------------------------------


def test_an_unchanged_file_is_answered_from_the_cache_and_a_changed_one_graded(
    warm: Place, tmp_path: Path
) -> None:
    mine = tmp_path / "ex3.py"
    mine.write_text(solution("ex3"))
    before = warm.recalled()
    assert [warm.run("check", "--submission", str(mine)).returncode for _ in range(3)] == [0, 0, 0]
    assert warm.recalled() == before + 2
    stamp = mine.stat()
    mine.write_text("return -1 * ".join(solution("ex3").rsplit("return ", 1)))
    os.utime(mine, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # its content counts, not its time
    wrong = warm.run("check", "--submission", str(mine))
    assert wrong.returncode == 1 and "wrong" in wrong.stdout
    assert warm.recalled() == before + 2


def test_what_needs_the_client_s_environment_or_files_is_declined(warm: Place, tmp_path: Path) -> None:
    """The server has neither; had it answered, the summary would be missing."""
    step = tmp_path / "summary.md"
    options = "--github", "--junit", str(tmp_path / "junit.xml")
    ran = warm.run("check", "ex2", "--solutions", *options, GITHUB_STEP_SUMMARY=str(step))
    assert ran.returncode == PASSED and "ex2.dlogits" in step.read_text()
    assert "ex2" in (tmp_path / "junit.xml").read_text()


def test_fresh_probes_are_never_from_the_cache(warm: Place) -> None:
    before = warm.recalled()
    seeds = {warm.run("check", "ex2", "--solutions", "--fresh").stdout.split("--fresh ")[1] for _ in range(3)}
    assert len(seeds) == 3
    assert warm.recalled() == before
    assert warm.run("check", "ex2", "--solutions").stdout.endswith("score: 1 of 1. All passed.\n")


# --- starting, ending, being replaced --------------------------------------------------------------------


@pytest.mark.slow
def test_several_that_start_at_once_leave_one_server(cold: Place) -> None:
    processes = [cold.start("check", "ex2", "--solutions") for _ in range(4)]
    outputs = {(p.communicate(timeout=DEADLINE), p.returncode) for p in processes}
    assert outputs == {((cold.run("check", "ex2", "--solutions", "--no-server").stdout, ""), PASSED)}
    assert servers(cold.home) == [cold.pid()]


def started(where: Place) -> None:
    """On a busy machine a server may need more time to answer than one `server start` waits."""
    until(lambda: where.run("server", "start").returncode == 0)


def test_start_status_stop(cold: Place) -> None:
    assert cold.run("server", "status").returncode == 1
    assert cold.run("server", "stop").returncode == 0
    started(cold)
    pid = cold.pid()
    started(cold)
    assert cold.pid() == pid and servers(cold.home) == [pid]
    assert cold.run("server", "status").returncode == 0
    assert cold.run("server", "stop").stdout == "stopped\n"
    until(lambda: not alive(pid))  # it serves no more; the process may need a moment to end
    assert cold.run("server", "status").returncode == 1
    assert not (cold.home / place.SOCKET).exists()


def test_an_idle_server_ends_itself(cold: Place) -> None:
    cold.run("check", "ex2", "--solutions", GRADER_SERVER_IDLE="0.2")
    until(lambda: not servers(cold.home))
    assert not (cold.home / place.SOCKET).exists()


@pytest.mark.parametrize("environ", sampled(["CI", "GRADER_NO_SERVER"], 2))
def test_where_none_is_wanted_none_is_started(environ: str, cold: Place) -> None:
    assert cold.run("check", "ex2", "--solutions", cwd=None, **{environ: "1"}).returncode == PASSED
    assert cold.run("check", "ex2", "--solutions", "--no-server").returncode == PASSED
    assert not cold.home.exists()


@pytest.mark.slow
def test_what_a_killed_server_left_is_no_hindrance(cold: Place) -> None:
    started(cold)
    old = cold.pid()
    os.kill(old, signal.SIGKILL)
    until(lambda: not alive(old))
    assert (cold.home / place.SOCKET).is_socket()
    assert cold.run("check", "ex2", "--solutions").returncode == PASSED
    assert cold.pid() not in (old, -1)


@pytest.mark.slow
def test_a_server_killed_in_the_middle_is_not_noticed(cold: Place) -> None:
    (cold.cwd / "ex2.py").write_text(SLOW + solution("ex2"))
    checking = cold.start("check", "--submission", "ex2.py")
    until(cold.grading)
    os.kill(cold.pid(), signal.SIGKILL)
    out, err = checking.communicate(timeout=DEADLINE)
    assert (checking.returncode, err) == (PASSED, "")
    assert out.endswith("score: 1 of 1. All passed.\n")


@pytest.mark.slow
def test_a_zygote_killed_between_two_checks_is_not_noticed(cold: Place) -> None:
    assert cold.run("check", "ex2", "--solutions").returncode == PASSED
    pid = cold.pid()
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    for child in " ".join(path.read_text() for path in tasks).split():
        os.kill(int(child), signal.SIGKILL)
        until(lambda child=int(child): not alive(child))  # type: ignore[misc]
    (cold.cwd / "ex2.py").write_text(solution("ex2") + "# changed\n")
    again = [cold.run("check", "--submission", "ex2.py") for _ in range(2)]
    assert [(r.returncode, r.stderr) for r in again] == [(PASSED, "")] * 2
    assert cold.pid() == pid


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project elsewhere, to change its files."""
    folder = tmp_path / "copy"
    for name in ("solutions", "exercises", "fixtures", "grader"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def check_copy(copy: Path, where: Place) -> Ran:
    command = [sys.executable, "-m", "grader.cli", "check", "ex2", "--solutions"]
    environ = where.environ(PYTHONPATH=str(copy))
    return subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, timeout=DEADLINE)


@pytest.mark.slow
def test_a_server_of_older_code_is_replaced(copy: Path, cold: Place) -> None:
    assert check_copy(copy, cold).returncode == PASSED
    (first,) = servers(cold.home)
    assert check_copy(copy, cold).returncode == PASSED
    assert servers(cold.home) == [first]
    table = copy / "grader/reports/table.py"
    table.write_text(table.read_text().replace('"All passed."', '"All well."'))
    assert check_copy(copy, cold).stdout.endswith("All well.\n")
    until(lambda: not alive(first))
    assert len(servers(cold.home)) == 1
    assert cold.run("check", "ex2", "--solutions").stdout.endswith("All passed.\n")  # another place's code


def test_two_checkouts_keep_their_servers_and_each_stops_its_own(copy: Path, cold: Place) -> None:
    started(cold)
    ours = cold.pid()
    assert "server" not in check_copy(copy, cold).stderr
    (theirs,) = {*servers(cold.home)} - {ours}
    for _ in range(2):  # one after the other, neither makes room
        assert cold.run("check", "ex2", "--solutions").returncode == PASSED
        assert check_copy(copy, cold).returncode == PASSED
    assert sorted(servers(cold.home)) == sorted([ours, theirs])
    assert (cold.pid(), cold.requests()) == (ours, 2)
    assert cold.run("server", "stop").stdout == "stopped\n"
    until(lambda: not alive(ours))
    assert cold.run("server", "stop").stdout == "no server is running\n"
    assert alive(theirs) and servers(cold.home) == [theirs]
    assert check_copy(copy, cold).returncode == PASSED and servers(cold.home) == [theirs]


def test_a_fixture_that_changes_is_read_again(copy: Path, cold: Place) -> None:
    assert check_copy(copy, cold).returncode == PASSED
    path = copy / "fixtures/ex2/lecture.reference.safetensors.gz"
    good = path.read_bytes()
    path.write_bytes(fixtures.packed(fixtures.unpacked(good)[:-4] + b"\0\0\0\0"))
    bad = check_copy(copy, cold)
    assert bad.returncode == FAULT
    assert bad.stderr.startswith("grader: fixtures/ex2/lecture.reference.safetensors.gz was altered")
    path.write_bytes(good)
    assert check_copy(copy, cold).returncode == PASSED
    assert "\n3 requests" in cold.run("server", "status", PYTHONPATH=str(copy)).stdout


# --- whose it is ---------------------------------------------------------------------------------------


def test_nothing_of_the_environment_goes_into_the_server(cold: Place) -> None:
    cold.run("check", "ex2", "--solutions", MY_TOKEN=SECRET, PYTHONPATH=f"/{SECRET}", LC_ALL="C.UTF-8")
    environ = Path(f"/proc/{cold.pid()}/environ").read_bytes()
    assert SECRET.encode() not in environ
    names = {line.partition(b"=")[0] for line in environ.split(b"\0") if line}
    assert b"LC_ALL" in names
    assert not any(name.startswith((b"PYTHON", b"LD_")) for name in names)


@pytest.mark.parametrize("what", sampled(["open to others", "a link", "a file", "of somebody else"], 4))
def test_a_directory_that_is_not_private_is_not_used(what: str, cold: Place, tmp_path: Path) -> None:
    if what == "a link":
        (tmp_path / "target").mkdir(mode=0o700)
        cold.home.symlink_to(tmp_path / "target")
    elif what == "a file":
        cold.home.touch(0o700)
    else:
        cold.home.mkdir(mode=0o700)
        if what == "open to others":
            cold.home.chmod(0o755)
        elif os.geteuid():
            pytest.skip("only root can give a directory away")
        else:
            os.chown(cold.home, 12345, -1)
    assert cold.run("check", "ex2", "--solutions").returncode == PASSED
    assert cold.run("server", "status").returncode == 1
    assert cold.run("server", "start").returncode == FAULT
    assert servers(cold.home) == []
    assert what == "a file" or not list(cold.home.iterdir())


def test_without_a_private_runtime_directory_it_lives_in_the_temporary_folder(cold: Place) -> None:
    cold.folder.chmod(0o755)
    home = cold.folder / f"grader-{os.getuid()}"
    environ = {"TMPDIR": str(cold.folder)}
    assert cold.run("server", "start", cwd=None, **environ).returncode == 0
    assert home.stat().st_mode & 0o777 == 0o700
    assert cold.run("server", "stop", cwd=None, **environ).stdout == "stopped\n"
    assert servers(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_another_user_is_not_answered(cold: Place) -> None:
    started(cold)
    path = cold.home / place.SOCKET
    for each, mode in ((cold.folder, 0o711), (cold.home, 0o711), (path, 0o777)):
        each.chmod(mode)
    ask = (
        "import os, socket, sys; os.setuid(int(sys.argv[2])); s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]); s.sendall(b'\\0\\0\\0\\x07status\\0'); print(s.recv(99))"
    )
    said = {}
    for uid in (0, 12345):
        command = [sys.executable, "-I", "-c", ask, str(path), str(uid)]
        said[uid] = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE).stdout
    assert said[0].startswith('b\'{"pid"')
    assert not said[12345].startswith("b'{")


def test_a_client_that_says_nothing_or_nonsense_is_no_hindrance(warm: Place) -> None:
    lines = []
    for data in (b"", b"\xff\xff\xff\xff", b"\0\0\0\x05check", b"\0\0\0\x07status\0"):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(warm.home / place.SOCKET))
        line.sendall(data)
        lines.append(line)
    before = warm.requests()
    assert warm.run("check", "ex2", "--solutions").returncode == PASSED
    assert warm.requests() == before + 1
    for line in lines:
        line.close()


# --- submissions that do not end -------------------------------------------------------------------------


@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGKILL], 2))
def test_a_submission_that_hangs_does_not_hold_up_others(number: signal.Signals, cold: Place) -> None:
    (cold.cwd / "stuck.py").write_text(STUCK)
    hanging = cold.start("check", "ex2", "--submission", "stuck.py")
    until(cold.grading)
    pid = cold.pid()
    assert cold.run("check", "ex3", "--solutions").returncode == PASSED
    assert cold.requests() == 1
    hanging.send_signal(number)
    hanging.communicate(timeout=DEADLINE)
    assert hanging.returncode == (130 if number == signal.SIGINT else -number)
    until(lambda: not cold.grading())
    assert cold.run("check", "ex3", "--solutions").returncode == PASSED
    assert (cold.pid(), cold.requests()) == (pid, 2)


def test_what_took_too_long_is_graded_again(cold: Place) -> None:
    (cold.cwd / "mine.py").write_text("import os\nos._exit(3)\n")
    for _ in range(2):
        assert "exit status 3" in cold.run("check", "ex2", "--submission", "mine.py").stdout
    assert (cold.requests(), cold.recalled()) == (2, 0)


def test_a_request_is_read_as_it_was_written() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fields = ["check", "", "ä\udcff", "--json"]
        talk.write(ours, *fields)
        assert talk.read(theirs) == fields
        assert talk.ours(theirs)
        assert not talk.gone(theirs)
        ours.close()
        assert talk.gone(theirs)
