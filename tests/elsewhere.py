"""A Python from which is taken away what Windows hasn't: modules, calls, signals, local sockets.

It is an environment of its own, so that every process that is started from it is without them too. The
machine below it stays what it is: what only a real Windows shows, this can't.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent

TAKEN = '''
import asyncio, ctypes, http.server, multiprocessing.util, os, platform, select, shutil, signal, socket, stat
import subprocess, sys
import tempfile, webbrowser
from importlib.abc import MetaPathFinder

MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "readline", "syslog"}
CALLS = """fork forkpty getuid geteuid getgid getegid setsid getsid killpg getpgid getpgrp setpgid wait wait3
    wait4 waitid WIFSIGNALED WIFEXITED WEXITSTATUS WTERMSIG sysconf memfd_create mkfifo mknod chown lchown
    fchmod fchown pipe2 sched_getaffinity openpty posix_spawn set_blocking O_NOFOLLOW O_DIRECTORY O_NONBLOCK
    O_CLOEXEC O_PATH fwalk statvfs nice ttyname""".split()
SIGNALS = """SIGKILL SIGHUP SIGTSTP SIGWINCH SIGCHLD SIGXCPU SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGQUIT SIGCONT
    SIGSTOP""".split()


class Gone(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Gone())
for name in MODULES:
    sys.modules.pop(name, None)
if os.environ.get("LINUX"):  # a hosted notebook: Jupyter's own modules ask who they are
    MODULES, CALLS, SIGNALS = {"fcntl", "resource"}, ["fork", "forkpty", "memfd_create"], []
for owner, names in ((os, CALLS), (signal, SIGNALS), (socket, ["AF_UNIX"])):
    for name in names:
        if hasattr(owner, name):
            delattr(owner, name)
os.supports_dir_fd.clear()
subprocess.Popen.kill = lambda process: process.send_signal(9)
selected = select.select


def select_sockets(readers, writers, others, timeout=None):
    for one in (*readers, *writers, *others):
        fd = one if isinstance(one, int) else one.fileno()
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise OSError(10038, "an operation was attempted on something that is not a socket")
    return selected(readers, writers, others, timeout)


def socketpair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


socket.socketpair = socketpair
if not os.environ.get("LINUX"):
    select.select = select_sockets
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import filelock  # without fcntl: its lock by the file alone, where Windows has one of its own
if not any(word.endswith("fresh.py") for word in sys.orig_argv) and not os.environ.get("LINUX"):
    del os.uname
    sys.platform = "win32"  # not where torch is imported, which would look for its DLLs
'''


def made(folder: Path) -> Path:
    """An environment's interpreter; it finds this checkout and what is installed beside it."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "sitecustomize.py").write_text(TAKEN, encoding="utf-8")
    (packages / "here.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n{ROOT}\n", encoding="utf-8")
    return folder / "bin/python"


def grader(python: Path, *words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`grader` there, its output read as cp1252: the console of a Windows that was not asked for UTF-8."""
    code = "import sys; from grader.cli import entry; entry()"
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR")}
    console = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    return subprocess.run(
        [python, "-c", code, *words],
        cwd=cwd,
        env=kept | console | {"GRADER_TRACEBACK": "1"} | more,
        capture_output=True,
        encoding="cp1252",
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


if __name__ == "__main__":  # python tests/elsewhere.py FOLDER: to try things out in
    sys.stdout.write(f"{made(Path(sys.argv[1]))}\n")
