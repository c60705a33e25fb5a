"""The class as one page: scores, each item's pass rate, the commonest mistakes, a row for each student."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grader.classroom.summary import Student, Summary
from grader.core.text import text
from grader.core.verdict import Verdict
from grader.reports.pages.html import kind, legend, page
from grader.reports.table import words

NAME, ANONYMOUS, REPORTS = "class.html", "anonymous.html", "reports"
NAMED = 8  # items that a strip's words name
BINS = 11  # tenths of the score, and one for all of it
MISTAKES = 20
CELL = 9  # pixels: of one verdict in a student's strip


def render(summary: Summary, reports: str = REPORTS, anonymous: bool = False, pages: bool = False) -> str:
    """reports: where the students' own are, from the page's folder; pages: as pages, not as texts.
    anonymous: `unnamed`, without links."""
    summary = unnamed(summary) if anonymous else summary
    graded = [s for s in summary.students if s.max_score and s.counts]
    return page(
        "class.html",
        "The class",
        f"{summary.submissions} submissions, {len(graded)} graded, {summary.passed} passed everything",
        bins=bins(graded),
        median=_median(graded),
        items=[
            {"id": text(name), "passed": summary.right[name], "asked": n, "share": summary.right[name] / n}
            for name, n in summary.asked.items()
        ],
        mistakes=[
            (n, text(told), [(text(name), k) for name, k in items])
            for told, n, items in summary.diagnosed()[:MISTAKES]
        ],
        causes=_causes(summary)[:MISTAKES],
        reports="" if anonymous else reports,
        legend=sorted(legend(map(Verdict, summary.verdicts.elements())), key=lambda one: -one[-1]),
        students=[
            _row(s) | {"report": s.page if pages else s.report}
            for s in sorted(summary.students, key=lambda s: s.section)
        ],
        anonymous=anonymous,
        sections=_sections(graded),
        identical=[(text(a), [text(b) for b in rest]) for a, rest in sorted(summary.identical.items())],
        cell=CELL,
    )


def unnamed(summary: Summary) -> Summary:
    """A class without what may name a student: numbers for names and ids; no path, no word of a file.

    The numbers, and the order, are drawn anew each time: from an id one could find them.
    """
    drawn = sorted({s.student for s in summary.students}, key=lambda s: secrets.randbits(64))
    numbers = {student: f"student {n}" for n, student in enumerate(drawn, 1)}
    called = {s.submission: numbers[s.student] for s in summary.students}
    students = [
        replace(s, student=called[s.submission], name="", submission="", problem=s.problem and "not graded")
        for s in summary.students
    ]
    causes: dict[tuple[str, str], Counter[str]] = {}
    for (verdict, _), items in summary.causes.items():
        causes.setdefault((verdict, ""), Counter()).update(items)
    return replace(
        summary,
        students=sorted(students, key=lambda s: int(s.student.rpartition(" ")[2])),
        causes=causes,
        identical={called[a]: [called[b] for b in rest] for a, rest in summary.identical.items()},
    )


def _causes(summary: Summary) -> list[tuple[int, str, str, list[tuple[str, int]]]]:
    """What no known mistake explains: how often, the verdict, the cause, the items; the commonest first."""
    found = [
        (items.total(), words(verdict), text(cause), [(text(name), n) for name, n in items.most_common()])
        for (verdict, cause), items in summary.causes.items()
    ]
    return sorted(found, key=lambda one: -one[0])


def bins(students: Sequence[Student]) -> list[tuple[str, int, float]]:
    """How many students have which share of their score: label, count, share of the largest count."""
    counts = [0] * BINS
    for s in students:
        counts[min(BINS - 1, int((BINS - 1) * max(0, s.score) / s.max_score + 1e-9))] += 1
    labels = [f"{10 * i}" for i in range(BINS - 1)] + ["all"]
    most = max(counts) or 1
    return [(label, n, n / most) for label, n in zip(labels, counts, strict=True)]


def _median(students: Sequence[Student]) -> str:
    if not students:
        return ""
    ranked = sorted(students, key=lambda s: s.score / s.max_score)
    s = ranked[len(ranked) // 2]
    return f"The median student has {s.score} of {s.max_score}."


def _sections(graded: Sequence[Student]) -> list[tuple[str, int, str]]:
    """Of each section of a roster its name, how many were graded, and the median."""
    found: dict[str, list[Student]] = {}
    for s in graded:
        found.setdefault(s.section, []).append(s)
    return (
        [(text(name) or "–", len(own), _median(own)) for name, own in sorted(found.items())]
        if found.keys() - {""}
        else []
    )


def _row(s: Student) -> dict[str, Any]:
    """A student's row. strips: for each exercise its verdicts as one path a kind, to keep pages small."""
    strips = []
    for exercise, verdicts in s.verdicts.items():
        paths: dict[str, str] = {}
        for i, verdict in enumerate(verdicts):
            css = kind(verdict)[0]
            tall = 14 if verdict.passed else 7  # not by colour alone
            move = f"M{i * CELL} {14 - tall}h{CELL - 2}v{tall}h-{CELL - 2}z"
            paths[css] = paths.get(css, "") + move
        passed = sum(v.passed for v in verdicts)
        names = [name.rpartition(".")[2] for name in s.names[exercise]]
        said = f"{exercise}: {passed} of {len(verdicts)} passed"
        short = [name for name, v in zip(names, verdicts, strict=True) if not v.passed]
        said += f"; not {', '.join(short[:NAMED])}{', …' * (len(short) > NAMED)}" if short else ""
        each = " ".join(f"{exercise}.{n}={v.value}" for n, v in zip(names, verdicts, strict=True))
        strips.append((text(said), CELL * len(verdicts), paths, text(each, 20_000)))
    return {
        "submission": text(s.submission),
        "student": text(s.student),
        "name": text(s.name),
        "section": text(s.section),
        "score": s.score,
        "max_score": s.max_score,
        "late": s.late,
        "counts": s.counts,
        "problem": text(s.problem),
        "nameless": [text(name) for name in s.nameless],
        "strips": strips,
    }
