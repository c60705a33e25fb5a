"""The grader's real wheel, as a recipe gets it: a file, and its address with its digest."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import DEADLINE, ROOT

from grader.authoring.handout import wheel
from grader.suite.fixtures import digest

# pip looks at the wheel and at what is installed, and installs nothing over the environment of the tests
LOOKING = {"PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1"}


@functools.cache
def built() -> Path:
    folder = tempfile.mkdtemp()
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*pip, str(ROOT)], check=True, capture_output=True, timeout=DEADLINE)
    return Path(folder, wheel.NAME)


def address() -> str:
    return f"{built().as_uri()}#sha256={digest(built().read_bytes())}"
