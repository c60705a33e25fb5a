"""pytest's end: `pytest exercises/ex1.py` has one test for each item, graded as `grader check` does.

pytest never imports a submission: the file is read, and run in the confined child. In every pytest run of a
machine where the grader is installed this module is loaded, so it imports nothing but pytest, and does
nothing before an exercise's file is named.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.core.verdict import ItemReport, Report
    from grader.suite.find import Suite, Target

FOLDER = "exercises"
SUFFIXES = (".py", ".ipynb")
NOT_WRITTEN = ("xfail", "skip", "fail")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grader", "manual backpropagation")
    group.addoption(
        "--grader",
        action="store_true",
        help="grading mode: collect nothing but exercises, load no conftest.py, refuse a configuration file",
    )
    group.addoption("--grader-exercise", metavar="NAME", help="what the files are, whatever they are called")
    group.addoption(
        "--grader-not-written",
        choices=NOT_WRITTEN,
        default="xfail",
        help="what an item is that is not written yet; xfail by default",
    )
    group.addoption(
        "--grader-require-sandbox", action="store_true", help="fail unless every protection is on"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Grading mode: what a submission's folder says of pytest is not heard."""
    options = early_config.known_args_namespace
    if not getattr(options, "grader", False):
        return
    if early_config.inipath and not early_config.inipath.samefile(os.devnull):
        raise pytest.UsageError(
            f"--grader: {early_config.inipath} could change what is graded; add `-c {os.devnull}`"
        )
    options.noconftest = True


def pytest_configure(config: pytest.Config) -> None:
    if (wanted := config.option.grader_exercise) and wanted not in _suite(config).ids():
        raise pytest.UsageError(f"--grader-exercise: there is no exercise {wanted}; `grader list` names them")
    if config.option.grader_require_sandbox:
        from grader.runner.host.client import protections

        if off := protections():
            pytest.exit(f"--grader-require-sandbox: not to be had here: {', '.join(off)}", 3)


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Grading mode: a folder is never a package, whose __init__.py pytest would import."""
    return pytest.Dir.from_parent(parent, path=path) if parent.config.option.grader else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """An exercise's file is ours alone: no other collector may import it, as it would in its `collect`."""
    others = yield
    grading = parent.config.option.grader
    named = parent.session.isinitpath(file_path)
    if file_path.suffix in SUFFIXES and (named or grading) and (grading or FOLDER in file_path.parts):
        exercises, problem = _exercises(parent.config, file_path, named), ""
        if grading and named and not exercises:
            problem = "which exercise is it? Name it: `--grader-exercise ex1`; `grader list` has all"
        if exercises or problem:
            # A stub's ids are `ex1::dprobs`, wherever it is; a notebook beside it keeps its path.
            nodeid = exercises[0] if exercises and file_path.suffix == ".py" else None
            given: dict[str, Any] = {"nodeid": nodeid, "exercises": exercises, "problem": problem}
            return [ExerciseFile.from_parent(parent, path=file_path, **given)]
    return [] if grading else others


def _suite(config: pytest.Config) -> Suite:
    """Grading mode hears no fixtures of the folder that it is in, which may be the learner's."""
    from grader.suite.find import find

    return find(trusted=config.option.grader)


def _exercises(config: pytest.Config, path: Path, named: bool) -> list[str]:
    """What a file holds, by the option, its metadata, its place below exercises/, or its name."""
    from grader.core.course import NOTEBOOK

    ids = _suite(config).ids()
    if wanted := config.option.grader_exercise:
        return [wanted] if named else []
    if path.suffix == ".ipynb":
        if not named:
            return []  # the stub beside it is what a folder's grade is of
        if (exercise := _declared(path)) in ids:
            return [str(exercise)]
    parts = path.with_suffix("").parts
    below = parts[len(parts) - parts[::-1].index(FOLDER) :] if FOLDER in parts else parts[-1:]
    if ".".join(below) in ids:
        return [".".join(below)]
    if config.option.grader and path.suffix == ".ipynb":
        return [exercise for exercise in NOTEBOOK if exercise in ids]  # as `grader check` has it
    return []


def _declared(path: Path) -> str | None:
    """The exercise that a notebook was derived for. What can't be read is told when it is graded."""
    from grader.core.errors import UsageError
    from grader.submissions.script import declared
    from grader.suite.find import read_submission

    with contextlib.suppress(UsageError):
        return declared(read_submission(path))
    return None


class ExerciseFile(pytest.File):
    """A submission: a stub, or a notebook with one exercise or several. Graded once in a session."""

    def __init__(self, *, exercises: Sequence[str], problem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exercises, self.problem = exercises, problem
        self.report: Report | None = None
        self.told_output = False

    def collect(self) -> Iterator[ExerciseItem]:
        from grader.suite.find import Target, item_names

        if self.problem:
            raise self.CollectError(f"{self.path.name}: {self.problem}")
        suite = _suite(self.config)
        for exercise in self.exercises:
            for item in item_names(suite.describe(exercise)):
                name = item if len(self.exercises) == 1 else f"{exercise}.{item}"
                yield ExerciseItem.from_parent(self, name=name, target=Target(exercise, item))

    def graded(self) -> Report:
        """The report of those items that this session runs."""
        if self.report is None:
            from grader.core.exercise import File, How
            from grader.judging.fresh_probes import secret
            from grader.judging.requests import grade
            from grader.suite.find import read_submission

            suite = _suite(self.config)
            wanted = [
                i.target for i in self.session.items if isinstance(i, ExerciseItem) and i.parent is self
            ]
            file = File(suite.shown(self.path), read_submission(self.path))
            sources = {target.exercise: file for target in wanted}
            seed = secret() if self.config.option.grader_require_sandbox else None
            self.report = grade(suite, _bench(self.config), wanted, sources, How(seed=seed, secret=True))
        return self.report


BENCH = pytest.StashKey[Any]()


def _bench(config: pytest.Config) -> Any:
    """The session's warm runner, which ends with it."""
    if BENCH not in config.stash:
        from grader.judging.bench import Bench
        from grader.runner.host.client import Runner

        runner = Runner()
        config.add_cleanup(runner.close)
        config.stash[BENCH] = Bench(runner)
    return config.stash[BENCH]


class NotPassed(Exception):
    """The text that a failure shows."""


class ExerciseItem(pytest.Item):
    """One item. What is not the submission's fault is an error of the set-up, never a failure."""

    def __init__(self, *, target: Target, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target

    @property
    def graded_id(self) -> str:
        return f"{self.target.exercise}.{self.target.item}"

    def setup(self) -> None:
        self.report = self._report()
        check = self.report.check
        if check.maxdiff is not None:
            self.user_properties += [
                ("exact", str(check.exact).lower()),
                ("approx", str(check.approx).lower()),
                ("maxdiff", repr(check.maxdiff)),
            ]

    def _report(self) -> ItemReport:
        assert isinstance(self.parent, ExerciseFile)
        from grader.core.errors import GraderFault, UsageError

        try:
            report = self.parent.graded()
        except (UsageError, GraderFault) as error:
            pytest.fail(str(error), pytrace=False)
        return next(item for item in report.items if item.id == self.graded_id)

    def runtest(self) -> None:
        from grader.core.verdict import Verdict

        if self.report.passed:
            return
        how = self.config.option.grader_not_written
        if self.report.verdict is Verdict.NOT_WRITTEN and how == "skip":
            pytest.skip("not written")
        if self.report.verdict is Verdict.NOT_WRITTEN and how == "xfail":
            pytest.xfail("not written")
        self._show_output()
        raise NotPassed(_text(self.report))

    def _show_output(self) -> None:
        """What the submission printed, with its first failure; no line is a command to a CI's runner."""
        file = self.parent
        assert isinstance(file, ExerciseFile)
        if file.report and file.report.output and not file.told_output:
            file.told_output = True
            from grader.core.text import quiet

            lines = quiet(file.report.output).split("\n")
            self.add_report_section("call", "submission", "\n".join(f"| {line}" for line in lines))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.graded_id


def _text(item: ItemReport) -> str:
    """Reason and diagnosis as the table has them; then the numbers, where there are any."""
    from grader.core.text import quiet
    from grader.reports.table import HEADINGS, row

    cells = dict(zip(HEADINGS, row(item), strict=True))
    numbers = [f"{name} {cells[name]}" for name in ("exact", "approx", "maxdiff", "relative") if cells[name]]
    return "\n".join([f"{item.id}: {quiet(cells['verdict'])}", *([", ".join(numbers)] if numbers else [])])
