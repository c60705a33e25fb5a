"""Which lines of grader/ the tests run, those of confined children and killed processes included.

    python scripts/coverage_figures.py [ARGUMENTS OF PYTEST]

A .pth file starts coverage.py in every Python process of this environment. It would write a file at each
process's end, but a child may open none, and the zygote is killed. So each process marks its lines in one
file, which all of them have had mapped into their memory from their start: before it forks, and when it ends.
Not counted is what a process that is killed has run since its last mark, and what runs of a copy of grader/.
"""

from __future__ import annotations

import atexit
import json
import mmap
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parent.parent
PTH = Path(sysconfig.get_path("purelib"), "grader-coverage.pth")
FIGURES = ROOT / "build/coverage"


def measure(marks: str) -> None:
    """Mark in the file `marks` what this process runs, and what its forks do. Called from the .pth file."""
    try:
        os.getcwd()
    except OSError:  # coverage.py asks where it is
        return
    with open(f"{marks}.json") as index, open(marks, "r+b") as file:
        starts: dict[str, int] = json.load(index)
        lines = mmap.mmap(file.fileno(), 0)
    measured = coverage.Coverage(data_file=None, config_file=False, include=[f"{ROOT}/grader/*"])
    measured.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
    leave = os._exit

    def mark() -> None:
        try:
            data = measured.get_data()
            for name in starts.keys() & data.measured_files():  # a page's template is a file, too
                for number in data.lines(name) or ():
                    lines[starts[name] + number] = 1
        except BaseException:  # of a submission that has used up its memory, say
            pass

    def mark_and_leave(code: int) -> None:
        mark()
        leave(code)

    os._exit = mark_and_leave  # type: ignore[assignment]
    os.register_at_fork(before=mark)
    atexit.register(mark)
    measured.start()


def prepare(marks: Path) -> str:
    """An empty file of marks, a byte for each line of grader/; the statement that makes a process use it."""
    starts, size = {}, 0
    for path in sorted((ROOT / "grader").rglob("*.py")):
        starts[str(path)] = size
        size += path.read_bytes().count(b"\n") + 2
    marks.write_bytes(bytes(size))
    Path(f"{marks}.json").write_text(json.dumps(starts))
    names = {"__file__": __file__, "__name__": "measuring"}
    return f"exec(open({__file__!r}).read(), names := {names}) or names['measure']({str(marks)!r})"


def marked(marks: Path) -> dict[str, list[int]]:
    """By file the lines that were run."""
    seen = marks.read_bytes()
    starts: dict[str, int] = json.loads(Path(f"{marks}.json").read_text())
    ends = [*list(starts.values())[1:], len(seen)]
    return {
        name: [at - start for at in range(start, end) if seen[at]]
        for (name, start), end in zip(starts.items(), ends, strict=True)
    }


def report(found: dict[str, list[int]]) -> None:
    """Print the share of lines by folder, and write pages that show each file."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    data = coverage.CoverageData(str(FIGURES / "data"))
    data.erase()
    data.add_lines(found)
    data.touch_files(found)
    data.write()
    figures = coverage.Coverage(data_file=str(FIGURES / "data"), config_file=False)
    figures.exclude("if TYPE_CHECKING:")
    figures.load()
    folders: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name in found:
        _, statements, _, missing, _ = figures.analysis2(name)
        for folder in (os.path.relpath(os.path.dirname(name), ROOT), "in all"):
            folders[folder][0] += len(statements)
            folders[folder][1] += len(missing)
    for folder, (there, lacking) in sorted(folders.items()):
        print(f"{folder:24} {there:6} statements {lacking:6} not run {1 - lacking / max(there, 1):7.1%}")
    figures.html_report(directory=str(FIGURES))
    print(f"{FIGURES.relative_to(ROOT)}/index.html shows each file")


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder, "marks")
        start = prepare(marks)
        try:  # the first half: should this line outlive its folder, it does nothing
            PTH.write_text(f"import os; os.path.exists({str(marks)!r}) and {start}\n")
            code = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT).returncode
        finally:
            PTH.unlink(missing_ok=True)
        report(marked(marks))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
