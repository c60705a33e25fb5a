"""Attacks, each run for real against the warm runner: what it gets, and that nothing else happened.

After each one: the zygote lives, no child is left, the private folder is gone, files outside and the
installed packages are as they were, and nothing was heard on the listeners.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks.cases import CASES, INJECTIONS, PRELUDES, Case
from conftest import DEADLINE, ROOT, descriptors, sampled, solution

from grader.classroom import batch
from grader.classroom.local import Local
from grader.core.errors import GraderFault
from grader.core.exercise import File, How, Task
from grader.core.verdict import ExerciseReport, Report, Verdict
from grader.judging.bench import Bench
from grader.judging.fresh_probes import fresh
from grader.judging.grade import grade
from grader.judging.requests import grade as grade_all
from grader.reports import document, plain, terminal
from grader.reports.screen import Screen
from grader.runner.host.client import Part, Run, Runner
from grader.suite.find import Suite, Target

REF = solution("ex1")
FIRST, LAST = "dlogprobs", "dC"  # right items around the attack
PASSED = {"exact", "approximate"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="the layers of confinement are Linux's")
pytestmark = linux


class Short(Runner):
    """A runner with limits of the test's own."""

    wall, cpu = 10.0, 4

    def run(self, part: Part, file: File, wall: float | None = None, cpu: int | None = None) -> Run:
        return super().run(part, file, min(wall or 60.0, self.wall), min(cpu or 60, self.cpu))


def end(runner: Runner) -> None:
    """Close a runner, whatever an attack has left in its folder."""
    with contextlib.suppress(RecursionError):
        runner.close()
    subprocess.run(["rm", "-rf", runner.starter.folder], check=True)


# --- what the system says --------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    return [int(p) for p in found]


def zygote_of(runner: Runner) -> int:
    """The zygote is the process started, or, in namespaces, its child. The runner has answered before."""
    return (children(runner.starter.process.pid) or [runner.starter.process.pid])[0]


def nothing_written(runner: Runner) -> bool:
    """Whether every child's private folder is gone, as the zygote's own mount namespace has it."""
    seen = Path(f"/proc/{zygote_of(runner)}/root{runner.starter.folder}")
    return not any(os.listdir(p) if p.name.startswith("disk") else True for p in seen.iterdir())


def state(pid: int) -> str:
    """R, S, T, Z…; an empty text where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until(condition: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """What `condition` returns once it is true, asked again and again until the deadline."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not come to it in time"
        os.sched_yield()
    return result


@dataclass
class Outside:
    """What no submission may touch."""

    folder: Path
    tcp: socket.socket
    udp: socket.socket
    local: list[socket.socket]
    abstract: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.tcp.getsockname()[1])

    def look(self) -> dict[str, Any]:
        site = Path(sysconfig.get_path("purelib"))
        canary = (self.folder / "canary.txt").stat()
        packages = [site / name for name in ("torch", "torch/__pycache__", "numpy", "safetensors")]
        return {
            "canary": (self.folder / "canary.txt").read_text(),
            "canary's metadata": (canary.st_mode, canary.st_mtime_ns, canary.st_nlink, canary.st_uid),
            "outside": sorted(os.listdir(self.folder)),
            "packages": {str(p): p.stat().st_mtime_ns for p in packages},
            ".pth files": sorted(p.name for p in site.glob("*.pth")),
            "results": [os.path.exists(p) for p in ("/autograder", "/tmp/results.json")],
            "shm": sorted(n for n in os.listdir("/dev/shm") if "grader" in n or "psm_" in n),
        }

    def heard(self) -> list[str]:
        """The listeners on which something arrived."""
        ready, _, _ = select.select([self.tcp, self.udp, *self.local], [], [], 0)
        return [repr(s) for s in ready]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "canary.txt").write_text("untouched")
    with contextlib.ExitStack() as stack:
        tcp, udp, path, abstract = (
            stack.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        )
        name = f"grader-{uuid.uuid4().hex}"
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        path.bind(str(folder / "socket"))
        abstract.bind(f"\0{name}")
        for one in (tcp, path, abstract):
            one.listen()
        out = Outside(folder, tcp, udp, [path, abstract], name)
        out.before = out.look()
        yield out


@pytest.fixture(scope="module")
def exercises(exercises: dict[str, Task]) -> dict[str, Task]:
    """With fresh probes, as a grade rests on them."""
    with Runner() as one:
        return {**exercises, "ex1": fresh(one, Suite(ROOT, ROOT), exercises["ex1"], 13)}


@pytest.fixture(scope="module")
def target(exercises: dict[str, Task]) -> Iterator[Short]:
    """A runner of the attacks' own, started where a secret is in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_SECRET", "the answer")
        runner = Short()
        try:
            description, fixtures = exercises["ex1"]
            runner.load(description, fixtures.given)
            runner.trial()
            yield runner
        finally:
            end(runner)


# --- the attacks -----------------------------------------------------------------------------------


def fill(text: str, outside: Outside, zygote: int) -> str:
    """An attack with its placeholders filled in."""
    for name in ("<raw>", "<forge>", "<job>"):
        text = text.replace(name, PRELUDES[name].strip())
    values = {
        "<ref>": REF,
        "<canary>": str(outside.folder / "canary.txt"),
        "<outside>": str(outside.folder),
        "<port>": str(outside.port),
        "<abstract>": outside.abstract,
        "<fixtures>": str(ROOT / "fixtures" / "ex1"),
        "<root>": str(ROOT),
        "<home>": str(Path.home()),
        "<site>": sysconfig.get_path("purelib"),
        "<zygote>": str(zygote),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def encoded(text: str) -> bytes:
    return text.encode("utf-7" if text.startswith("# coding: utf-7") else "utf-8", "surrogatepass")


def with_body(attack: str, item: str) -> str:
    """The right submission, but for one function whose body is the attack."""
    node = next(n for n in ast.parse(REF).body if isinstance(n, ast.FunctionDef) and n.name == item)
    lines = REF.splitlines()
    parameters = ", ".join(a.arg for a in node.args.args)
    body = textwrap.indent(f"{attack}\nreturn probs" if item == "dprobs" else attack, "    ")
    lines[node.lineno - 1 : node.end_lineno] = [f"def {item}({parameters}):", body]
    return "\n".join(lines) + "\n"


def source(case: Case, where: str, outside: Outside, zygote: int) -> bytes:
    if isinstance(case.attack, bytes):
        return case.attack
    text = fill(case.attack, outside, zygote)
    if where == "top":
        return encoded("import torch\n" + text)
    return encoded(with_body(text, case.item) if where == "inside" else text)


def attempt(
    runner: Short, exercises: dict[str, Task], source: bytes, case: Case
) -> tuple[ExerciseReport, Run]:
    runner.wall, runner.cpu = case.wall, case.cpu
    try:
        names = [FIRST, case.item, LAST]
        return grade(runner, exercises["ex1"], File("submission.py", source), How(names))
    finally:
        runner.wall, runner.cpu = Short.wall, Short.cpu


def unharmed(runner: Short, zygote: int, outside: Outside) -> None:
    """Nothing happened beside what the report says."""
    assert runner.starter.process.poll() is None, "the zygote died"
    assert state(zygote) in ("R", "S", "D"), "the zygote died"
    until(lambda: not children(zygote))  # one that stayed for a session is ended without a wait
    assert outside.look() == outside.before
    assert not outside.heard()
    until(lambda: nothing_written(runner))


RUNS = [
    pytest.param(case, where, id=f"{case.id}-{where}")
    for case in CASES
    for where in (("top", "inside") if case.where == "both" else (case.where,))
]


@pytest.mark.parametrize(("case", "where"), sampled(RUNS, 8))
def test_an_attack_gets_nothing(
    case: Case, where: str, exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    runner = guarded.runner()
    zygote = zygote_of(runner)
    start = time.monotonic()
    report, run = attempt(runner, exercises, source(case, where, outside, zygote), case)
    assert time.monotonic() - start < 2 * case.wall + DEADLINE, "the limits don't bound the grader's own time"
    said = {i.id: (i.verdict.value, i.check.reason, run.ended) for i in report.items}
    verdicts = {i.id.partition(".")[2]: i.verdict.value for i in report.items}
    allowed = case.alone if where == "top" else case.inside
    mine = verdicts if where == "top" else {case.item: verdicts[case.item]}
    for verdict in mine.values():
        assert verdict in allowed.split("|"), said
    if where != "top" and case.others:
        rest = {name: v for name, v in verdicts.items() if name != case.item}
        assert set(rest.values()) <= PASSED, said
    assert not run.off or case.id.startswith("own_forge"), run.off
    unharmed(runner, zygote, outside)


class Guard:
    """The module's runner; where an attack has harmed it, that test fails and the next gets a new one."""

    def __init__(self, first: Short, exercises: dict[str, Task]) -> None:
        self.first, self.exercises, self.extra = first, exercises, None

    extra: Short | None

    def runner(self) -> Short:
        """With ex1's fresh probes, whatever the last test loaded."""
        one = self.extra or self.first
        if one.starter.process.poll() is not None or not nothing_written(one):
            self.close()
            self.extra = one = Short()
            one.trial()
        description, fixtures = self.exercises["ex1"]
        one.load(description, fixtures.given)
        return one

    def close(self) -> None:
        if self.extra:
            end(self.extra)


@pytest.fixture(scope="module")
def guarded(target: Short, exercises: dict[str, Task]) -> Iterator[Guard]:
    guard = Guard(target, exercises)
    yield guard
    guard.close()


def test_after_all_attacks_a_right_submission_passes(guarded: Guard, exercises: dict[str, Task]) -> None:
    report, run = grade(guarded.runner(), exercises["ex1"], File("submission.py", REF.encode()))
    assert {i.verdict for i in report.items} == {Verdict.EXACT}
    assert report.score == len(report.items) == 26
    assert not run.ended


# --- what a report shows ---------------------------------------------------------------------------


def dangerous(text: str) -> list[str]:
    return sorted({repr(c) for c in text if c != "\n" and unicodedata.category(c)[0] == "C"})


@pytest.mark.parametrize("where", ["top", "inside"])
@pytest.mark.parametrize("case", INJECTIONS, ids=lambda c: c.id)
def test_a_report_shows_nothing_that_is_obeyed(
    case: Case, where: str, exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    runner = guarded.runner()
    text = source(case, where, outside, zygote_of(runner))
    one = Target("ex1", "dprobs")
    report = grade_all(Suite(ROOT, ROOT), Bench(runner), [one], {"ex1": File("submission.py", text)})
    assert not dangerous(plain.render(report))
    assert "\x1b" not in terminal.render(report, Screen(110, True, color=False))
    coloured = terminal.render(report, Screen(110, True, color=True))
    assert "\x07" not in coloured and "\x1b]" not in coloured and "\x1b[2J" not in coloured
    shown = json.dumps(document.document(report), ensure_ascii=False)
    assert not dangerous(shown)
    shown.encode()


@pytest.mark.parametrize("case", INJECTIONS, ids=lambda c: c.id)
def test_a_line_of_results_shows_nothing_that_is_obeyed(
    case: Case, exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    runner = guarded.runner()
    text = source(case, "top", outside, zygote_of(runner))
    local = Local({"ex1": exercises["ex1"]})
    local.runner = runner
    result = local.grade("ex1", text, "submission.py")
    shown = json.dumps(result, ensure_ascii=False)
    assert not dangerous(shown)
    shown.encode()


def test_no_layer_is_off_because_a_submission_says_so(
    exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    runner = guarded.runner()
    text = fill('<forge>\nos.write(3, rec({"off": ["landlock"]})); os._exit(0)', outside, 1)
    run = runner.run(Part("ex1", ["lecture"], ["dprobs"]), File("submission.py", text.encode()))
    assert run.off == ()


# --- answers for other choices, claimed ------------------------------------------------------------

ZERO_OF_ALL = """
<forge>
out = rec({"off": []}) + rec({"loaded": True})
for name, g in job.fixtures.items():
    for i in job.items:
        tensor = job.exercise.item(i).tensor
        out += value(name, i, FORGED, reads=READS)
os.write(3, out + rec({"end": True}))
os._exit(0)
"""


@pytest.mark.parametrize("forged", ["torch.zeros_like(g[tensor])", "g[tensor] * 1e-12 + 1e-12"])
@pytest.mark.parametrize("reads", ["[]", "['dhpreact']", "['dlogits']", "['dnorm_logits']"])
def test_zeros_pass_for_no_choice_of_upstream_gradients(
    reads: str, forged: str, exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    text = fill(ZERO_OF_ALL.replace("FORGED", forged).replace("READS", reads), outside, 1)
    report, _ = grade(guarded.runner(), exercises["ex1"], File("submission.py", text.encode()))
    assert [i.id for i in report.items if i.passed] == []


def test_claiming_to_read_all_costs_the_grader_little(
    exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    """Right on the lecture, wrong on probes, for all items: each asks for all its choices."""
    reads = (
        "[k for k in ('dlogprobs', 'dprobs', 'dlogits', 'dh', 'dhpreact', 'dbnraw', 'dbndiff', 'dhprebn')]"
    )
    forged = "g[tensor] * 0 + 1"
    text = fill(ZERO_OF_ALL.replace("FORGED", forged).replace("READS", reads), outside, 1)
    start = time.process_time()
    report, _ = grade(guarded.runner(), exercises["ex1"], File("submission.py", text.encode()))
    assert report.score == 0
    assert time.process_time() - start < 20


# --- 154: nothing of one submission is left for the next -------------------------------------------


def memory(pid: int) -> Iterator[bytes]:
    """The readable private memory of a process, mapping by mapping."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            if rights[0] != "r" or "[v" in line or (rights[1] != "w" and inode != "0"):
                continue
            low, high = (int(x, 16) for x in span.split("-"))
            with contextlib.suppress(OSError, ValueError):
                mem.seek(low)
                yield mem.read(high - low)


def found_in(pid: int, markers: dict[str, bytes]) -> set[str]:
    return {name for part in memory(pid) for name, marker in markers.items() if marker in part}


def references(exercises: dict[str, Task]) -> dict[str, bytes]:
    """The bytes of each reference that is not also among what items are given."""
    fixtures = exercises["ex1"][1]
    given = b"".join(fixtures.given.values())
    found = {}
    for name, reference in fixtures.references.items():
        for key, value in reference.values.items():
            data = np.ascontiguousarray(value).tobytes()[:256]
            if len(data) >= 64 and len(set(data)) > 16 and data not in given:
                found[f"{name}.{key}"] = data
    return found


@pytest.fixture
def may_read(guarded: Guard) -> None:
    try:
        with open(f"/proc/{zygote_of(guarded.runner())}/mem", "rb"):
            pass
    except PermissionError:
        pytest.skip("the zygote's memory can't be read by this user")


@pytest.mark.usefixtures("may_read")
def test_nothing_of_a_submission_is_left_in_the_zygote(guarded: Guard, exercises: dict[str, Task]) -> None:
    runner = guarded.runner()
    marker = uuid.uuid4().hex
    number = int.from_bytes(os.urandom(2), "big") / 65536 + 3.0
    tensor = np.full(16, number, np.float32).tobytes()
    text = f"# {marker}\n{REF}\ndef dprobs(probs): return torch.full_like(probs, {number!r})\n"
    report, _ = grade(runner, exercises["ex1"], File("submission.py", text.encode()))
    assert report.score == 25
    markers = {"source": marker.encode(), "result": tensor, **references(exercises)}
    assert len(markers) > 30
    # what is looked for can be found: the inputs are there
    probe = "probe-1-fresh.given"
    start = exercises["ex1"][1].given["probe-1-fresh"][-512:-256]
    assert found_in(zygote_of(runner), {**markers, probe: start}) == {probe}


@pytest.mark.usefixtures("may_read")
def test_a_child_holds_no_reference_and_nothing_of_the_one_before(
    guarded: Guard, exercises: dict[str, Task]
) -> None:
    runner = guarded.runner()
    before, own = uuid.uuid4().hex, uuid.uuid4().hex
    grade(runner, exercises["ex1"], File("submission.py", f"# {before}\n{REF}".encode()))
    text = f"import signal\n# {own}\nsignal.raise_signal(signal.SIGSTOP)\n"
    part, file = Part("ex1", ["lecture", "probe-2"], [FIRST]), File("x.py", text.encode())
    with background(lambda: runner.together([part], file, wall=60, cpu=60)):  # it is tried no second time
        zygote = zygote_of(runner)
        child = until(lambda: [p for p in children(zygote) if state(p) == "T"])[0]  # and is read meanwhile
        try:
            markers = {"before": before.encode(), "own": own.encode(), **references(exercises)}
            assert found_in(child, markers) == {"own"}
        finally:
            os.kill(child, signal.SIGKILL)


@contextlib.contextmanager
def background(work: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do `work` in a thread; its result, or what it raised, is in the list once the block has ended."""
    results: list[Any] = []

    def target() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        yield results
    finally:
        thread.join(DEADLINE)
    assert not thread.is_alive()


# --- 155: the zygote dies --------------------------------------------------------------------------

SLOW = """
import time
def dprobs(probs, dlogprobs):
    end = time.monotonic() + 1
    while time.monotonic() < end: pass
    return (1.0 / probs) * dlogprobs
"""


def test_a_zygote_that_dies_is_the_graders_own_fault(exercises: dict[str, Task]) -> None:
    description, fixtures = exercises["ex1"]
    with Runner() as runner:
        runner.load(description, fixtures.given)
        runner.trial()
        zygote = zygote_of(runner)

        def work() -> Run:
            return runner.run(
                Part("ex1", ["lecture"], ["dprobs"]), File("x.py", b"while True: pass\n"), wall=30
            )

        with background(work) as results:
            child = until(lambda: children(zygote))[0]
            os.kill(zygote, signal.SIGKILL)
            until(lambda: state(child) in ("", "Z"))
        assert [type(r) for r in results] == [GraderFault]


@pytest.mark.slow
def test_a_batch_goes_on_after_its_zygote_died(exercises: dict[str, Task]) -> None:
    local = Local({"ex1": exercises["ex1"]})
    try:
        runner = local._runner()
        runner.trial()
        zygote = zygote_of(runner)
        with background(lambda: local.grade("ex1", (REF + SLOW).encode(), "x.py")) as results:
            until(lambda: children(zygote))
            os.kill(zygote, signal.SIGKILL)
        assert isinstance(results[0], dict), results
        assert results[0]["passed"], results
        assert local.runner is not runner
    finally:
        local.close()


# --- 156: the parent dies --------------------------------------------------------------------------

PARENT = """
import sys
from grader.suite import fixtures
from grader.core.exercise import File
from grader.runner.host.client import Part, Runner
from pathlib import Path
root = Path(sys.argv[1])
description = fixtures.describe(root, "ex1")
runner = Runner()
runner.load(description, fixtures.read(root, description).given)
runner.trial()
print(runner.starter.process.pid, runner.starter.folder, flush=True)
endless = File("x.py", b"open('x', 'w').close()\\nwhile True: pass")
runner.run(Part("ex1", ["lecture"], ["dprobs"]), endless, wall=60)
"""


def test_nothing_outlives_the_grader() -> None:
    command = [sys.executable, "-c", PARENT, str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        pid, folder = parent.stdout.readline().split()
        zygote = (children(int(pid)) or [int(pid)])[0]
        child = until(lambda: children(zygote))[0]
        watched = [os.pidfd_open(p) for p in {int(pid), zygote, child}]
        seen = Path(f"/proc/{zygote}/root{folder}")  # as in its own mount namespace
        until(lambda: [*seen.glob("*/x"), *seen.glob("disk*/*/x")])
        parent.kill()
        for fd in watched:
            assert select.select([fd], [], [], DEADLINE)[0], "a process is left"
            os.close(fd)
        until(lambda: not os.path.exists(folder))


# --- 158-161: names beside a submission, and the environment ---------------------------------------

BESIDE = ("torch", "numpy", "conftest", "sitecustomize", "usercustomize", "lecture", "grader", "json", "F")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A right submission among files that leave a mark where something imports them."""
    mark = f"open({str(tmp_path / 'mark')!r}, 'a').write(__name__ + ' ')\n"
    for name in BESIDE:
        (tmp_path / f"{name}.py").write_text(mark)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\n")
    (tmp_path / "__pycache__").mkdir()
    for name in (*BESIDE, "ex1"):
        (tmp_path / "__pycache__" / f"{name}.cpython-311.pyc").write_bytes(b"evil")
    (tmp_path / "ex1.py").write_text(REF)
    return tmp_path


def command(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    grader = Path(sys.executable).with_name("grader")
    return subprocess.run(
        [str(grader), "check", "ex1", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def test_names_beside_a_submission_are_not_imported(beside: Path) -> None:
    done = command(beside, "--submission", str(beside / "ex1.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (beside / "mark").exists()


def test_a_submission_can_not_import_what_lies_beside_it(beside: Path) -> None:
    (beside / "mine.py").write_text("ANSWER = 1\n")
    (beside / "ex1.py").write_text("import mine\n" + REF)
    done = command(beside, "--submission", str(beside / "ex1.py"), "--json")
    assert "mark" not in os.listdir(beside)
    assert done.returncode == 0, done.stdout + done.stderr  # a failing statement costs itself alone


def test_the_environment_does_not_reach_the_computing_processes(
    beside: Path, exercises: dict[str, Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = {
        "PYTHONPATH": str(beside),
        "PYTHONSTARTUP": str(beside / "torch.py"),
        "PYTHONHOME": str(beside),
        "PYTHONINSPECT": "1",
        "LD_LIBRARY_PATH": str(beside),
        "GRADER_SECRET": "the answer",
    }
    for name, value in evil.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LD_PRELOAD", str(beside / "nothing.so"))
    monkeypatch.chdir(beside)
    with Runner() as runner:
        description, fixtures = exercises["ex1"]
        runner.load(description, fixtures.given)
        assert grade(runner, exercises["ex1"], File("ex1.py", REF.encode()))[0].score == 26
        environ = Path(f"/proc/{zygote_of(runner)}/environ").read_bytes()
        assert os.readlink(f"/proc/{zygote_of(runner)}/cwd") == "/"
    assert not [name for name in (*evil, "LD_PRELOAD") if name.encode() in environ]
    assert not (beside / "mark").exists()


# --- many at once ----------------------------------------------------------------------------------


def test_hostile_and_honest_submissions_at_once(
    exercises: dict[str, Task], outside: Outside, guarded: Guard
) -> None:
    """157 in small: three in flight, and no honest one is touched by its neighbours."""
    runner = guarded.runner()
    zygote = zygote_of(runner)
    ids = ("011_os_exit", "015_segfault", "024_flood", "056_fork_bomb", "087_x32", "own_forge_end")
    hostile = [source(c, "inside", outside, zygote) for c in CASES if c.id in ids]
    work = [pair for s in hostile for pair in ((REF.encode(), True), (s, False))] * 2
    before = (descriptors(zygote), resident(zygote))
    wrong: list[Any] = []

    def some(mine: Sequence[tuple[bytes, bool]]) -> None:
        for text, right in mine:
            report, run = grade(runner, exercises["ex1"], File("x.py", text), How([FIRST, "dprobs", LAST]))
            if (report.score == 3) is not right:
                wrong.append((report, run.ended))

    with background(lambda: some(work[::3])), background(lambda: some(work[1::3])):
        some(work[2::3])
    assert not wrong
    unharmed(runner, zygote, outside)
    assert descriptors(zygote) < before[0] + 3  # one of each disk that was not used before: three ran at once
    assert resident(zygote) < before[1] + (16 << 20)


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_report_is_of_plain_data() -> None:
    """What this file relies on: all verdicts named in the cases exist."""
    named = {v for c in CASES for v in (*c.inside.split("|"), *c.alone.split("|"))}
    assert named <= {v.value for v in Verdict}
    assert Report("", ()).score == 0


@pytest.mark.parametrize("each", [30, pytest.param(1, marks=pytest.mark.slow)])
def test_a_batch_of_attacks_changes_no_honest_grade(
    each: int, exercises: dict[str, Task], outside: Outside, tmp_path: Path
) -> None:
    """Every attack once through the batch, or some, an honest submission between any ten of them."""
    from grader.submissions.uploads import Intake, uploads

    folder = tmp_path / "in"
    folder.mkdir()
    for number, case in enumerate(CASES[::each]):
        where = "top" if case.where == "both" else case.where
        (folder / f"a{number:04}.py").write_bytes(source(case, where, outside, 1))
        if number % 10 == 0:
            (folder / f"h{number:04}.py").write_text(f"{REF}\n# honest {number}\n")
    found = uploads([folder], Intake(["ex1"], "ex1"))
    out = tmp_path / "out"
    out.mkdir()
    local = Local({"ex1": exercises["ex1"]}, wall=4.0, cpu=1)
    try:
        results = list(
            batch.run(batch.Class(found, {"ex1": exercises["ex1"]}), out, local, 2, lambda _: None)
        )
    finally:
        local.close()
    assert len(results) == len(found)
    for result in results:
        assert not result["problem"] or result["problem"].startswith("refused: it "), result["problem"]
        if Path(result["submission"]).name.startswith("h"):
            assert (result["score"], result["max_score"]) == (26, 26), result["submission"]
