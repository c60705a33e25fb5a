"""What a class did, counted while its results go by, and a row for each student."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from grader.core.text import text
from grader.core.verdict import Points, Verdict
from grader.reports.table import words

CAUSE = 120  # characters
SHARED = re.compile(r" \(ex\d\)$")  # see `uploads._id`


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
    nameless: tuple[str, ...] = ()  # items that passed without a function of their name
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the items, as the verdicts
    section: str = ""  # of the roster
    report: str = ""  # the name of the file that has the student's own

    @property
    def page(self) -> str:
        """What a page of the same is called, beside the report."""
        return f"{self.report.removesuffix('.txt')}.html"


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
    # by verdict and cause, of what no known mistake explains: the items, counted
    causes: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    students: list[Student] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # names of reports
    identical: dict[str, list[str]] = field(default_factory=dict)
    nameless: dict[str, int] = field(default_factory=dict)  # submissions -> items without a function
    off: set[str] = field(default_factory=set)
    faults: int = 0
    seed: int | None = None  # of the class's fresh probes; None for the saved ones
    absent: list[str] = field(default_factory=list)  # on the roster, with nothing handed in
    unknown: list[str] = field(default_factory=list)  # on the roster, and no file is known to be theirs
    timeless: int = 0  # graded, by a policy, without a time or the mark of a late one
    marked: int = 0  # ... with the mark alone

    def add(self, result: dict[str, Any]) -> None:
        """Count a result, of an attempt that counts; each is a row."""
        counts = result.get("counts", True)
        self.faults += bool(result.get("fault"))
        self.off.update(result["protection_off"])
        if not result["problem"] and not result.get("submitted", True):
            self.marked += result["late"]
            self.timeless += not result["late"]
        if result["identical_to"]:
            self.identical.setdefault(result["identical_to"], []).append(result["submission"])
        if result.get("absent") == "unknown":
            self.unknown.append(result["name"] or result["student"])
        elif "absent" in result:
            self.absent.append(result["name"] or result["student"])
        elif counts:
            self._count(result)
        verdicts = {e["id"]: tuple(Verdict(i["verdict"]) for i in e["items"]) for e in result["exercises"]}
        who = ("submission", "student", "name", "score", "max_score", "late", "problem")
        nameless = tuple(name for e in result["exercises"] for name in e.get("nameless", ()))
        if nameless:
            self.nameless[result["submission"]] = len(nameless)
        names = {e["id"]: tuple(i["id"] for i in e["items"]) for e in result["exercises"]}
        own = self._report(result["submission"])
        one: dict[str, Any] = {k: result[k] for k in who}
        self.students.append(
            Student(
                **one,
                verdicts=verdicts,
                counts=counts,
                nameless=nameless,
                report=own,
                names=names,
                section=result.get("section", ""),
            )
        )

    def _count(self, result: dict[str, Any]) -> None:
        self.submissions += 1
        self.passed += bool(result["passed"])
        if result["problem"]:
            # of a notebook that is there for several exercises, once
            name = SHARED.sub("", result["submission"])
            self.problems[f"{name}: {result['problem']}"] += 1
        for exercise in result["exercises"]:
            for item in exercise["items"]:
                self.asked[item["id"]] += 1
                self.right[item["id"]] += item["passed"]
                self.verdicts[item["verdict"]] += 1
                if not item["passed"] and item["verdict"] != "not-written":
                    self.reasons[f"{item['id']}: {item['verdict']}"] += 1
                    if item["diagnosis"]:
                        self.diagnoses.setdefault(item["diagnosis"], Counter())[item["id"]] += 1
                    if not item["diagnosis"]:
                        # of what is wrong the reason has numbers, which are each submission's own
                        cause = "" if item["verdict"] == Verdict.WRONG else text(item["reason"], CAUSE)
                        self.causes.setdefault((item["verdict"], cause), Counter())[item["id"]] += 1

    def _report(self, submission: str) -> str:
        """The name of a submission's own report, which no other has."""
        name = re.sub(r"[^\w.-]+", "_", submission, flags=re.ASCII).strip("._")[-120:] or "_"
        numbered = chain([name], (f"{name}-{k}" for k in count(2)))
        name = next(n for n in numbered if n.casefold() not in self.taken)
        self.taken.add(name.casefold())
        return f"{name}.txt"

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
            "probes": "saved" if self.seed is None else self.seed,
            "submissions": self.submissions,
            "passed": self.passed,
            "problems": sorted(self.problems),
            "absent": sorted(self.absent),
            "unknown": sorted(self.unknown),
            "verdicts": dict(self.verdicts.most_common()),
            "items": {name: {"asked": n, "passed": self.right[name]} for name, n in self.asked.items()},
            "commonest": dict(self.reasons.most_common(20)),
            "diagnoses": [
                {"diagnosis": told, "count": n, "items": dict(items)}
                for told, n, items in self.diagnosed()[:20]
            ],
            "identical": dict(sorted(self.identical.items())),
            "nameless": dict(sorted(self.nameless.items())),
            "protection_off": sorted(self.off),
        }

    def lines(self) -> str:
        """The summary for a person."""
        ending = "" if self.submissions == 1 else "s"
        parts = [f"{self.submissions} submission{ending}, {self.passed} passed everything"]
        mistakes = [(n, *name.rpartition(": ")[::2]) for name, n in self.reasons.most_common(10)]
        diagnosed = [
            (n, told, ", ".join(f"{name} {k}" for name, k in items[:4]) + ", …" * (len(items) > 4))
            for told, n, items in self.diagnosed()[:10]
        ]
        told = {
            "hardest items": [f"{share:4.0%} passed  {name}" for name, share in self.hardest()[:10]],
            "verdicts": [f"{n:6}  {words(name)}" for name, n in self.verdicts.most_common()],
            "commonest mistakes": [f"{n:6}  {item}: {words(verdict)}" for n, item, verdict in mistakes],
            "commonest mistakes by diagnosis": [f"{n:6}  {text(what)} ({on})" for n, what, on in diagnosed],
            "identical submissions": [f"{a} = {', '.join(b)}" for a, b in sorted(self.identical.items())],
            "items that passed, though the file defines no function of the name (look at it)": [
                f"{n:6}  {name}" for name, n in sorted(self.nameless.items())
            ],
            "not graded": sorted(self.problems),
            "absent": [text(name) for name in sorted(self.absent)],
            "on the roster, and nothing tells which file is theirs": [
                text(name) for name in sorted(self.unknown)
            ],
        }
        for heading, lines in told.items():
            parts += [f"\n{heading}:", *(f"  {line}" for line in lines)] if lines else []
        return "\n".join(parts) + "\n"
