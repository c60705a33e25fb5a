"""What a class's results tell: who makes which mistake and when, and which items tell students apart."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from grader.classroom.files import guarded
from grader.core.text import text
from grader.core.verdict import Verdict
from grader.reports.pages.html import page

NAME, TABLE = "insight.html", "mistakes.csv"
COLUMNS = ("code", "item", "section", "attempt", "day", "submissions", "students")
SHOWN = 40  # rows of a table on the page
Key = tuple[str, str, str, int, str]  # as COLUMNS begin


@dataclass
class Sums:
    """Of x, whether an item passed, and y, how many others of the exercise did: for their correlation."""

    n: int = 0
    x: int = 0
    y: int = 0
    xy: int = 0
    yy: int = 0

    def add(self, x: int, y: int) -> None:
        self.n, self.x, self.y = self.n + 1, self.x + x, self.y + y
        self.xy, self.yy = self.xy + x * y, self.yy + y * y

    @property
    def correlation(self) -> float | None:
        """Pearson's, for an x of 0 and 1 the point-biserial one; None where x or y is constant."""
        spread = (self.n * self.x - self.x**2) * (self.n * self.yy - self.y**2)
        return (self.n * self.xy - self.x * self.y) / math.sqrt(spread) if spread > 0 else None


@dataclass
class Insight:
    """Counted while the results go by: memory grows with mistakes and students, not with the reports."""

    submissions: int = 0
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)  # by student and exercise
    times: Counter[Key] = field(default_factory=Counter)
    students: dict[Key, set[str]] = field(default_factory=dict)
    items: dict[str, Sums] = field(default_factory=dict)

    def add(self, result: dict[str, Any]) -> None:
        self.submissions += "absent" not in result
        who = result["student"] or result["submission"]
        section = str(result.get("section") or "")
        day = str(result.get("submitted") or "")[:10]
        for exercise in result["exercises"]:
            self.attempts[who, exercise["id"]] += 1
            attempt = self.attempts[who, exercise["id"]]
            passed = sum(item["passed"] for item in exercise["items"])
            for item in exercise["items"]:
                if result.get("counts", True):
                    one = int(item["passed"])
                    self.items.setdefault(item["id"], Sums()).add(one, passed - one)
                if not item["passed"] and item["verdict"] != Verdict.NOT_WRITTEN:
                    code = item["diagnosis_code"] or item["code"] or item["verdict"]
                    key = (code, item["id"], section, attempt, day)
                    self.times[key] += 1
                    self.students.setdefault(key, set()).add(who)

    def by(self, *columns: int) -> list[tuple[tuple[Any, ...], int, int]]:
        """The mistakes by some of COLUMNS: their values, how many submissions and students; most first."""
        times: Counter[tuple[Any, ...]] = Counter()
        students: dict[tuple[Any, ...], set[str]] = {}
        for key, n in self.times.items():
            part = tuple(key[c] for c in columns)
            times[part] += n
            students.setdefault(part, set()).update(self.students[key])
        return [(part, n, len(students[part])) for part, n in times.most_common()]

    def table(self) -> str:
        """mistakes.csv: a row for each combination of COLUMNS that there is."""
        out = io.StringIO()
        rows = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
        rows.writerow(COLUMNS)
        for key, n in sorted(self.times.items()):
            rows.writerow(
                [*(guarded(v) if isinstance(v, str) else v for v in key), n, len(self.students[key])]
            )
        return out.getvalue()

    def discrimination(self) -> list[tuple[str, int, int, float | None]]:
        """Items, how many passed of how many, the correlation; those that tell students apart best first."""
        rows = [(name, s.x, s.n, s.correlation) for name, s in self.items.items()]
        return sorted(rows, key=lambda row: -math.inf if row[3] is None else row[3], reverse=True)

    def render(self) -> str:
        views = {"Section": 2, "Attempt": 3, "Day": 4}
        tables = []
        for heading, column in views.items():
            rows = self.by(0, column)
            if len({part[1] for part, *_ in rows}) > 1:
                shown = [(text(code), text(str(which or "–")), n, k) for (code, which), n, k in rows[:SHOWN]]
                tables.append((heading, shown))
        return page(
            "insight.html",
            "What the class tells",
            f"{self.submissions} submissions of {len({who for who, _ in self.attempts})} students",
            mistakes=[(text(c), text(i), n, k) for (c, i), n, k in self.by(0, 1)[:SHOWN]],
            tables=tables,
            items=[
                (text(name), right, n, "–" if r is None else f"{r:+.2f}".replace("-", "−"))
                for name, right, n, r in self.discrimination()
            ],
        )


def of(results: Iterable[dict[str, Any]]) -> Insight:
    insight = Insight()
    for result in results:
        insight.add(result)
    return insight
