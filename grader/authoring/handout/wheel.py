"""The grader's own wheel, as what is handed out installs it: by file or address, and always by its digest.

Never by a bare name: on an index that is whoever's who registers it, whose code would run in students' CI.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import __version__
from grader.core.errors import UsageError
from grader.suite.fixtures import digest

SETTING = "GRADER_WHEEL"
NAME = f"backprop_grader-{__version__}-py3-none-any.whl"
# of characters that neither a shell nor YAML takes for more than themselves
ADDRESS = re.compile(r"(?:https|file)://[\w.~:/@%+,=-]+/([\w.-]+\.whl)#sha256=[0-9a-f]{64}", re.ASCII)
INDEX = re.compile(r"https://[\w.~:/@%+,=-]+", re.ASCII)
FOLDER = "wheel"  # where a release keeps the file
TORCH_INDEX = "GRADER_TORCH_INDEX"  # a setting: where torch without CUDA is had, a tenth of the size


@dataclass(frozen=True)
class Wheel:
    """address: with its digest, for pip; of a file that a release brings along, in a shell at its root."""

    address: str
    data: bytes | None = None  # of that file

    @property
    def files(self) -> dict[str, bytes]:
        return {} if self.data is None else {f"{FOLDER}/{NAME}": self.data}

    @property
    def by_hand(self) -> str:
        """What a student gives to pip, in any system's shell."""
        return f'"{self.address}"' if self.data is None else f"{FOLDER}/{NAME}"


def named(option: str | None) -> Wheel:
    """The wheel of --wheel or of the setting. UsageError where there is neither, or another program's."""
    setting = option or os.environ.get(SETTING) or ""
    what = "--wheel" if option else SETTING
    if not setting:
        raise UsageError(
            f"which wheel installs the grader? {SETTING} or --wheel names it, a file or "
            f"https://…/{NAME}#sha256=…: a bare name would be anybody's"
        )
    if "://" not in setting:
        data = verified(Path(setting), what=what)
        return Wheel(f"file://$PWD/{FOLDER}/{NAME}#sha256={digest(data)}", data)
    match = ADDRESS.fullmatch(setting)
    if not match:
        raise UsageError(f"{what} {setting}: an address is https://…/{NAME}#sha256= and 64 hex digits")
    _own(match[1], f"{what} {setting}")
    return Wheel(setting)


def torch() -> str:
    """What pip is to install first: torch, from the setting's index. UsageError where that is no address."""
    index = os.environ.get(TORCH_INDEX, "")
    if index and not INDEX.fullmatch(index):
        raise UsageError(f"{TORCH_INDEX} {index}: an index is an address, https://…")
    return f"torch --index-url {index}" if index else "torch"


def _own(name: str, what: str) -> None:
    if name != NAME:
        raise UsageError(f"{what}: this grader's own is called {NAME}")


def verified(path: Path, exercises: Sequence[str] = (), what: str = "--wheel") -> bytes:
    """The bytes of this version's wheel, which has what these exercises are graded with."""
    _own(path.name, f"{what} {path}")
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except OSError as error:
        raise UsageError(f"{what} {path} can't be read: {error.strerror}") from None
    except (zipfile.BadZipFile, ValueError):
        raise UsageError(f"{what} {path} is no wheel, or a damaged one") from None
    needed = ["grader/data/gradescope-run"]
    needed += ["grader/fixtures/" + "/".join(e.split(".")) + "/exercise.json" for e in exercises]
    if missing := [name for name in needed if name not in names]:
        raise UsageError(f"{what} {path} has no {missing[0]}: build it from this version of the grader")
    return data
