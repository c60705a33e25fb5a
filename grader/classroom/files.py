"""The class's results as files: grades.csv, a text for each student, a summary, the class page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from grader.classroom import page
from grader.classroom.summary import Summary
from grader.core.errors import UsageError
from grader.core.text import text
from grader.core.verdict import Verdict, place
from grader.reports.table import verdict_line
from grader.suite.files import replaced, replacing

COLUMNS = ("student", "name", "submission", "exercise", "score", "max_score", "passed", "late", "note")
FORMULA = re.compile("(^|[;\\t\\r\\n]\\s*)(?=[-=+@\\t\\r\\uff1d\\uff0b\\uff0d\\uff20])")


def write(results: Iterable[dict[str, Any]], out: Path, seed: int | None = None) -> Summary:
    """Write grades.csv, reports/, the summary and the class page from the results as they go by.

    Each file is replaced whole. seed: of the class's fresh probes.
    """
    summary = Summary(seed=seed)
    results = iter(results)
    first = [next(results)]  # nothing is touched before there is a result: another batch may be at work
    folder = out / page.REPORTS
    folder.mkdir(exist_ok=True)
    with (
        replacing(out / "grades.csv") as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        table.writerow(COLUMNS)
        for result in chain(first, results):
            summary.add(result)
            table.writerow([guarded(v) if isinstance(v, str) else v for v in _row(result)])
            _replace(folder / summary.students[-1].report, told(result))
    for path in (*folder.glob("*.txt"), *folder.glob("*.html")):  # of submissions that an earlier run had
        if path.suffix == ".html" or path.stem.casefold() not in summary.taken:
            path.unlink()
    _replace(out / "summary.json", json.dumps(summary.document(), indent=1) + "\n")
    _replace(out / "summary.txt", summary.lines())
    _replace(out / page.NAME, page.render(summary))
    return summary


def results(folder: Path, summary: Summary | None = None) -> Iterator[dict[str, Any]]:
    """What a batch left in a folder, each result counted in `summary`; UsageError where it wrote nothing."""
    path = folder / "results.jsonl"
    repair = f"`grader batch … --out {folder}` writes it"
    summary = summary or Summary()
    try:
        number = 0
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 -- whether there is a line
                result = json.loads(line)
                summary.add(result)
                yield result
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror}): {repair}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path}, line {number} is damaged: {repair}") from None
    if not number:
        raise UsageError(f"{path} has no results: {repair}")


def guarded(cell: str) -> str:
    """No spreadsheet takes the cell for a formula, nor one that takes ; for the separator a part of it."""
    return FORMULA.sub(r"\1'", cell)


def _row(result: dict[str, Any]) -> list[Any]:
    exercises = " ".join(e["id"] for e in result["exercises"])
    note = "; ".join(x for x in (result["problem"], result["note"], *result["notes"]) if x)
    passed, late = ("yes" if result[k] else "no" for k in ("passed", "late"))
    who = [result["student"], result["name"], result["submission"]]
    return [*who, exercises, result["score"], result["max_score"], passed, late, note]


def told(result: dict[str, Any]) -> str:
    """A student's own report as a text."""
    score = (
        f"{result['score']} of {result['max_score']}"
        if result["exercises"] or result["max_score"]
        else "none"
    )
    lines = [result["submission"], f"score: {score}"]
    lines += [f"not graded: {result['problem']}"] if result["problem"] else []
    lines += [f"note: {note}" for note in (*result["notes"], result["note"]) if note]
    if result["identical_to"]:
        lines.append(f"identical to {result['identical_to']}")
    for exercise in result["exercises"]:
        lines += ["", exercise["title"], *exercise["deductions"]]
        for item in exercise["items"]:
            where = place(item.get("cell"), item["line"], item.get("execution_count"))
            verdict = Verdict(item["verdict"])
            said = verdict_line(verdict, item["diagnosis"], item["reason"], item["note"], where)
            points = f"{item['score']} of {item['max_score']}"
            lines.append(f"{item['id']:24} {points:>12}  {said}")
    if result["output"]:
        lines += ["", "the submission printed:", *("| " + x for x in result["output"].split("\n"))]
    return "\n".join(text(line, 3000) for line in lines) + "\n"


def _replace(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    replaced(path, content.encode())
