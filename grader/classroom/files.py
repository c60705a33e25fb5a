"""The class's results as files: grades.csv, a text for each student, a summary, the class page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from grader.core.errors import UsageError
from grader.core.text import text
from grader.core.verdict import Points, Verdict, place
from grader.reports.table import verdict_line, words
from grader.suite.files import replaced, replacing

COLUMNS = ("student", "name", "submission", "exercise", "score", "max_score", "passed", "late", "note")
FORMULA = re.compile("(^|[;\\t\\r\\n]\\s*)(?=[-=+@\\t\\r\\uff1d\\uff0b\\uff0d\\uff20])")
SHARED = re.compile(r" \(ex\d\)$")  # see `intake._id`


@dataclass(frozen=True, slots=True)
class Student:
    """One submission's row on the class page. verdicts: of its items, by exercise in the suite's order."""

    submission: str
    student: str
    name: str
    score: Points
    max_score: Points
    late: bool
    problem: str
    verdicts: Mapping[str, tuple[Verdict, ...]]
    counts: bool = True  # by the policy's [attempts]


@dataclass
class Summary:
    """What a class did, counted while its results go by."""

    submissions: int = 0
    passed: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)  # by item
    right: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # "item: verdict"
    diagnoses: dict[str, Counter[str]] = field(default_factory=dict)  # by diagnosis: the items, counted
    students: list[Student] = field(default_factory=list)
    identical: dict[str, list[str]] = field(default_factory=dict)
    off: set[str] = field(default_factory=set)
    faults: int = 0
    timeless: int = 0  # graded, by a policy, without a time

    def add(self, result: dict[str, Any]) -> None:
        self.passed += bool(result["passed"])
        self.faults += bool(result.get("fault"))
        self.timeless += not result["problem"] and "submitted" in result and not result["submitted"]
        self.off.update(result["protection_off"])
        if result["problem"]:
            # of a notebook that is there for several exercises, once
            name = SHARED.sub("", result["submission"])
            self.problems[f"{name}: {result['problem']}"] += 1
        if result["identical_to"]:
            self.identical.setdefault(result["identical_to"], []).append(result["submission"])
        for exercise in result["exercises"]:
            for item in exercise["items"]:
                self.asked[item["id"]] += 1
                self.right[item["id"]] += item["passed"]
                self.verdicts[item["verdict"]] += 1
                if not item["passed"] and item["verdict"] != "not-written":
                    self.reasons[f"{item['id']}: {item['verdict']}"] += 1
                    if item["diagnosis"]:
                        self.diagnoses.setdefault(item["diagnosis"], Counter())[item["id"]] += 1
        verdicts = {e["id"]: tuple(Verdict(i["verdict"]) for i in e["items"]) for e in result["exercises"]}
        who = ("submission", "student", "name", "score", "max_score", "late", "problem")
        counts = result.get("counts", True)
        self.students.append(Student(**{k: result[k] for k in who}, verdicts=verdicts, counts=counts))
        self.submissions += 1

    def hardest(self) -> list[tuple[str, float]]:
        """Items by the share of submissions that passed them, the hardest first."""
        shares = [(name, self.right[name] / n) for name, n in self.asked.items()]
        return sorted(shares, key=lambda x: x[1])

    def diagnosed(self) -> list[tuple[str, int, list[tuple[str, int]]]]:
        """Each diagnosis, how often it was made, and for which items; the commonest first."""
        found = [(told, items.total(), items.most_common()) for told, items in self.diagnoses.items()]
        return sorted(found, key=lambda x: -x[1])

    def document(self) -> dict[str, Any]:
        return {
            "schema": "grader/summary/v1",
            "submissions": self.submissions,
            "passed": self.passed,
            "problems": sorted(self.problems),
            "verdicts": dict(self.verdicts.most_common()),
            "items": {name: {"asked": n, "passed": self.right[name]} for name, n in self.asked.items()},
            "commonest": dict(self.reasons.most_common(20)),
            "diagnoses": [
                {"diagnosis": told, "count": n, "items": dict(items)}
                for told, n, items in self.diagnosed()[:20]
            ],
            "identical": dict(sorted(self.identical.items())),
            "protection_off": sorted(self.off),
        }

    def lines(self) -> str:
        """The summary for a person."""
        ending = "" if self.submissions == 1 else "s"
        parts = [f"{self.submissions} submission{ending}, {self.passed} passed everything"]
        if self.asked:
            parts.append("\nhardest items:")
            parts += [f"  {share:4.0%} passed  {name}" for name, share in self.hardest()[:10]]
            parts.append("\nverdicts:")
            parts += [f"  {n:6}  {words(name)}" for name, n in self.verdicts.most_common()]
        if self.reasons:
            parts.append("\ncommonest mistakes:")
            for name, n in self.reasons.most_common(10):
                item, _, verdict = name.rpartition(": ")
                parts.append(f"  {n:6}  {item}: {words(verdict)}")
        if self.diagnoses:
            parts.append("\ncommonest mistakes by diagnosis:")
            for told, n, items in self.diagnosed()[:10]:
                where = ", ".join(f"{name} {k}" for name, k in items[:4]) + (", …" if len(items) > 4 else "")
                parts.append(f"  {n:6}  {text(told)} ({where})")
        if self.identical:
            parts.append("\nidentical submissions:")
            parts += [f"  {first} = {', '.join(rest)}" for first, rest in sorted(self.identical.items())]
        if self.problems:
            parts.append("\nnot graded:")
            parts += [f"  {one}" for one in sorted(self.problems)]
        return "\n".join(parts) + "\n"


def write(results: Iterable[dict[str, Any]], out: Path) -> Summary:
    """Write grades.csv, reports/, the summary and the class page from the results as they go by.

    Each file is replaced whole.
    """
    from grader.classroom import page

    summary = Summary()
    results = iter(results)
    first = [next(results)]  # nothing is touched before there is a result: another batch may be at work
    folder = out / "reports"
    folder.mkdir(exist_ok=True)
    taken: set[str] = set()
    with (
        replacing(out / "grades.csv") as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        table.writerow(COLUMNS)
        for result in chain(first, results):
            summary.add(result)
            table.writerow([_cell(v) for v in _row(result)])
            name = re.sub(r"[^\w.-]+", "_", result["submission"], flags=re.ASCII).strip("._")[-120:] or "_"
            name = next(n for n in _numbered(name) if n.casefold() not in taken)
            taken.add(name.casefold())
            _replace(folder / f"{name}.txt", _text(result))
    _replace(out / "summary.json", json.dumps(summary.document(), indent=1) + "\n")
    _replace(out / "summary.txt", summary.lines())
    _replace(out / page.NAME, page.render(summary))
    return summary


def read(folder: Path) -> Summary:
    """The summary of what a batch left in a folder; UsageError where that is nothing it wrote."""
    summary = Summary()
    for _ in results(folder, summary):
        pass
    return summary


def results(folder: Path, summary: Summary | None = None) -> Iterator[dict[str, Any]]:
    """What a batch left in a folder, each result counted in `summary`. UsageError as `read`."""
    path = folder / "results.jsonl"
    repair = f"`grader batch … --out {folder}` writes it"
    summary = summary or Summary()
    try:
        with path.open("rb") as file:
            for line in file:
                result = json.loads(line)
                summary.add(result)
                yield result
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror}): {repair}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path}, line {summary.submissions + 1} is damaged: {repair}") from None
    if not summary.submissions:
        raise UsageError(f"{path} has no results: {repair}")


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{k}" for k in count(2))


def _row(result: dict[str, Any]) -> list[Any]:
    exercises = " ".join(e["id"] for e in result["exercises"])
    note = "; ".join(x for x in (result["problem"], result["note"]) if x)
    passed, late = ("yes" if result[k] else "no" for k in ("passed", "late"))
    who = [result["student"], result["name"], result["submission"]]
    return [*who, exercises, result["score"], result["max_score"], passed, late, note]


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, nor a part of it one that takes ; for the separator."""
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def _text(result: dict[str, Any]) -> str:
    lines = [result["submission"], f"score: {result['score']} of {result['max_score']}"]
    lines += [f"not graded: {result['problem']}"] if result["problem"] else []
    lines += [f"note: {note}" for note in (*result["notes"], result["note"]) if note]
    if result["identical_to"]:
        lines.append(f"identical to {result['identical_to']}")
    for exercise in result["exercises"]:
        lines += ["", exercise["title"], *exercise["deductions"]]
        for item in exercise["items"]:
            where = place(item.get("cell"), item["line"])
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
