"""Programs that some tests run and pip doesn't install: a browser, shells, man. A plugin of pytest's.

A test that needs some says so, `@pytest.mark.tools("fish")`. Where one is missing it is skipped, and a line
at the end says how many and what installs them; in CI (`CI` is set) it fails. As a script, as which
`make test-tools` runs it, this installs what is missing: by apt-get, Homebrew or npm, or says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

COMMAND = "make test-tools"
MAN = "gman" if sys.platform == "darwin" else "man"  # man-db's, as Homebrew calls it
GOOGLE = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

# By tool: the names of the program, Debian's package, and what `brew install` is told.
TOOLS = {
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome", GOOGLE),
        "chromium",
        ("--cask", "google-chrome"),
    ),
    "chromedriver": (("chromedriver",), "chromium-driver", ("--cask", "chromedriver")),
    "axe": ((), "", ()),  # no program, but a script that a browser runs: npm has it
    "zsh": (("zsh",), "zsh", ("zsh",)),
    "fish": (("fish",), "fish", ("fish",)),
    "man": ((MAN,), "man-db", ("man-db",)),
}
AXE = Path(__file__).parents[1] / "build" / "axe"
SCRIPT = AXE / "node_modules" / "axe-core" / "axe.min.js"
BY_NPM = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4.14.1")


def path(tool: str) -> str | None:
    """Where a tool's program is; None where there is none."""
    if tool == "axe":
        return str(SCRIPT) if SCRIPT.is_file() else None
    return next((found for name in TOOLS[tool][0] if (found := shutil.which(name))), None)


def missing() -> list[str]:
    return [tool for tool in TOOLS if not path(tool)]


# --- pytest ------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"tools(*names): runs these programs, which `{COMMAND}` installs")


def pytest_runtest_setup(item: pytest.Item) -> None:
    import pytest

    asked = [tool for mark in item.iter_markers("tools") for tool in mark.args]
    if lacking := [tool for tool in asked if not path(tool)]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why(lacking))


def why(lacking: list[str]) -> str:
    """The reason for which a test is skipped, by which the summary knows it."""
    return f"no {', '.join(lacking)} here: `{COMMAND}`"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(r.longrepr[2]) for r in skipped if isinstance(r.longrepr, tuple)]
    if count := sum(reason.endswith(f"here: `{COMMAND}`") for reason in reasons):
        lacking = ", ".join(missing())
        terminalreporter.write_line(f"{count} tests skipped for want of {lacking}: `{COMMAND}` installs them")


# --- installing --------------------------------------------------------------------------------------


def commands(lacking: list[str]) -> list[list[str]]:
    """What installs tools on this machine: npm, apt-get or Homebrew, as far as they are at hand."""
    npm = [[*BY_NPM, "--prefix", str(AXE)]] if "axe" in lacking and shutil.which("npm") else []
    return npm + _packages([tool for tool in lacking if tool != "axe"])


def _packages(lacking: list[str]) -> list[list[str]]:
    if not lacking:
        return []
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo"]
        if root and not shutil.which("sudo"):
            return []
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        install = [*apt, "install", "-y", "-qq", "--no-install-recommends"]
        # each by itself: a system that lacks one of the packages still gets the others
        return [[*apt, "update", "-qq"], *([*install, TOOLS[tool][1]] for tool in lacking)]
    if shutil.which("brew"):
        return [["brew", "install", *TOOLS[tool][2]] for tool in lacking]
    return []


def main() -> int:
    """Install what is missing; 0 where nothing is, in the end."""
    if lacking := missing():
        for command in commands(lacking):
            print(" ".join(command), flush=True)
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if lacking := missing():
        print(
            f"Still missing: {', '.join(lacking)}. Install them as your system does; their tests are skipped."
        )
        return 1
    print(f"All there: {', '.join(TOOLS)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
