"""Attacks on the grader, each with what is to come of it. The numbers are those of the case list.

An attack is lines of Python. It is run alone in a file (`top`), and as the body of `dprobs` in an otherwise
right submission (`inside`), after which `return probs` gives a wrong answer. `error` therefore means
that the attack was stopped, `wrong` that it ran and got nothing by it. A `file` is a whole submission.

Nothing here does harm where it isn't stopped: no address but loopback, at most 50 processes, bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

E, W, R, O, P = "error", "wrong", "refused", "over-limit", "exact"  # noqa: E741
LIMIT = f"{E}|{O}"
NOTHING = "not-written"
TENSOR = "not-a-tensor"
ANY_VALUE = f"{E}|{W}|{TENSOR}|wrong-shape|wrong-dtype|not-finite"
NUMBERS = f"{ANY_VALUE}|{R}|{P}|approximate"  # a known limit: right numbers, whatever the method

# What the verdict inside becomes where the attack stands alone in a file, which has no function.
FAILS = f"{E}|{NOTHING}"
ALONE = {E: FAILS, W: NOTHING, R: FAILS, O: f"{O}|{FAILS}", TENSOR: NOTHING, P: NOTHING}


@dataclass(frozen=True)
class Case:
    """One attack. inside, top: allowed verdicts, separated by |; others: whether the other items pass.

    where: "both", "inside", "top" or "file"; of a file, `inside` is the item's verdict.
    item: the one that the attack is the body of. wall, cpu: limits in seconds.
    """

    id: str
    attack: str | bytes
    inside: str = E
    top: str = ""
    item: str = "dprobs"
    where: str = "both"
    others: bool = True
    wall: float = 10.0
    cpu: int = 4

    @property
    def alone(self) -> str:
        return self.top or "|".join(ALONE.get(v, v) for v in self.inside.split("|"))


PRELUDES = {
    "<raw>": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *(ctypes.c_long(a) if type(a) is int else a for a in args))
    if result == -1 and ctypes.get_errno() in (1, 38):
        raise PermissionError(number)
    return result
""",
    "<forge>": """
import os, struct, json, sys
def rec(header, data=b""):
    text = json.dumps({**header, "bytes": len(data)}).encode()
    return struct.pack("<I", len(text)) + text + data
def value(fixture, item, t, **more):
    kind = str(t.dtype).removeprefix("torch.")
    header = dict(fixture=fixture, item=item, status="value", dtype=kind, encoded=kind)
    return rec({**header, "shape": list(t.shape), "sent": True, **more}, t.contiguous().numpy().tobytes())
<job>
""",
    "<job>": """
import sys, torch
f = sys._getframe()
while "jobs" not in f.f_locals:
    f = f.f_back
job = f.f_locals["jobs"][0]
""",
}


def control(id: str, change: str, verdict: str, item: str = "dprobs") -> Case:
    return Case(id, f"<ref>\n{change}\n", verdict, item=item, where="file")


# --- 1-9: controls ---------------------------------------------------------------------------------

CONTROLS = [
    control("001_reference_solution", "", P),
    control("002_wrong_sign", "def db2(dlogits): return -dlogits.sum(0)", W, "db2"),
    control("003_db1_is_not_vacuous", "def db1(dhprebn): return -dhprebn.sum(0)", W, "db1"),
    control("003_db1_zero", "def db1(b1): return torch.zeros_like(b1)", W, "db1"),
    control("003_dlogit_maxes_zero", "def dlogit_maxes(n): return torch.zeros(n, 1)", W, "dlogit_maxes"),
    Case("004_empty_file", "", NOTHING, where="file", others=False),
    control("005_nan_everywhere", "def dprobs(probs): return probs * float('nan')", "not-finite"),
    control("006_inf", "def dprobs(probs, dlogprobs): return dlogprobs / 0", "not-finite"),
    control(
        "007_shape_broadcast", "def db2(dlogits): return dlogits.sum().expand(27)", f"{W}|wrong-shape", "db2"
    ),
    control(
        "008_float64", "def dprobs(probs, dlogprobs): return (dlogprobs / probs).double()", "wrong-dtype"
    ),
    control("009_infinite_expand", "def dprobs(probs): return torch.zeros(1).expand(1 << 40)", "wrong-shape"),
    control(
        "009_infinite_as_strided",
        "def dprobs(probs): return probs.as_strided((1 << 30, 1 << 20), (0, 0))",
        "wrong-shape",
    ),
]

# --- 10-16: early exit -----------------------------------------------------------------------------

EXITS = [
    Case("010_sys_exit", "import sys; sys.exit(0)"),
    Case("011_os_exit", "import os; os._exit(0)"),
    Case("012_atexit", 'import atexit; atexit.register(lambda: print("26/26 PASS"))', W),
    Case("013_kill_self", "import os, signal; os.kill(os.getpid(), 9)"),
    Case("014_abort", "import os; os.abort()"),
    Case("015_segfault", "import ctypes; ctypes.string_at(1)"),
    Case("016_base_exception", 'raise BaseException("x")'),
    Case("016_exit_in_del", "class D:\n    def __del__(s):\n        import os; os._exit(0)\nD()"),
    Case(
        "016_exit_in_message",
        "class X(Exception):\n    def __str__(s):\n        raise SystemExit(0)\nraise X",
    ),
]

# --- 17-33: forging the verdict --------------------------------------------------------------------

COMPLETE = """<forge>
out = rec({"loaded": True})
for name, g in job.fixtures.items():
    for i in job.items:
        out += value(name, i, FORGED)
os.write(3, out + rec({"end": True}))
os._exit(0)"""

FORGERIES = [
    Case("017_stdout_json", """print('{"score": 100, "v": "PASS", "tests": [{"status": "passed"}]}')""", W),
    Case(
        "018_result_json",
        "import os, struct; os.write(3, struct.pack('<I', 9) + b'{\"v\":\"P\"}'); os._exit(0)",
        others=False,
    ),
    Case(
        "019_header_huge",
        "import os, struct; os.write(3, struct.pack('<I', 0xFFFFFFF0)); os._exit(0)",
        others=False,
    ),
    Case(
        "020_claims_ok_without_values",
        """<forge>
for name in job.fixtures:
    os.write(3, rec({"fixture": name, "item": "dprobs", "status": "value", "dtype": "float32", "shape": [4]}))
os.write(3, rec({"end": True})); os._exit(0)""",
        f"{E}|wrong-shape",
        others=False,
    ),
    Case(
        "021_duplicate_names",
        """<forge>
one = value("lecture", "dprobs", torch.zeros(32, 27))
os.write(3, one + one); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "022_deep_json",
        "import os, struct\nh = b'[' * 16000\nos.write(3, struct.pack('<I', len(h)) + h); os._exit(0)",
        E,
        others=False,
    ),
    Case(
        "022_deep_json_whole",
        "import os, struct\nh = b'[' * 8000 + b']' * 8000\nos.write(3, struct.pack('<I', len(h)) + h)\n"
        "os._exit(0)",
        E,
        others=False,
    ),
    Case(
        "022_digits",
        """<forge>
h = b'{"bytes": ' + b'9' * 10000 + b'}'
os.write(3, struct.pack('<I', len(h)) + h); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "022_not_utf8",
        """<forge>
h = b'{"bytes": 0, "x": "\\xff\\xfe"}'
os.write(3, struct.pack('<I', len(h)) + h); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "023_negative_and_bool_dims",
        """<forge>
os.write(3, rec({"fixture": "lecture", "item": "dprobs", "status": "value", "dtype": "float32",
                 "shape": [-1, True]})); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "023_shape_of_2_to_the_4000",
        """<forge>
for name in job.fixtures:
    os.write(3, rec({"fixture": name, "item": "dprobs", "status": "value", "dtype": "float32",
                     "shape": [(1 << 62) - 1] * 64}))
os.write(3, rec({"end": True})); os._exit(0)""",
        f"{E}|wrong-shape",
        others=False,
    ),
    Case(
        "024_flood",
        'import os\nwhile True: os.write(3, b"\\xff\\x00\\x00\\x00" + b"A" * 65536)',
        E,
        others=False,
    ),
    Case("024_flood_of_zeros", "import os\nwhile True: os.write(3, bytes(65536))", E, others=False),
    Case(
        "024_flood_of_loaded",
        """<forge>
while True: os.write(3, rec({"loaded": True}) * 1000)""",
        LIMIT,
        top=E,
        others=False,
        wall=3,
    ),
    Case(
        "025_replace_the_harness",
        """
import sys
for m in (sys.modules["grader.runner.untrusted.child"], sys.modules["grader.runner.untrusted.asking"]):
    m.pack = lambda h, v: ({**h, "status": "value", "verdict": "exact"}, b"")
    m.describe = m._equal = m._write = m.wire = None""",
        ANY_VALUE,
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "025_replace_the_wire",
        """
import sys
w = sys.modules["grader.runner.wire"]
w.encode = lambda h, d=b"": b""
w.MAX_ELEMENTS = w.MAX_HEADER = 1 << 40""",
        ANY_VALUE,
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "026_allclose",
        """
torch.allclose = lambda *a, **k: True
torch.equal = torch.allclose
torch.Tensor.__eq__ = lambda s, o: torch.ones(1)""",
        W,
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "027_results_json",
        """
for p in ("/autograder/results/results.json", "results.json", "/tmp/results.json", "<outside>/results.json"):
    try:
        open(p, "w").write('{"score": 26}')
    except OSError:
        pass""",
        W,
    ),
    Case("028_conftest", 'open("conftest.py", "w").write("import pytest")', W),
    Case("028_conftest_outside", 'open("<outside>/conftest.py", "w").write("import pytest")'),
    Case(
        "029_object_that_equals",
        """
class A:
    def __eq__(s, o): return True
    def __getattr__(s, k): return lambda *a, **q: s
return A()""",
        ANY_VALUE,
        where="inside",
    ),
    Case(
        "029_claims_to_be_a_tensor",
        """
class A:
    @property
    def __class__(s): return torch.Tensor
    def __getattr__(s, k): return lambda *a, **q: s
return A()""",
        ANY_VALUE,
        where="inside",
    ),
    Case(
        "030_torch_function",
        """
class S(torch.Tensor):
    @classmethod
    def __torch_function__(c, f, t, a=(), k=None): return t[0] if t else True
return torch.zeros(3, 4).as_subclass(S)""",
        ANY_VALUE,
        where="inside",
    ),
    Case(
        "030_torch_dispatch",
        """
class S(torch.Tensor):
    @classmethod
    def __torch_dispatch__(c, f, t, a=(), k=None): raise SystemExit(0)
return torch.Tensor._make_subclass(S, probs)""",
        ANY_VALUE,
        where="inside",
    ),
    Case(
        "031_fake_type_name",
        """
class Tensor(torch.Tensor): pass
Tensor.__module__ = "torch"
return torch.zeros_like(probs).as_subclass(Tensor)""",
        W,
        where="inside",
    ),
    Case(
        "032_numpy_of_tensor",
        "torch.Tensor.numpy = lambda s: (_ for _ in ()).throw(SystemExit(0))",
        E,
        top=NOTHING,
    ),
    Case(
        "032_numpy_gives_answers",
        """<job>
plain = torch.Tensor.numpy
torch.Tensor.numpy = lambda s: plain(job.fixtures["lecture"]["dprobs"])""",
        ANY_VALUE,
        top=NOTHING,
        others=False,
    ),
    Case(
        "033_late_thread", "import threading, time; threading.Thread(target=lambda: time.sleep(1)).start()", O
    ),
    Case(
        "033_late_timer",
        """<forge>
import signal
signal.signal(signal.SIGALRM, lambda *a: os.write(3, rec({"end": True})))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)""",
        f"{E}|{W}",
        top=f"{E}|{NOTHING}",
        others=False,
    ),
    # a whole record set with the lecture's own gradients, which are in the child, and the probes' ones
    Case(
        "own_forge_complete_from_given",
        COMPLETE.replace("FORGED", "g[i] if i in g else torch.zeros_like(g[i[1:]])"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_lecture_everywhere",
        """<forge>
lecture = job.fixtures["lecture"]
"""
        + COMPLETE.replace("<forge>", "").replace("FORGED", "lecture.get(i, lecture[i[1:]])"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_zeros",
        COMPLETE.replace("FORGED", "torch.zeros_like(g[i[1:]])"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_zeros_reads_nothing",
        COMPLETE.replace("FORGED", "torch.zeros_like(g[i[1:]]), reads=[]"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_zeros_reads_all",
        COMPLETE.replace("FORGED", "torch.zeros_like(g[i[1:]]), reads=[k for k in g if k[0] == 'd'][:200]"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_nan",
        COMPLETE.replace("FORGED", "g[i[1:]] * float('nan')"),
        E,
        top="not-finite",
        others=False,
    ),
    Case(
        "own_forge_complete_huge",
        COMPLETE.replace("FORGED", "torch.full_like(g[i[1:]], 3e38)"),
        E,
        top=W,
        others=False,
    ),
    Case(
        "own_forge_complete_float64_inf",
        COMPLETE.replace("FORGED", "g[i[1:]].double() * 1e308 * 1e308"),
        E,
        top="wrong-dtype",
        others=False,
    ),
    Case(
        "own_forge_complete_empty",
        COMPLETE.replace("FORGED", "torch.zeros(0, 27)"),
        E,
        top="wrong-shape",
        others=False,
    ),
    Case(
        "own_forge_complete_scalar",
        COMPLETE.replace("FORGED", "torch.zeros(())"),
        E,
        top="wrong-shape",
        others=False,
    ),
    Case(
        "own_forge_complete_64_dims",
        COMPLETE.replace("FORGED", "torch.zeros([1] * 64)"),
        E,
        top="wrong-shape|error",
        others=False,
    ),
    Case(
        "own_forge_complete_0_by_huge",
        COMPLETE.replace("FORGED", "torch.zeros(0), shape=[0] + [1 << 20] * 40"),
        E,
        top="wrong-shape|error",
        others=False,
    ),
    Case(
        "own_forge_off_first",
        """<forge>
os.write(3, rec({"off": []}) * 2)""",
        E,
        others=False,
    ),
    Case("own_forge_off_then_on", '<forge>\nos.write(3, rec({"off": []}))', E, others=False),
    Case("own_forge_off_not_a_list", '<forge>\nos.write(3, rec({"off": {"x": 1}}))', E, others=False),
    Case("own_forge_loaded", '<forge>\nos.write(3, rec({"loaded": True}))', E, others=False),
    Case("own_forge_end", '<forge>\nos.write(3, rec({"end": True}))', E, others=False),
    Case("own_forge_end_and_leave", '<forge>\nos.write(3, rec({"end": True})); os._exit(0)', E, others=False),
    Case(
        "own_forge_end_with_verdict", '<forge>\nos.write(3, rec({"end": True, "score": 26}))', E, others=False
    ),
    Case(
        "own_forge_status_exact",
        """<forge>
os.write(3, rec({"fixture": "lecture", "item": "dprobs", "status": "exact"})); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_plain_data",
        """<forge>
data = json.dumps(["s", *(["i", format(k * (2**61 - 1), "x")] for k in range(2000, 4000))]).encode()
header = dict(status="value", dtype="plain", encoded="plain", sent=True)
os.write(3, b"".join(rec({"fixture": f, "item": i, **header}, data) for f in job.fixtures for i in job.items))
os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_of_another_item",
        """<forge>
os.write(3, value("lecture", "dW1", torch.zeros(30, 64)))""",
        E,
        others=False,
    ),
    Case(
        "own_forge_of_a_later_item",
        """<forge>
os.write(3, value("lecture", "dC", torch.zeros(27, 10)))""",
        E,
        others=False,
    ),
    Case(
        "own_forge_of_another_fixture",
        """<forge>
os.write(3, value("probe-9", "dprobs", torch.zeros(30, 64)))""",
        E,
        others=False,
    ),
    Case("own_forge_unfinished", '<forge>\nos.write(3, b"\\x10\\0"); os._exit(0)', E, others=False),
    Case(
        "own_forge_half_a_record",
        """<forge>
os.write(3, value("lecture", "dprobs", torch.zeros(32, 27))[:-1]); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_payload_too_long",
        """<forge>
os.write(3, value("lecture", "dprobs", torch.zeros(32, 28), shape=[32, 27])); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_line_0",
        """<forge>
os.write(3, rec({"fixture": "lecture", "item": "dprobs", "status": "error", "line": 0})); os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_text_too_long",
        """<forge>
os.write(3, rec({"fixture": "lecture", "item": "dprobs", "status": "error", "message": "x" * 3000}))
os._exit(0)""",
        E,
        others=False,
    ),
]

# --- 34-47: reading the answers --------------------------------------------------------------------

READING = [
    Case("034_references", 'open("<fixtures>/lecture.reference.safetensors.gz", "rb").read()'),
    Case("034_given", 'open("<fixtures>/probe-1.given.safetensors.gz", "rb").read()'),
    Case("034_solution", 'open("<root>/solutions/ex1.py").read()'),
    Case("034_grader", 'open("<root>/grader/judging/grade.py").read()'),
    Case("034_import_oracle", "import grader.reference.oracle"),
    Case("034_import_build", "import grader.authoring.build"),
    Case("034_by_mmap", 'import mmap, os; mmap.mmap(os.open("<fixtures>/exercise.json", 0), 0, prot=1)'),
    Case("034_by_numpy", 'import numpy; numpy.fromfile("<fixtures>/lecture.reference.safetensors.gz")'),
    Case("034_by_dotdot", 'import os; os.open("../" * 30 + "<fixtures>/exercise.json", 0)'),
    Case(
        "034_by_safetensors",
        """
import safetensors.torch as s
s.load_file("<fixtures>/probe-1.reference.safetensors.gz")""",
    ),
    Case("035_listing", 'import os; print(os.listdir("<fixtures>"))'),
    Case("035_listing_of_outside", 'import os; print(os.listdir("<outside>"))'),
    Case("035_other_jobs", 'import os; print(os.listdir(".."))'),
    Case("036_etc_passwd", 'print(open("/etc/passwd").read())'),
    Case("037_home", 'import os; os.listdir("<home>")'),
    Case("038_parent_environ", 'import os; open(f"/proc/{os.getppid() or 1}/environ").read()'),
    Case("039_parent_mem", 'import os; open(f"/proc/{os.getppid() or 1}/mem", "rb")'),
    Case("039_zygote_mem", 'open("/proc/<zygote>/mem", "rb")'),
    Case("040_self_mem", 'open("/proc/self/mem", "rb")'),
    Case("040_self_maps", 'open("/proc/self/maps").read()'),
    Case("040_self_fd", 'import os; os.listdir("/proc/self/fd")'),
    Case(
        "040_self_fd_open",
        'import os; os.open("/proc/self/fd/1", os.O_RDWR)',
        f"{E}|{W}",
        top=f"{E}|{NOTHING}",
    ),
    Case("041_ptrace_parent", "import os\n<raw>\ncall(101, 16, os.getppid() or 1, 0, 0)"),
    Case("042_process_vm_readv", "import os\n<raw>\ncall(310, os.getppid() or 1, 0, 0, 0, 0, 0)"),
    Case(
        "043_gc",
        """<job>
import gc
known = [v for g in job.fixtures.values() for v in g.values() if isinstance(v, torch.Tensor)]
new = [o for o in gc.get_objects() if type(o) is torch.Tensor and o.shape == probs.shape
       and not any(o.shape == k.shape and torch.equal(o, k) for k in known)]
return new[0]""",
        f"{E}|{W}",
        where="inside",
    ),
    Case("044_frames_to_given", '<job>\nreturn job.fixtures["lecture"]["dprobs"]', W, where="inside"),
    Case(
        "044_frames_to_the_same_fixture",
        """<job>
g = [g for g in job.fixtures.values() if torch.equal(g["probs"], probs)]
return g[0]["dprobs"]""",
        W,
        where="inside",
    ),
    Case(
        "044_frames_to_alternatives",
        """<job>
g = [g for g in job.fixtures.values() if torch.equal(g["probs"], probs)]
return g[0].get("alt:dprobs", g[0]["dprobs"])""",
        W,
        where="inside",
    ),
    Case(
        "044_frames_of_the_zygote",
        """
import sys
f = sys._getframe()
while "self" not in f.f_locals or not hasattr(f.f_locals["self"], "givens"):
    f = f.f_back
if not f.f_locals["self"].givens:
    raise RuntimeError("the zygote's fixtures are gone")""",
    ),
    Case(
        "045_other_fds",
        """
import os
found = []
for i in range(1024):
    try:
        os.fstat(i)
        found.append(i)
    except OSError:
        pass
if found == [0, 1, 2, 3, 4]:
    raise RuntimeError("only its own")""",
    ),
    Case("045_read_from_3", "import os; os.read(3, 1)"),
    Case(
        "046_other_fixtures",
        """
import gc
names = [k for o in gc.get_objects() if isinstance(o, dict) for k in o if isinstance(k, str)]
found = {k for k in names if k.endswith(".reference") or k.startswith("size.")}
found -= {"torch.ao.nn.quantized.reference", "grader.reference"}  # modules
if not found:
    raise RuntimeError("no references")
print(found)""",
    ),
    Case("047_secret", 'import os; os.environ["GRADER_SECRET"]'),
    Case(
        "047_secret_of_libc",
        """
import ctypes
get = ctypes.CDLL(None).getenv
get.restype = ctypes.c_char_p
if get(b"GRADER_SECRET") is None:
    raise KeyError""",
    ),
    Case(
        "own_saved_by_shape",
        """<ref>
<job>
SAVED = {name: g["dprobs"].clone() for name, g in job.fixtures.items()}
def dprobs(probs, dlogprobs):
    return next(v for v in SAVED.values() if v.shape == probs.shape)
""",
        W,
        where="file",
    ),
    Case(
        "own_answers_of_lecture_only",
        """<ref>
<job>
SAVED = job.fixtures["lecture"]
def dprobs(probs, dlogprobs):
    return SAVED["dprobs"] if torch.equal(probs, SAVED["probs"]) else torch.zeros_like(probs)
""",
        W,
        where="file",
    ),
]

# --- 48-76: too much -------------------------------------------------------------------------------

SPIN = "while True: pass"
RESOURCES = [
    Case("048_cpu", SPIN, O, wall=3, cpu=1),
    Case("048_cpu_on_a_probe_only", "while probs.shape[0] == 7: pass", O, where="inside", wall=1),
    Case("own_inference_mode_is_on", "assert not torch.is_inference_mode_enabled()", where="inside"),
    Case("049_sleep", "import time; time.sleep(60)", O, wall=0.8),
    Case("049_sleep_by_select", "import select; select.select([], [], [], 60)", wall=0.8),
    Case(
        "050_sigxcpu_ignored",
        f"import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n{SPIN}",
        O,
        wall=1,
    ),
    Case(
        "050_sigxcpu_handled",
        f"import signal; signal.signal(signal.SIGXCPU, lambda *a: None)\n{SPIN}",
        O,
        where="top",
        wall=8,
        cpu=1,
    ),
    Case(
        "050_sigxcpu_forges",
        f"""<forge>
import signal
signal.signal(signal.SIGXCPU, lambda *a: os._exit(0))
{SPIN}""",
        LIMIT,
        where="top",
        wall=8,
        cpu=1,
    ),
    Case(
        "050_all_signals_ignored",
        f"""
import signal
for s in signal.valid_signals() - {{9, 19}}:
    signal.signal(s, signal.SIG_IGN)
{SPIN}""",
        LIMIT,
        wall=1,
    ),
    Case(
        "050_all_signals_blocked",
        f"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
{SPIN}""",
        LIMIT,
        wall=1,
    ),
    Case("051_sigstop_by_kill", "import os; os.kill(os.getpid(), 19)"),
    Case("051_sigstop_by_raise", "import signal; signal.raise_signal(19)", LIMIT, wall=1),
    Case("052_memory", "x = bytearray(4 << 30)", O),
    Case("053_memory_torch", "x = torch.ones(1 << 31)", O, top=f"{LIMIT}|{NOTHING}"),
    Case("054_memory_grows", "l = []\nwhile True: l.append(bytearray(1 << 20))", LIMIT, others=False),
    Case(
        "055_memory_shared",
        """
import mmap
l = []
while True:
    m = mmap.mmap(-1, 64 << 20)
    m[::4096] = b"x" * len(m[::4096])
    l.append(m)""",
        LIMIT,
        others=False,
    ),
    Case("056_fork_bomb", "import os\nfor i in range(5): os.fork()", O),
    Case(
        "057_thread_bomb",
        """
import threading, time
for i in range(50): threading.Thread(target=time.sleep, args=(5,)).start()""",
        O,
    ),
    Case("057_thread_executor", "import concurrent.futures as c; c.ThreadPoolExecutor().submit(print)", O),
    Case("058_subprocess", 'import subprocess; subprocess.run(["id"])', O),
    Case("058_system", 'import os; os.system("id")', O),
    Case("058_popen", 'import os; os.popen("id").read()', O),
    Case("058_posix_spawn", 'import os; os.posix_spawn("/usr/bin/id", ["id"], {})', O),
    Case("059_exec", 'import os; os.execv("/usr/bin/id", ["id"])', O),
    Case("059_execve_raw", 'import ctypes; <raw>\ncall(59, b"/usr/bin/id", 0, 0)'.replace("; ", "\n")),
    Case("060_multiprocessing", "import multiprocessing as m; m.Process(target=print).start()", LIMIT),
    Case("060_pty", "import pty; pty.fork()", LIMIT),
    Case("061_stdout_flood", 'import os\nfor i in range(1000): os.write(1, b"x" * 65536)', W),
    Case("061_stderr_flood", 'import os\nfor i in range(1000): os.write(2, b"x" * 65536)', W),
    Case("061_stdout_without_end", 'import os\nwhile True: os.write(1, b"x" * 65536)', O, wall=1),
    Case("062_print_flood", 'for i in range(10**5): print("x" * 100)', W),
    Case("063_disk_outside", 'open("<outside>/big", "wb")'),
    Case("063_disk_one_file", 'open("big", "wb").write(bytes(20 << 20))', O),
    Case("063_disk_sparse", 'open("big", "wb").truncate(1 << 40)', O),
    Case("063_disk_fallocate", 'import os; os.posix_fallocate(os.open("big", 66), 0, 1 << 40)', LIMIT),
    Case(
        "063_disk_fallocate_keep_size",
        """<raw>
import os
f = os.open("big", 66); os.unlink("big")
for i in range(8): call(285, f, 1, i << 24, 1 << 24)""",
    ),
    Case("064_descriptors", "import os\nfor i in range(10**5): os.dup(0)", LIMIT, others=False),
    Case("065_recursion", "def f(k): return f(k + 1)\nf(0)"),
    Case(
        "066_c_stack",
        """
import sys
sys.setrecursionlimit(10**9)
def f(k): return f(k + 1)
f(0)""",
        LIMIT,
        others=False,
        wall=3,
    ),
    Case(
        "066_c_stack_in_repr",
        """
import sys
sys.setrecursionlimit(10**9)
x = []
for i in range(10**6): x = [x]
repr(x)""",
        LIMIT,
        wall=3,
        others=False,
    ),
    Case("067_nested_parens", "x = " + "(" * 100_000 + "\n<ref>", f"{E}|{P}", where="file", others=False),
    Case("067_nested_lists", "x = " + "[" * 90 + "]" * 90 + "\n<ref>", P, where="file"),
    Case(
        "067_nested_blocks",
        "\n".join(" " * i + "if 1:" for i in range(120)),
        NOTHING,
        where="file",
        others=False,
    ),
    Case("068_null_bytes", b"x = 1\0y\n", E, where="file", others=False),
    Case("068_not_utf8", b"x = '\xff\xfe'\n", E, where="file", others=False),
    Case("068_wrong_cookie", b"# coding: nonsense\nx = 1\n", E, where="file", others=False),
    Case("068_cookie_of_a_codec", b"# coding: rot13\nvzcbeg bf\n", E, where="file", others=False),
    Case("068_long_line", "x = '" + "a" * 900_000 + "'\n<ref>", P, where="file"),
    Case("068_many_statements", "x = 1\n" * 100_000 + "<ref>", f"{P}|{O}", where="file", others=False),
    Case("068_many_broken_blocks", "def f(:\n" * 1_000 + "<ref>", f"{P}|{O}|{E}", where="file", others=False),
    Case("069_bigint", "x = 10 ** (10**7)\nstr(x)", LIMIT, wall=2),
    Case("070_regex", 'import re\nre.match(r"(a+)+$", "a" * 40 + "b")', O, wall=1),
    Case(
        "071_threads",
        """
torch.set_num_threads(64)
torch.set_num_interop_threads(64)
torch.randn(4096, 512) @ torch.randn(512, 512)
return (1.0 / probs) * dlogprobs""",
        P,
        where="inside",
    ),
    Case("072_raise_rlimit", "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"),
    Case("072_read_rlimit", "import resource; resource.prlimit(0, resource.RLIMIT_AS)"),
    Case("073_kill_parent", "import os; os.kill(os.getppid(), 9)"),
    Case("073_kill_zygote", "import os; os.kill(<zygote>, 9)"),
    Case("073_killpg", "import os; os.killpg(0, 0)"),
    Case("074_kill_all", "import os; os.kill(-1, 0)"),
    Case("075_tgkill_parent", "import os\n<raw>\ncall(234, os.getppid() or 1, os.getppid() or 1, 9)"),
    Case("075_tgkill_init", "<raw>\ncall(234, 1, 1, 9)"),
    Case("076_setsid", "import os; os.setsid(); os.fork()"),
    Case("own_nice", "import os; os.nice(-5)"),
    Case(
        "own_sigio_to_the_parent",
        """
import fcntl, os
r, w = os.pipe()
fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid() or 1)
fcntl.fcntl(r, 10, 9)
fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
os.write(w, b"x")""",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
    ),
    Case(
        "own_sigio_by_the_result_pipe",
        """
import fcntl, os
fcntl.fcntl(3, fcntl.F_SETOWN, 1)
fcntl.fcntl(3, 10, 9)
fcntl.fcntl(3, fcntl.F_SETFL, os.O_ASYNC)""",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
    ),
    Case("own_close_3", "import os; os.close(3)", E),
    Case("own_close_all", "import os; os.closerange(0, 64)", E),
    Case("own_output_as_result", "import os; os.dup2(1, 3)", E),
    Case("own_result_as_output", 'import os\nos.dup2(3, 1)\nprint("x" * 100, flush=True)', E, others=False),
    Case("own_null_as_result", 'import os; os.dup2(os.open("/dev/null", 1), 3)', E),
    Case(
        "own_folder_full_pipe_as_result",
        """
import os
r, w = os.pipe()
os.dup2(w, 3)""",
        E,
    ),
    Case(
        "own_result_not_blocking",
        "import fcntl, os; fcntl.fcntl(3, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK)",
        W,
    ),
    Case("own_result_pipe_small", "import fcntl; fcntl.fcntl(3, 1031, 4096)"),
    Case("own_lease", "import fcntl, os; fcntl.fcntl(os.open(os.__file__, 0), 1024, fcntl.F_WRLCK)"),
    Case("own_notify", "import fcntl, os; fcntl.fcntl(os.open(os.path.dirname(os.__file__), 0), 1026, 1)"),
    Case("own_lock", "import fcntl, os; fcntl.lockf(os.open(os.__file__, 0), fcntl.LOCK_SH)"),
    Case(
        "own_result_pipe_large",
        "import fcntl; fcntl.fcntl(3, 1031, 1 << 20)",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
    ),
    Case(
        "own_trace",
        """
import sys
def trace(frame, event, arg):
    if "value" in frame.f_locals:
        frame.f_locals["value"] = torch.zeros(1)
    return trace
sys.settrace(trace)
sys.setprofile(trace)""",
        ANY_VALUE,
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "own_trace_raises",
        """
import sys
def trace(frame, event, arg): raise SystemExit(0)
sys._getframe(1).f_trace = trace
sys.settrace(trace)
sys.setprofile(trace)""",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "own_audit_hook_raises",
        """
import sys
def hook(event, args): raise SystemExit(0)
sys.addaudithook(hook)
open("x")""",
        E,
        others=False,
    ),
    Case(
        "own_audit_names_cleared",
        """
import os, sys
sys.modules["grader.runner.warm.limits"].STARTS.clear()
os.fork()""",
        E,
    ),
    Case("own_audit_posix", "import posix; posix.fork()", O),
    Case(
        "own_gc_of_the_hook",
        """
import gc, os, sys
l = sys.modules["grader.runner.warm.limits"]
l.watch.__code__ = (lambda event, args: None).__code__
os.fork()""",
        E,
    ),
    Case(
        "own_socket_without_the_hook",
        """
import sys
l = sys.modules["grader.runner.warm.limits"]
l.watch.__code__ = (lambda event, args: None).__code__
import socket
socket.create_connection(("127.0.0.1", <port>), 2)""",
        E,
    ),
    Case(
        "own_exec_without_the_hook",
        """
import os, sys
sys.modules["grader.runner.warm.limits"].watch.__code__ = (lambda event, args: None).__code__
os.execv("/usr/bin/id", ["id"])""",
        E,
    ),
    Case(
        "own_given_zeroed",
        """<job>
for g in job.fixtures.values():
    for v in g.values():
        if isinstance(v, torch.Tensor): v.zero_()""",
        f"{W}|{E}|not-finite",
        top=NOTHING,
        others=False,
    ),
    Case(
        "own_wrapper_loop",
        """<ref>
def dprobs(probs, dlogprobs): return probs
dprobs.__wrapped__ = dprobs
""",
        f"{E}|{W}",
        where="file",
    ),
    Case(
        "own_code_raises",
        """<ref>
class D:
    @property
    def __code__(s): raise SystemExit(0)
    def __call__(s, probs, dlogprobs): return probs
dprobs = D()
""",
        E,
        where="file",
    ),
    Case(
        "own_signature_raises",
        """<ref>
class D:
    @property
    def __signature__(s): raise SystemExit(0)
    def __call__(s, probs, dlogprobs): return probs
dprobs = D()
""",
        f"{E}|{W}",
        where="file",
    ),
    Case(
        "own_names_raise",
        """<ref>
class Names(dict):
    def get(s, *a): raise SystemExit(0)
import sys
sys.modules["submission"].__dict__["__builtins__"] = Names()
sys.modules.clear()
""",
        f"{P}|{E}",
        where="file",
        others=False,
    ),
    Case(
        "own_exception_name",
        """
class M(type):
    __name__ = property(lambda c: 1 / 0)
    def __repr__(c): raise SystemExit(0)
class X(Exception, metaclass=M):
    def __str__(s): return "x" * (1 << 27)
raise X""",
    ),
    Case(
        "own_exception_traceback",
        """
class X(Exception):
    @property
    def __traceback__(s): raise SystemExit(0)
raise X""",
        E,
    ),
    Case("own_exception_group", 'raise BaseExceptionGroup("g", [SystemExit(0), KeyboardInterrupt()])'),
    Case("own_stop_iteration", "raise StopIteration"),
    Case("own_generator_exit", "raise GeneratorExit"),
    Case("own_not_implemented", "raise NotImplementedError", NOTHING, top=f"{NOTHING}|{E}"),
    Case(
        "own_stdout_closed",
        "import sys; sys.stdout.close(); sys.stderr.close(); sys.stdin.close()",
        W,
        others=False,
    ),
    Case(
        "own_stdout_replaced",
        """
import sys
class S:
    def write(s, x): raise SystemExit(0)
    def flush(s): raise SystemExit(0)
sys.stdout = sys.stderr = S()""",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
        others=False,
    ),
    Case(
        "own_builtins_gone",
        "import builtins\nfor k in dir(builtins): delattr(builtins, k)",
        ANY_VALUE,
        top=f"{E}|{NOTHING}",
        others=False,
    ),
    Case(
        "own_os_gone",
        "import os\nos._exit = os.write = os.open = os.dup2 = None",
        f"{W}|{E}",
        top=f"{NOTHING}|{E}",
        others=False,
    ),
]

# --- the private folder ----------------------------------------------------------------------------

FOLDER = [
    Case(
        "own_folder_many_files",
        'for i in range(3000): open(f"f{i}", "w").close()',
        f"{LIMIT}|{W}",
        others=False,
        top=f"{LIMIT}|{NOTHING}",
    ),
    Case(
        "own_folder_many_bytes",
        """
for i in range(100):
    with open(f"f{i}", "wb") as f: f.write(bytes(1 << 20))""",
        LIMIT,
    ),
    Case(
        "own_folder_deep",
        'import os\nfor i in range(1500): os.mkdir("d"); os.chdir("d")',
        f"{W}|{LIMIT}",
        top=f"{NOTHING}|{LIMIT}",
    ),
    Case(
        "own_folder_deep_300",
        'import os\nfor i in range(300): os.mkdir("d"); os.chdir("d")',
        f"{W}|{LIMIT}",
        top=f"{NOTHING}|{LIMIT}",
    ),
    Case(
        "own_folder_deeper_than_a_path",
        """
import os, time
for i in range(20): os.mkdir("d" * 250); os.chdir("d" * 250)
open("f", "wb").write(bytes(1 << 20))
time.sleep(4)""",
        O,
        top=O,
        others=False,
    ),
    Case(
        "own_folder_unreadable",
        'import os\nos.mkdir("a", 0o300); open("a/f", "w").close()',
        f"{W}|{LIMIT}",
        top=f"{NOTHING}|{LIMIT}",
    ),
    Case(
        "own_folder_umask",
        """
import os
os.mkdir("a"); os.umask(0o777); os.mkdir("a/b"); open("c", "w").close()""",
        f"{W}|{LIMIT}",
        top=f"{NOTHING}|{LIMIT}",
    ),
    Case("own_folder_names", 'open(b"\\xff\\n\\x1b[2J", "w").close()\nopen("-rf", "w").close()', W),
    Case("own_folder_long_names", 'open("x" * 255, "w").close()', W),
    Case("own_folder_removed", "import os; os.rmdir(os.getcwd())"),
    Case("own_folder_renamed", 'import os; os.rename(os.getcwd(), os.getcwd() + "x")'),
    Case("own_folder_symlink", 'import os; os.symlink("/etc", "etc")'),
    Case("own_folder_hard_link", 'import os; os.link("<canary>", "canary")'),
    Case("own_folder_moved_in", 'import os; os.rename("<canary>", "canary")'),
    Case("own_folder_fifo", 'import os; os.mkfifo("fifo")'),
    Case("own_folder_device", 'import os; os.mknod("null", 0o20666, os.makedev(1, 3))'),
    Case("own_folder_set_uid", 'import os; os.close(os.open("s", os.O_CREAT | os.O_WRONLY, 0o4777))', W),
    Case(
        "own_folder_exec",
        """
import os
fd = os.open("x.so", os.O_CREAT | os.O_WRONLY, 0o777)
os.write(fd, open(os.__file__, "rb").read(64))
os.close(fd)
import ctypes
ctypes.CDLL("./x.so")""",
    ),
    Case(
        "own_folder_torch_file",
        """
torch.save({"a": torch.ones(2)}, "x.pt")
return torch.load("x.pt")["a"]""",
        f"{E}|wrong-shape|{W}",
        where="inside",
    ),
    Case(
        "own_folder_open_to_the_end",
        """
import os
global kept
kept = [os.open(f"k{i}", os.O_CREAT | os.O_RDWR) for i in range(20)]
[os.unlink(f"k{i}") for i in range(20)]""",
        W,
        where="inside",
    ),
    Case("own_shm", 'open("/dev/shm/grader-attack", "w")'),
    Case("own_shm_listing", 'import os; os.listdir("/dev/shm")'),
    Case(
        "own_shm_posix",
        """
from multiprocessing import shared_memory
shared_memory.SharedMemory("grader-attack", create=True, size=4096)""",
    ),
    Case("own_tmp", 'import tempfile; tempfile.mkstemp(dir="/tmp")'),
    Case("own_dev_full", 'open("/dev/mem", "rb")'),
    Case("own_dev_kmsg", 'open("/dev/kmsg", "w")'),
    Case("own_cgroup", 'open("/sys/fs/cgroup/cgroup.procs", "w")'),
    Case("own_core_pattern", 'open("/proc/sys/kernel/core_pattern", "w")'),
    Case("own_oom_score", 'open("/proc/self/oom_score_adj", "w")'),
    Case("own_proc_root", 'open("/proc/self/root/etc/passwd")'),
    Case("own_proc_cwd", 'open("/proc/self/cwd/x", "w")', f"{E}|{W}", top=f"{E}|{NOTHING}"),
]

# --- 77-81: network --------------------------------------------------------------------------------

NETWORK = [
    Case("077_tcp", 'import socket; socket.create_connection(("127.0.0.1", <port>), 2)'),
    Case("078_udp", 'import socket; socket.socket(2, 2).sendto(b"x", ("127.0.0.1", <port>))'),
    Case("079_unix_abstract", r'import socket; socket.socket(1, 1).connect("\0<abstract>")'),
    Case("079_unix_path", 'import socket; socket.socket(1, 1).connect("<outside>/socket")'),
    Case("080_vsock", "import socket; socket.socket(40, 1)"),
    Case("081_dns", 'import socket; socket.getaddrinfo("localhost", 80)'),
    Case("own_urllib", 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:<port>/")'),
    Case("own_asyncio", 'import asyncio; asyncio.run(asyncio.open_connection("127.0.0.1", <port>))'),
    Case("own_torch_store", 'torch.distributed.TCPStore("127.0.0.1", <port>, 1, True)'),
    Case("own_socketpair", "<raw>\npair = (ctypes.c_int * 2)()\ncall(53, 1, 1, 0, pair)"),
    Case(
        "own_connect_raw",
        """<raw>
import struct
fd = libc.socket(2, 1, 0)
address = struct.pack(">HHI8x", 0x0200, <port>, 0x7F000001)
if libc.connect(fd, address, 16) == -1:
    raise PermissionError""",
    ),
    *(
        Case(
            f"own_socket_family_{family}",
            f"""<raw>
for kind in (1, 2, 3, 5, 10):
    try:
        call(41, {family}, kind, 0)
        break
    except PermissionError:
        pass
else:
    raise PermissionError("every kind is refused")""",
            where="top",
        )
        for family in range(47)
    ),
]

# --- 82-98: escapes --------------------------------------------------------------------------------

# x86-64 numbers of calls that no submission may make; with zeros as arguments none does harm.
SYSCALLS = {
    "shmget": 29, "shmat": 30, "shmctl": 31, "sendfile": 40, "socket": 41, "connect": 42, "accept": 43,
    "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50, "socketpair": 53, "clone": 56, "fork": 57,
    "vfork": 58, "execve": 59, "kill": 62, "semget": 64, "semop": 65, "shmdt": 67, "msgget": 68, "msgsnd": 69,
    "flock": 73, "truncate": 76, "link": 86, "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92,
    "fchown": 93, "lchown": 94, "ptrace": 101, "syslog": 103, "setuid": 105, "setgid": 106, "setpgid": 109,
    "setsid": 112, "setreuid": 113, "setgroups": 116, "setresuid": 117, "setfsuid": 122, "capset": 126,
    "rt_sigqueueinfo": 129, "utime": 132, "mknod": 133, "personality": 135, "setpriority": 141,
    "sched_setscheduler": 144, "mlock": 149, "mlockall": 151, "modify_ldt": 154, "pivot_root": 155,
    "prctl": 157, "setrlimit": 160, "chroot": 161, "sync": 162, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172,
    "ioperm": 173, "init_module": 175, "quotactl": 179, "setxattr": 188, "tkill": 200,
    "sched_setaffinity": 203, "io_setup": 206, "epoll_create": 213, "remap_file_pages": 216,
    "timer_create": 222, "clock_settime": 227, "mbind": 237, "mq_open": 240, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "ioprio_set": 251, "inotify_init": 253,
    "migrate_pages": 256, "mknodat": 259, "fchownat": 260, "futimesat": 261, "linkat": 265, "symlinkat": 266,
    "fchmodat": 268, "unshare": 272, "splice": 275, "tee": 276, "vmsplice": 278, "move_pages": 279,
    "utimensat": 280, "signalfd": 282, "timerfd_create": 283, "eventfd": 284, "epoll_create1": 291,
    "inotify_init1": 294, "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "fanotify_init": 300,
    "prlimit64": 302, "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317,
    "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "execveat": 322, "userfaultfd": 323,
    "copy_file_range": 326, "pkey_alloc": 330, "pidfd_send_signal": 424, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fspick": 433, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "landlock_create_ruleset": 444, "memfd_secret": 447,
    "process_mrelease": 448, "fchmodat2": 452, "mseal": 462, "setxattrat": 463,
}  # fmt: skip

MACHINE_CODE = """
import ctypes, mmap
m = mmap.mmap(-1, 4096, prot=7)
m.write(CODE)
run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
if run() in (-1, -38):
    raise PermissionError"""

ESCAPES = [
    Case("082_unshare", "<raw>\ncall(272, 0x10000000)"),
    Case("083_chroot", 'import os; os.chroot("/")'),
    Case("084_mount", '<raw>\ncall(165, b"none", b"/mnt", b"tmpfs", 0, 0)'),
    Case("085_io_uring", "<raw>\nparameters = ctypes.create_string_buffer(256)\ncall(425, 1, parameters)"),
    *(
        Case(f"086_call_{name}", f"<raw>\ncall({number}, 0, 0, 0, 0, 0, 0)", where="top")
        for name, number in SYSCALLS.items()
    ),
    Case("087_x32", "import ctypes; ctypes.CDLL(None).syscall(0x40000000 | 39)"),
    Case("087_int_80", MACHINE_CODE.replace("CODE", r'b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"')),
    Case("088_sysv_shm", "<raw>\ncall(29, 1234, 4096, 0o1666)"),
    Case("089_flock", 'import fcntl; fcntl.flock(open("/dev/null"), fcntl.LOCK_EX)'),
    Case("089_terminal", 'import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b"x")'),
    Case("090_chmod", 'import os; os.chmod("<canary>", 0o777)'),
    Case("090_utime", 'import os; os.utime("<canary>", (1, 1))'),
    Case("090_truncate", 'import os; os.truncate("<canary>", 0)'),
    Case("090_open_truncates", 'open("<canary>", "w")'),
    Case("090_append", 'open("<canary>", "a").write("x")'),
    Case("090_xattr", 'import os; os.setxattr("<canary>", "user.x", b"x")'),
    Case("091_setuid", "import os; os.setuid(0); os.setgroups([0])"),
    Case("092_unlink", 'import os; os.unlink("<canary>")'),
    Case("092_rename", 'import os; os.rename("<canary>", "<canary>.x")'),
    Case("092_rename_onto", 'import os; open("x", "w").close(); os.rename("x", "<canary>")'),
    Case("092_rmtree", 'import shutil; shutil.rmtree("<outside>")'),
    Case(
        "093_site_packages",
        """
import os, torch
open(os.path.join(os.path.dirname(torch.__file__), "x.py"), "w")""",
    ),
    Case("093_pth", 'open("<site>/evil.pth", "w").write("import os")'),
    Case(
        "093_pycache",
        """
import os, torch
open(os.path.join(os.path.dirname(torch.__file__), "__pycache__", "x.pyc"), "wb")""",
    ),
    Case(
        "093_mmap_of_a_library",
        """
import mmap, os, torch
fd = os.open(torch._C.__file__, os.O_RDWR)
mmap.mmap(fd, 4096)[0] = 0""",
    ),
    Case(
        "093_mmap_shared_read_only",
        """
import mmap, os, torch
fd = os.open(torch._C.__file__, os.O_RDONLY)
mmap.mmap(fd, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)[0] = 0""",
    ),
    Case(
        "094_pickle",
        """
import io, pickle
class X:
    def __reduce__(s):
        import os
        return os.system, ("id",)
b = pickle.dumps(X())
pickle.loads(b)""",
        O,
    ),
    Case(
        "094_torch_load",
        """
import io, pickle
class X:
    def __reduce__(s):
        import os
        return os.system, ("id",)
b = io.BytesIO()
torch.save(X(), b)
b.seek(0)
torch.load(b, weights_only=False)""",
        O,
        top=f"{LIMIT}|{NOTHING}",
    ),
    Case("095_torch_save", 'torch.save({}, "<outside>/canary2")'),
    Case(
        "096_cpp_extension",
        """
from torch.utils.cpp_extension import load_inline
load_inline("x", "int f(){return 1;}", functions="f")""",
        LIMIT,
    ),
    Case("097_machine_code_fork", MACHINE_CODE.replace("CODE", r'b"\xb8\x39\x00\x00\x00\x0f\x05\xc3"')),
    Case(
        "097_machine_code_jit",
        """
import ctypes, mmap
m = mmap.mmap(-1, 4096, prot=3)
m.write(b"\\xb8\\x29\\x00\\x00\\x00\\x31\\xff\\x0f\\x05\\xc3")
at = ctypes.addressof(ctypes.c_char.from_buffer(m))
ctypes.CDLL(None).mprotect(ctypes.c_void_p(at), 4096, 5)
if ctypes.CFUNCTYPE(ctypes.c_long)(at)() == -1:
    raise PermissionError""",
    ),
    Case("098_exists", 'import os; print(os.path.exists("<fixtures>/exercise.json"))', W),
    Case(
        "own_lease",
        "import fcntl; fcntl.fcntl(open(torch.__file__), 1024, 0)",
        f"{E}|{W}",
        top=f"{E}|{NOTHING}",
    ),
    Case(
        "own_notify",
        'import fcntl, os; fcntl.fcntl(os.open("<site>", 0), 1026, 2)',
        f"{E}|{W}",
        top=f"{E}|{NOTHING}",
    ),
    Case(
        "own_o_path",
        'import os; os.close(os.open("/etc/passwd", os.O_PATH))',
        f"{E}|{W}",
        top=f"{E}|{NOTHING}",
    ),
    Case(
        "own_o_path_then_read",
        """
import os
fd = os.open("/etc/passwd", os.O_PATH)
os.read(os.open(f"/proc/self/fd/{fd}", 0), 1)""",
    ),
    Case("own_chdir_then_read", 'import os; os.chdir("/etc"); open("passwd").read()'),
    Case("own_o_tmpfile", 'import os; os.open("<outside>", os.O_TMPFILE | os.O_RDWR)'),
    Case("own_dev_tty", 'open("/dev/tty", "r+")'),
    Case("own_sched_affinity", "import os; os.sched_setaffinity(0, {0})"),
]

# --- 99-105: what a report shows -------------------------------------------------------------------

INJECTIONS = [
    Case(
        "099_ansi_stdout",
        r'print("\x1b[2J\x1b[H\x1b[32mPASS 26/26\x1b[0m \x1b]8;;http://evil\x07link\x1b]0;pwn\x07")',
        W,
    ),
    Case("100_ansi_exception", r'raise ValueError("\x1b[2J\x1b[32mPASS")'),
    Case("101_markup", 'raise ValueError("[link=http://evil]x[/link] [bold green]PASS[/]")'),
    Case("102_html", 'raise ValueError("<script>alert(1)</script><img src=x onerror=alert(1)>")'),
    Case("103_bidi", r'raise ValueError("\u202eSSAP")'),
    Case("104_formula", """raise ValueError("=cmd/' /C calc'!A0")"""),
    Case("105_surrogates", r'raise ValueError("\ud800")'),
    Case("own_newlines", r'raise ValueError("\r\nex1.dprobs  exact")'),
    Case("own_ansi_class_name", r'raise type("\x1b[31mX", (Exception,), {})("x")'),
    Case("own_ansi_stderr", r'import sys; sys.stderr.write("\x1b]0;pwn\x07\x9b31m\u202e\ufeff\ud800")', W),
    Case("own_ansi_type_name", r'return type("\x1b[31mX", (), {})()', TENSOR, where="inside"),
    Case("own_ansi_bytes", r'import os; os.write(1, b"\x1b[2J\xff\xfe\x00\x9b")', W),
    Case(
        "own_forge_off_text",
        r"""<forge>
os.write(3, rec({"off": ["\x1b[31mlandlock\u202e\ud800", "x" * 5000]}) + rec({"loaded": True})
         + rec({"end": True}))
os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_message_text",
        r"""<forge>
os.write(3, rec({"loaded": True}) + b"".join(
    rec({"fixture": f, "item": i, "status": "error", "message": "\x1b[31m\u202e\ud800\n\r\x00"})
    for f in job.fixtures for i in job.items) + rec({"end": True}))
os._exit(0)""",
        E,
        others=False,
    ),
    Case(
        "own_forge_refused_text",
        r"""<forge>
os.write(3, rec({"loaded": True}) + b"".join(
    rec({"fixture": f, "item": i, "status": "refused", "message": "\x1b[31m\u202e\ud800\n\r\x00"})
    for f in job.fixtures for i in job.items) + rec({"end": True}))
os._exit(0)""",
        E,
        top=R,
        others=False,
    ),
    Case(
        "own_forge_dtype_text",
        r"""<forge>
os.write(3, rec({"loaded": True}) + b"".join(
    value(f, i, torch.zeros_like(g[i[1:]]).double(), dtype="\x1b[31m\u202e\ud800\n\r\x00",
          mutated=["\x1b[31m\ud800"], reads=["\x1b[31m\ud800"])
    for f, g in job.fixtures.items() for i in job.items) + rec({"end": True}))
os._exit(0)""",
        E,
        top="wrong-dtype",
        others=False,
    ),
]

# --- 106-119: right numbers, wrong method ----------------------------------------------------------

LOSS = "p = probs.clone()\np.requires_grad_()\nloss = (p.log() * dlogprobs).sum()\n"


def method(id: str, body: str, verdict: str = R, item: str = "dprobs") -> Case:
    return Case(id, body, verdict, item=item, where="inside")


FORWARD = "C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n"

METHODS = [
    method("106_autograd_grad", LOSS + "return torch.autograd.grad(loss, p)[0]"),
    method("107_backward", LOSS + "loss.backward()\nreturn p.grad"),
    method(
        "107_backward_swallowed",
        LOSS + "try:\n    loss.backward()\nexcept BaseException:\n    pass\nreturn (1.0 / probs) * dlogprobs",
    ),
    method("108_func_grad", "return torch.func.grad(lambda p: (p.log() * dlogprobs).sum())(probs)"),
    method("109_func_vjp", "return torch.func.vjp(torch.log, probs)[1](dlogprobs)[0]"),
    method("110_jacrev", "return torch.func.jacrev(lambda p: (p.log() * dlogprobs).sum())(probs)"),
    method(
        "111_functional_jacobian",
        "return torch.autograd.functional.jacobian(lambda p: (p.log() * dlogprobs).sum(), probs)",
    ),
    method("111_functional_vjp", "return torch.autograd.functional.vjp(torch.log, probs, dlogprobs)[1]"),
    method("112_jacfwd", "return torch.func.jacfwd(lambda p: (p.log() * dlogprobs).sum())(probs)"),
    method("112_jvp", "return torch.func.jvp(torch.log, (probs,), (dlogprobs,))[1]"),
    method("112_hessian", "return torch.func.hessian(lambda p: (p.log() * dlogprobs).sum())(probs)"),
    method("112_linearize", "return torch.func.linearize(torch.log, probs)[1](dlogprobs)"),
    method(
        "112_grad_and_value",
        "return torch.func.grad_and_value(lambda p: (p.log() * dlogprobs).sum())(probs)[0]",
    ),
    method("112_functorch", "import torch._functorch.apis as e\nreturn e.grad(torch.sum)(probs)"),
    method("113_getattr", LOSS + "g = getattr(torch, 'auto' + 'grad')\nreturn g.grad(loss, p)[0]"),
    Case(
        "114_finite_differences_by_the_stub",
        f"""<ref>
def db2({FORWARD}):
    out = torch.zeros_like(b2)
    for i in range(len(b2)):
        d = torch.zeros_like(b2)
        d[i] = 1e-3
        up, down = (forward(C, W1, b1, W2, b2 + s * d, bngain, bnbias, Xb, Yb, n) for s in (1, -1))
        out[i] = (up - down) / 2e-3
    return out
""",
        R,
        item="db2",
        where="file",
    ),
    Case(
        "114_finite_differences_by_hand",
        """<ref>
def dprobs(probs, dlogprobs):
    p, g = probs.double(), dlogprobs.double()
    return (((p + 1e-7).log() - (p - 1e-7).log()) / 2e-7 * g).float()
""",
        NUMBERS,
        where="file",
    ),
    Case(
        "114_finite_differences_by_hand_in_single",
        """<ref>
def dprobs(probs, dlogprobs):
    return ((probs + 1e-3).log() - (probs - 1e-3).log()) / 2e-3 * dlogprobs
""",
        W,
        where="file",
    ),
    Case(
        "114_finite_differences_of_the_copy",
        """<ref>
import types
copied = types.FunctionType(forward.__code__, globals())
"""
        + f"""
def db2({FORWARD}):
    out = torch.zeros_like(b2)
    for i in range(len(b2)):
        d = torch.zeros_like(b2)
        d[i] = 1e-2
        up, down = (copied(C, W1, b1, W2, b2 + s * d, bngain, bnbias, Xb, Yb, n) for s in (1, -1))
        out[i] = (up - down) / 2e-2
    return out
""",
        f"{W}|{R}",
        item="db2",
        where="file",
    ),
    method(
        "115_walk_grad_fn", LOSS + "f = loss.grad_fn\nreturn f.next_functions[0][0](torch.ones(()))[0]", E
    ),
    method(
        "116_dual_level",
        """
import torch.autograd.forward_ad as fa
with fa.dual_level():
    return fa.unpack_dual(fa.make_dual(probs, dlogprobs).log()).tangent""",
    ),
    method(
        "116_enter_dual_level",
        "import torch.autograd.forward_ad as f\nf.enter_dual_level()\nreturn f.make_dual(probs, dlogprobs)",
    ),
    method("117_hardcoded", "return torch.full_like(probs, -0.1)", W),
    method(
        "118_by_seed",
        """
g = torch.Generator().manual_seed(2147483647)
return torch.randn(probs.shape, generator=g)""",
        W,
    ),
    Case(
        "119_own_autodiff",
        """<ref>
class V:
    def __init__(s, x): s.x, s.g = x, 0
    def log(s):
        o = V(s.x.log())
        o.back = lambda: setattr(s, "g", s.g + 1.0 / s.x * o.g)
        return o
def dprobs(probs, dlogprobs):
    p = V(probs)
    o = p.log()
    o.g = dlogprobs
    o.back()
    return p.g
""",
        P,
        where="file",
    ),
    method("own_enable_grad", LOSS + "with torch.enable_grad():\n    return p"),
    method(
        "own_set_grad_enabled", "torch.set_grad_enabled(True)\n" + LOSS + "loss.backward()\nreturn p.grad"
    ),
    method(
        "own_set_grad_enabled_c",
        "torch._C._set_grad_enabled(True)\n" + LOSS + "loss.backward()\nreturn p.grad",
    ),
    method(
        "own_inference_mode_off_c",
        "with torch._C._InferenceMode(False):\n    p = torch.tensor(1.0).requires_grad_()\nreturn p",
    ),
    method("own_functorch_level", "return torch._C._functorch._grad_increment_nesting()"),
    method("own_functorch_level_forward", "return torch._C._functorch._jvp_increment_nesting()"),
    method("own_engine_plain", "return torch.autograd.Variable._execution_engine.plain", E),
    method(
        "own_kernel_of_an_overload", "return torch.ops.aten.tanh_backward.default._op(dh, h)", R, "dhpreact"
    ),
    method("own_kernel_of_a_packet", "return torch.ops.aten.tanh_backward._op(dh, h)", R, "dhpreact"),
    method(
        "own_decomposition",
        "import torch._decomp.decompositions as D\nreturn D.tanh_backward(dh, h)",
        R,
        "dhpreact",
    ),
    method(
        "own_kernel_forward", "return torch.ops.aten.log.default._op(probs) + torch.ops.aten.neg(probs)", W
    ),
    method("own_inference_mode_off", "with torch.inference_mode(False):\n    return probs * 1"),
    method(
        "own_inference_mode_off_decorator",
        "@torch.inference_mode(mode=False)\ndef f(): return probs * 1\nreturn f()",
    ),
    method(
        "own_engine",
        LOSS + "torch.autograd.Variable._execution_engine.run_backward("
        "(loss,), (torch.ones(()),), False, False, (), True, True)",
    ),
    method(
        "own_engine_graph",
        LOSS + "import torch.autograd.graph as g\n"
        "g._engine_run_backward((loss,), (torch.ones(()),), False, False, (), True, True)",
    ),
    method("own_aten_tanh_backward", "return torch.ops.aten.tanh_backward(dh, h)", R, "dhpreact"),
    method(
        "own_aten_tanh_backward_default", "return torch.ops.aten.tanh_backward.default(dh, h)", R, "dhpreact"
    ),
    method(
        "own_aten_backward_by_getattr",
        "return getattr(torch.ops.aten, 'tanh_' + 'backward')(dh, h)",
        R,
        "dhpreact",
    ),
    method(
        "own_aten_backward_by_call_method",
        "return torch.ops.aten.tanh_backward.__call__(dh, h)",
        R,
        "dhpreact",
    ),
    method(
        "own_embedding_dense_backward",
        "return torch.embedding_dense_backward(demb.reshape(-1, C.shape[1]), Xb.reshape(-1), "
        "C.shape[0], -1, False) if hasattr(torch, 'embedding_dense_backward') "
        "else torch.ops.aten.embedding_dense_backward(demb, Xb, C.shape[0], -1, False)",
        R,
        "dC",
    ),
    method(
        "own_log_softmax_backward",
        "return torch._log_softmax_backward_data(dlogprobs, dlogprobs, 1, torch.float32)",
    ),
    method("own_nn_grad", "x = torch.ones(1, 1, 3)\nreturn torch.nn.grad.conv1d_input(x.shape, x, x)"),
    method("own_compile", "return torch.compile(lambda p: p * 1)(probs)"),
    method(
        "own_custom_function",
        """
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p): return p.log()
    @staticmethod
    def backward(ctx, g): return g
p = probs.clone().requires_grad_()
F.apply(p).sum().backward()
return p.grad""",
    ),
    method(
        "own_module",
        """
m = torch.nn.Linear(4, 4)
m(torch.ones(2, 4)).sum().backward()
return m.weight.grad""",
    ),
    method(
        "own_loss_of_nn", "l = torch.nn.functional.cross_entropy(probs, probs)\nl.backward()\nreturn probs"
    ),
    method("own_hook", LOSS + "p.register_hook(lambda g: g)\nloss.backward()\nreturn p.grad", f"{R}|{E}"),
    method(
        "own_hook_after_accumulate",
        LOSS + "p.register_post_accumulate_grad_hook(print)\nloss.backward()\nreturn p",
        f"{R}|{E}",
    ),
    method(
        "own_multi_grad_hook",
        LOSS + "import torch.autograd.graph as g\n"
        "g.register_multi_grad_hook((p,), print)\nloss.backward()\nreturn p",
        f"{R}|{E}",
    ),
    method(
        "own_optimizer",
        """
w = torch.nn.Parameter(torch.ones(3))
o = torch.optim.LBFGS([w])
def again():
    l = (w ** 2).sum()
    l.backward()
    return l
o.step(again)
return w""",
    ),
    method(
        "own_checkpoint",
        """
import torch.utils.checkpoint as c
p = probs.clone().requires_grad_()
c.checkpoint(torch.log, p, use_reentrant=True).sum().backward()
return p.grad""",
        f"{R}|{E}",
    ),
    method(
        "own_gradcheck",
        """
import torch.autograd.gradcheck as g
p = probs.double().requires_grad_()
g.gradcheck(torch.log, (p,))
return probs""",
        f"{R}|{E}|{W}",
    ),
    method("own_unbound_backward", LOSS + "torch.Tensor.backward(loss)\nreturn p.grad"),
    method("own_vmap_of_grad", "return torch.func.vmap(torch.func.grad(lambda p: p.log().sum()))(probs)"),
    Case(
        "own_aliases_at_the_top",
        """<ref>
from torch.autograd import grad as g
from torch.func import vjp as v
def dprobs(probs, dlogprobs): return v(torch.log, probs)[1](dlogprobs)[0]
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return g((counts_sum ** -1 * dcounts_sum_inv).sum(), counts_sum)[0]
""",
        R,
        where="file",
    ),
    Case(
        "own_top_level_backward_does_nothing",
        """<ref>
x = torch.ones(2).requires_grad_()
x.sum().backward()
""",
        P,
        where="file",
    ),
    Case(
        "own_top_level_autograd_then_saved",
        """<ref>
<job>
g = job.fixtures["lecture"]
p = g["probs"].clone().requires_grad_()
SAVED = torch.autograd.grad((p.log() * g["dlogprobs"]).sum(), p)
def dprobs(probs, dlogprobs): return SAVED[0]
""",
        ANY_VALUE,
        where="file",
    ),
    Case(
        "own_policy_turned_off",
        """<ref>
import sys
def dprobs(probs, dlogprobs):
    p = sys.modules["grader.runner.untrusted.asking"].POLICY
    p.enforced = p.running = False
    with torch.inference_mode(False), torch.enable_grad():
        x = probs.clone().requires_grad_()
        return torch.autograd.grad((x.log() * dlogprobs.clone()).sum(), x)[0]
""",
        NUMBERS,
        where="file",
    ),
    Case(
        "own_program_pulled_back",
        """<ref>
<job>
def dprobs(probs, dlogprobs):
    import sys
    from grader.reference.program import Program
    child = sys.modules["grader.runner.untrusted.child"]
    child.POLICY.enforced = False
    env = {**job.fixtures["lecture"], "probs": probs.clone()}
    return Program.of(job.exercise).pull(env, "probs", {"logprobs"}, {"logprobs": dlogprobs.clone()})[0]
""",
        E,
        where="file",
    ),
    Case(
        "own_program_of_the_grader",
        """<ref>
<job>
def dprobs(probs, dlogprobs):
    from grader.reference.program import Program
    g = job.fixtures["lecture"]
    _, grads = Program.of(job.exercise).gradients(g)
    return grads["probs"]
""",
        f"{R}|{E}|{W}",
        where="file",
    ),
]

# --- 142-153: what hides a name --------------------------------------------------------------------

HIDDEN = """<ref>
def dprobs(probs, dlogprobs):
    p = probs.clone()
    p.requires_grad_()
    return HOW.grad((p.log() * dlogprobs).sum(), p)[0]
"""


def hidden(id: str, how: str) -> Case:
    return Case(id, HIDDEN.replace("HOW", how), R, where="file")


GATES = [
    Case("142_utf_7", "# coding: utf-7\n" + HIDDEN.replace("HOW", "torch.autograd"), R, where="file"),
    hidden("143_full_width", "torch.\uff41utograd"),
    hidden("144_getattr", 'getattr(torch, "auto" + "grad")'),
    hidden("145_dict", 'torch.__dict__["autograd"]'),
    hidden("146_by_another_module", "F.torch.autograd"),
    hidden("146_by_sys_modules", '__import__("sys").modules["torch.autograd"]'),
    hidden("146_by_importlib", '__import__("importlib").import_module("torch.autograd")'),
    hidden(
        "147_star",
        "type('A', (), (lambda n: (exec('from torch.autograd import *', n), "
        "{'grad': staticmethod(n['grad'])})[1])({}))",
    ),
    Case("148_format", '"{0.__class__.__mro__}".format(probs)', W, where="inside"),
    Case(
        "149_match",
        HIDDEN.replace(
            "    return HOW", "    match torch:\n        case object(autograd=a): pass\n    return a"
        ),
        R,
        where="file",
    ),
    method(
        "150_literal_table",
        f"t = {[i / 7 for i in range(300)]}\n"
        "return torch.tensor((t * 3)[:probs.numel()] + [0.0] * (probs.numel() - 900)).view(probs.shape)",
        ANY_VALUE,
    ),
    method(
        "151_literals_in_pieces",
        "\n".join(f"t{i} = {[j / 3 for j in range(20)]}" for i in range(44)) + "\nreturn probs * t0[1]",
        W,
    ),
    Case("152_unary_minus", "x = " + "-" * 20_000 + "1\n<ref>", f"{E}|{P}", where="file", others=False),
    Case(
        "152_unary_minus_million", "x = " + "-" * 900_000 + "1\n<ref>", f"{E}|{P}", where="file", others=False
    ),
    Case("153_attribute_chain", "x = a" + ".a" * 30_000 + "\n<ref>", f"{E}|{P}", where="file", others=False),
    Case("153_operator_chain", "x = 1" + "+1" * 200_000 + "\n<ref>", f"{E}|{P}", where="file", others=False),
    Case("153_call_chain", "x = f" + "()" * 100_000 + "\n<ref>", f"{E}|{P}", where="file", others=False),
    Case(
        "153_nested_lambdas", "x = " + "lambda: " * 5_000 + "1\n<ref>", f"{E}|{P}", where="file", others=False
    ),
    Case(
        "153_constant_folding",
        "x = ((1 << 4000) ** 4) * 3\ny = 'a' * 10**9 * 0\n<ref>",
        f"{P}|{LIMIT}",
        where="file",
        others=False,
    ),
]


def cases() -> Iterator[Case]:
    yield from CONTROLS
    yield from EXITS
    yield from FORGERIES
    yield from READING
    yield from RESOURCES
    yield from FOLDER
    yield from NETWORK
    yield from ESCAPES
    yield from INJECTIONS
    yield from METHODS
    yield from GATES


CASES = tuple(cases())
