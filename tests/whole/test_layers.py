"""Each layer of confinement by itself: an attack that it alone stops, and what is said when it is off."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
import rich
import safetensors
import torch
from conftest import DEADLINE, ROOT

from grader.core.exercise import File, Task
from grader.runner.host.client import Part, Run, Runner
from grader.runner.warm import confine, limits
from grader.runner.wire import LAYERS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers of confinement are Linux's")

Attack = Callable[..., Run]


@pytest.fixture(scope="module")
def runners(exercises: dict[str, Task]) -> Iterator[Callable[..., Runner]]:
    """runners("landlock", …): a runner that does without these layers, kept for the module."""
    made: dict[tuple[str, ...], Runner] = {}

    def runner(*skip: str) -> Runner:
        if skip not in made:
            made[skip] = Runner(skip=skip)
            description, fixtures = exercises["ex1"]
            made[skip].load(description, fixtures.given)
        return made[skip]

    yield runner
    for one in made.values():
        one.close()


@pytest.fixture
def attack(runners: Callable[..., Runner]) -> Attack:
    """attack(lines, *skip): the run of a submission that has these lines as the body of dprobs."""

    def one(lines: str, *skip: str) -> Run:
        body = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
        part = Part("ex1", ["lecture"], ["dprobs"])
        source = f"import torch\ndef dprobs(probs):\n{body}\n    return probs\n"
        return runners(*skip).run(part, File("submission.py", source.encode()), wall=20)

    return one


def message(run: Run) -> str:
    """What became of the attack: an empty text where nothing stopped it."""
    record = run.records.get(("lecture", "dprobs"))
    if record is None:
        return run.ended or "no record"
    return "" if record.status == "value" else record.message or record.status


def returned(run: Run) -> str:
    return message(run).partition("RuntimeError: ")[2]


RAW = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    result = libc.syscall(number, *(ctypes.c_long(a) for a in args))
    if result < 0:
        raise OSError(ctypes.get_errno(), "stopped")
    return result
"""

# F_SETOWN, F_GETOWN, F_SETSIG, F_SETFL with O_ASYNC, F_SETLEASE (whoever opens the file waits), F_GETLEASE,
# F_SETOWN_EX
FCNTL = ["8, 0", "9", "10, 15", "4, 0x2400", "1024, 1", "1025", "15, bytes(8)"]

# the layer, what else has to be off to see it, and what it stops
ATTACKS: list[tuple[str, tuple[str, ...], str]] = [
    ("landlock", (), 'open("/etc/passwd").read()'),
    ("landlock", (), 'import os; os.listdir("/")'),
    ("landlock", (), 'open("<outside>/written", "w").close()'),
    ("landlock", (), 'open("/proc/self/maps").read()'),
    ("seccomp", (), f"{RAW}\nlibc.close(call(41, 2, 1, 0))"),  # socket
    ("seccomp", (), f"{RAW}\nlibc.close(call(284, 0))"),  # eventfd
    ("seccomp", (), f"{RAW}\nimport os\nif call(57) == 0: os._exit(0)"),  # fork
    ("seccomp", (), 'import os; open("x", "w").close(); os.chmod("x", 0o600)'),
    ("seccomp", (), "import os; os.kill(os.getpid(), 0)"),
    ("seccomp", (), "import os; os.sched_setaffinity(0, os.sched_getaffinity(0))"),
    *(
        ("seccomp", besides, f'import fcntl; fcntl.fcntl(open("x", "w"), {command})')
        for command in FCNTL
        for besides in ((), ("signal scope",))
    ),
    ("seccomp", (), 'import fcntl; fcntl.lockf(open("x", "w"), fcntl.LOCK_EX)'),
    ("seccomp", (), 'import fcntl; fcntl.flock(open("x", "w"), fcntl.LOCK_EX)'),
    # fallocate that keeps the size, which only some file systems hold to the limit of a file's size
    ("seccomp", (), f'{RAW}\nf = open("x", "wb"); call(285, f.fileno(), 1, 0, 1 << 20)'),
    ("resource limits", (), "x = bytearray(1 << 30)"),
    ("resource limits", (), "import mmap; mmap.mmap(-1, 1 << 30).close()"),
    ("resource limits", (), 'open("big", "wb").write(bytes(20 << 20))'),
    ("resource limits", (), "import os; fds = [os.dup(0) for _ in range(100)]; [os.close(f) for f in fds]"),
    ("capabilities", ("seccomp",), 'import os; os.chroot(".")'),
]


def name(value: object) -> str:
    return (
        value.split("\n")[-1][:50] if type(value) is str else "+".join(value) if type(value) is tuple else ""
    )


@pytest.mark.parametrize(("layer", "besides", "lines"), ATTACKS, ids=name)
def test_an_attack_that_one_layer_stops(
    layer: str, besides: tuple[str, ...], lines: str, attack: Attack, tmp_path: Path
) -> None:
    lines = lines.replace("<outside>", str(tmp_path))
    on = attack(lines, *besides)
    assert message(on), "it is not stopped with the layer on"
    assert set(on.off) == set(besides) & set(LAYERS)
    off = attack(lines, layer, *besides)
    assert message(off) == "", "something else stops it too"
    assert set(off.off) == {layer, *besides} & set(LAYERS)


def test_capabilities_are_dropped(attack: Attack) -> None:
    lines = """
    lines = open("/proc/self/status").read().split("\\n")
    raise RuntimeError([line.split()[1] for line in lines if line.startswith("Cap")])
    """
    besides = ("landlock", "seccomp")
    assert not int("".join(ast.literal_eval(returned(attack(lines, *besides)))), 16)
    if os.geteuid() == 0 or "namespaces" not in attack("pass").off:
        assert int("".join(ast.literal_eval(returned(attack(lines, "capabilities", *besides)))), 16)


def test_no_new_privileges(attack: Attack) -> None:
    lines = "import ctypes; raise RuntimeError(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))"
    assert returned(attack(lines, "seccomp")) == "1"
    run = attack(lines, "no-new-privileges", "seccomp")
    assert returned(run) == "0"
    assert {"no-new-privileges", "seccomp"} <= set(run.off)


def test_a_network_of_its_own(attack: Attack) -> None:
    lines = 'import os; raise RuntimeError(os.readlink("/proc/self/ns/net"))'
    ours = os.readlink("/proc/self/ns/net")
    assert returned(attack(lines)) not in ("", ours)
    run = attack(lines, "namespaces")
    assert returned(run) == ours
    assert run.off == ("namespaces",)


def test_other_processes_are_not_there(attack: Attack) -> None:
    lines = f"import os; os.getpgid({os.getpid()})"
    assert "ProcessLookupError" in message(attack(lines, "seccomp"))
    assert message(attack(lines, "seccomp", "namespaces")) == ""


@pytest.mark.slow
def test_a_signal_to_another_process_needs_three_layers_off(attack: Attack) -> None:
    """Landlock's scope, the PID namespace and the seccomp filter each stop it."""
    lines = f"import os; os.kill({os.getpid()}, 0)"
    for skip in ((), ("seccomp",), ("namespaces",), ("seccomp", "namespaces"), ("seccomp", "landlock")):
        assert message(attack(lines, *skip)), skip
    assert message(attack(lines, "landlock", "namespaces", "seccomp")) == ""


def test_a_signal_by_way_of_a_descriptor(attack: Attack) -> None:
    """Where Landlock has no scope for signals and there are no namespaces, the seccomp filter stops it."""
    old = ("namespaces", "signal scope")
    for skip, ends in (old, False), (("namespaces", "seccomp"), False), ((*old, "seccomp"), True):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as victim:
            lines = f"""
            import fcntl, os
            fcntl.fcntl(1, fcntl.F_SETFL, 0)
            try:
                r, w = os.pipe()
            except PermissionError:
                r = w = 1
            fcntl.fcntl(r, fcntl.F_SETOWN, {victim.pid})
            fcntl.fcntl(r, 10, {int(signal.SIGTERM)})
            fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)
            os.write(w, b"x")
            """
            stopped = message(attack(lines, *skip))
            assert bool(stopped) == ("seccomp" not in skip)
            if ends:
                assert victim.wait(DEADLINE) == -signal.SIGTERM
            else:
                assert victim.poll() is None
                victim.terminate()


UNLINKED = f"""{RAW}
import os
files = []
try:
    while len(files) < 150:  # at most so much where nothing stops it
        files.append(os.open("x", os.O_CREAT | os.O_RDWR))
        os.unlink("x")
        <fill>
except OSError as error:
    pass
size = sum(os.fstat(f).st_blocks * 512 for f in files)
for f in files: os.close(f)
raise RuntimeError(size >> 20)
"""
LIMIT = limits.FOLDER >> 20
WRITTEN, KEPT = "os.write(files[-1], bytes(1 << 20))", "call(285, files[-1], 1, 0, 1 << 20)"


@pytest.mark.parametrize(
    ("fill", "skip", "full"),
    [
        (WRITTEN, (), False),
        (WRITTEN, ("disks",), False),  # files by their size
        (WRITTEN, ("resource limits",), False),  # the file system alone
        (KEPT, ("resource limits", "seccomp"), False),
        (WRITTEN, ("disks", "resource limits"), True),
        (KEPT, ("disks", "resource limits", "seccomp"), True),
    ],
)
def test_unlinked_files_are_bounded_by_the_kernel(
    fill: str, skip: tuple[str, ...], full: bool, attack: Attack
) -> None:
    written = int(returned(attack(UNLINKED.replace("<fill>", fill), *skip)))
    assert written == 150 if full else 32 < written <= LIMIT


def test_an_unlinked_file_that_is_mapped_counts(attack: Attack) -> None:
    lines = f"""{RAW}
import os
for k in range(150):
    f = os.open("x", os.O_CREAT | os.O_RDWR)
    os.unlink("x")
    os.write(f, bytes(1 << 20))
    call(9, 0, 4096, 1, 1, f, 0)
    os.close(f)
"""
    assert f"more than {LIMIT} MB" in message(attack(lines))


def test_a_disk_is_empty_for_the_next(attack: Attack) -> None:
    fill = """
    import os
    with open("a", "wb") as f: f.write(bytes(1 << 20))
    for k in range(40):
        with open(f"{k}", "wb") as f: f.write(bytes(1 << 20))
    """
    for _ in range(confine.DISKS + 1):
        assert message(attack(fill)) == ""


def test_descriptors_and_their_flags_are_left(attack: Attack) -> None:
    lines = """
    import fcntl, os
    with open("x", "w") as f:
        os.set_inheritable(f.fileno(), True)
        fcntl.fcntl(f, fcntl.F_SETFL, fcntl.fcntl(f, fcntl.F_GETFL) | os.O_NONBLOCK)
        os.close(os.dup(f.fileno()))
        os.close(fcntl.fcntl(f, fcntl.F_DUPFD, 10))
        os.posix_fallocate(f.fileno(), 0, 1 << 20)
    """
    assert message(attack(lines)) == ""


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_is_off_is_named(layer: str, attack: Attack) -> None:
    off = attack("pass", layer).off
    assert layer in off
    if layer != "no-new-privileges":  # without which an unprivileged process gets no filter
        assert off == (layer,)


def test_no_layer_is_off_here(attack: Attack) -> None:
    assert attack("pass").off == ()


def test_a_trial_finds_nothing_possible(runners: Callable[..., Runner]) -> None:
    assert runners().trial() == {"off": [], "possible": [], "impossible": []}


def test_a_trial_finds_what_is_possible_without_layers(runners: Callable[..., Runner]) -> None:
    found = runners("landlock", "seccomp").trial()
    assert {"read a file outside", "open a local socket", "start a process"} <= set(found["possible"])
    assert found["off"] == ["landlock", "seccomp"]


def test_torch_may_be_installed_where_a_pth_file_leads(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (packages,) = tmp_path.glob("venv/lib/python3*/site-packages")
    folders = {Path(m.__file__ or "").parent.parent for m in (torch, numpy, safetensors, rich)}
    packages.joinpath("elsewhere.pth").write_text("\n".join(map(str, (ROOT, *folders))))
    source = tmp_path / "ex2.py"
    source.write_text("def dlogits(logits):\n    print('logits:', logits)\n    return logits\n")
    ran = subprocess.run(
        [tmp_path / "venv/bin/python", "-m", "grader", "check", str(source)],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip
    assert "logits: tensor(" in ran.stdout, ran.stdout + ran.stderr
