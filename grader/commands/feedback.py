"""`grader feedback`: a copy of a notebook with what was found under the cells that it belongs to."""

from __future__ import annotations

import argparse
from pathlib import Path

from grader.commands.policy import marker
from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import File, How
from grader.core.limits import MAX_NOTEBOOK
from grader.judging.bench import Bench
from grader.judging.requests import grade
from grader.judging.targets import chosen, renames
from grader.reports import feedback
from grader.reports.table import advice, of
from grader.runner.host.client import Runner
from grader.submissions import cells
from grader.suite.files import read_file, replaced, writable
from grader.suite.find import find, read_submission

ENDING = ".feedback.ipynb"


def run(args: argparse.Namespace) -> int:
    suite = find()
    if not args.notebook.endswith(".ipynb"):
        raise UsageError(
            f"{args.notebook} is not a notebook (.ipynb): `grader report` makes a page of a file"
        )
    args.submission, args.solutions = args.notebook, False
    wanted = chosen(suite, args, args.targets)
    path = Path(args.notebook)
    try:
        data = read_submission(path)
        current = cells.upgraded(data)
        book = cells.without_feedback(cells.read(current))
    except Unreadable as error:
        raise UsageError(f"{path} {error}") from None
    out = _copy(path, args.out)
    page = writable(Path(args.html), "--html") if args.html else None
    if page and page.resolve() in (out.resolve(), path.resolve()):
        raise UsageError(f"--html {page} is a notebook of this command: name another file")
    mark = marker(suite, args)
    sources = {t.exercise: File(args.notebook, book.data) for t in wanted}
    how = How(strict=args.strict, rename=renames(suite, args.rename, sources.values()))
    with Runner() as runner:
        report = mark(grade(suite, Bench(runner), wanted, sources, how))
    under = {number: feedback.under(items) for number, items in feedback.by_cell(report).items()}
    replaced(out, cells.with_feedback(book, feedback.top(report), under))
    if page:
        replaced(page, feedback.render(report, book.cells).encode())
    written = " and ".join(suite.shown(p) for p in (out, page) if p)
    are = "are" if page else "is"
    points = f"{of(report)}{' points' * report.marked}"
    print(f"score: {points}. {advice(report)}\n{written} {are} written")
    if current is not data:
        print(f"{path} is of nbformat 3, which Jupyter no longer writes; the copy is of nbformat 4")
    return 0 if report.passed else 1


def _copy(path: Path, asked: str | None) -> Path:
    """Where the copy goes. UsageError where that would overwrite what is no feedback of ours."""
    out = Path(asked) if asked else path.with_name(path.name.removesuffix(".ipynb") + ENDING)
    if not asked and path.name.endswith(ENDING):
        out = path  # a copy already: its feedback is replaced
    writable(out, "--out")
    try:
        known = not out.exists() or cells.read(read_file(out, MAX_NOTEBOOK)).has_feedback
    except (Unreadable, OSError):
        known = False
    if not known:
        raise UsageError(f"--out {out} exists and is no copy with feedback; it is kept: name another file")
    return out
