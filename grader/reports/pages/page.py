"""The report as one page: the compute graph, and for each item what came, what was wanted, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from grader.core import course
from grader.core.exercise import Exercise
from grader.core.finding import Code
from grader.core.text import text, times
from grader.core.verdict import ExerciseReport, ItemReport, Report, Verdict
from grader.reports.pages.figures import Evidence, curves, lecture, pictures
from grader.reports.pages.graph import HEIGHT, Layout, layout, operation
from grader.reports.pages.heat import NEGATIVE, POSITIVE
from grader.reports.pages.html import kind, legend, page, scores
from grader.reports.pages.train import shown
from grader.reports.pictures.svg import Picture
from grader.reports.table import advice, capital, number, of, parts, row, summary

CODE = 24  # lines of a submission, at most
FILES = 3  # that are named
VERDICTS = frozenset(map(str, Verdict))


@dataclass(frozen=True)
class Sheet:
    """One exercise of a report, with what its pictures are made from. sources: a notebook's cells, by number;
    the file where that is None.
    """

    report: ExerciseReport
    exercise: Exercise
    sources: Mapping[int | None, bytes]
    evidence: Mapping[str, Evidence]  # by item id
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)  # of a training run, by its name
    cases: Mapping[str, Sequence[Case]] = field(default_factory=dict)  # by item id
    aids: Mapping[str, Aid] = field(default_factory=dict)  # by item id
    drawn: Mapping[str, Sequence[Picture]] = field(default_factory=dict)  # by item id


@dataclass(frozen=True)
class Case:
    """One call of an output: as it is written, what came, what was wanted, whether that is right."""

    call: str
    yours: str
    wanted: str
    right: bool


@dataclass(frozen=True)
class Aid:
    """What helps with an item: its task, with facts by name; the hints that were given, by kind, and the kind
    that is due; the attempts: when, the verdict, what was said."""

    task: str
    facts: Sequence[tuple[str, str]]
    hints: Sequence[tuple[str, str]]
    due: str
    attempts: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Progress:
    """An exercise on the map of its set: how many of its items have passed."""

    id: str
    title: str
    passed: int
    of: int


@dataclass(frozen=True)
class View:
    """What a page shows beside its report. version: of one that `grader live` serves; None of a frozen one.
    said: what the last save changed. exercises: the set's. ways: those that can be gone to, and after: the
    one to go on to, all having passed."""

    version: int | None = None
    said: Sequence[str] = ()
    exercises: Sequence[Progress] = ()
    ways: Sequence[str] = ()
    after: str = ""


FROZEN = View()
PROBE = {
    True: "A probe is a run with random upstream gradients, most at other sizes: a formula that is right "
    "only for the lecture’s numbers fails there.",
    False: "A probe is a run on other, random data: what is right only for the first data fails there.",
}


def waiting(name: str, said: str, version: int) -> str:
    """The page of `grader live` before there is a report."""
    view = View(version, [said])
    return page("waiting.html", "grader live", text(name), live=True, version=version, view=view)


def render(report: Report, sheets: Sequence[Sheet], view: View = FROZEN) -> str:
    titles = {course.title(course.set_of(sheet.exercise.id)) for sheet in sheets}
    return page(
        "report.html",
        titles.pop() if len(titles) == 1 else "Report",
        text(_files(report.submission)),
        live=view.version is not None,
        version=view.version,
        view=view,
        report=report,
        advice=advice(report),
        scores=scores(report),
        legend=legend(item.verdict for item in report.items),
        sheets=[_sheet(sheet) for sheet in sheets],
        shown={sheet.exercise.id for sheet in sheets},
        exercises=[_now(one, report) for one in view.exercises],
        rounded=any(item.verdict is Verdict.APPROXIMATE for item in report.items),
        negative="#" + bytes(NEGATIVE).hex(),
        positive="#" + bytes(POSITIVE).hex(),
    )


def _files(shown: str) -> str:
    """The submission's files; of many in one folder only that."""
    paths = [PurePosixPath(path) for path in shown.split(", ")]
    several = len(paths) > FILES and len({path.parent for path in paths}) == 1
    return f"{paths[0].parent}/, {len(paths)} files" if several else shown


def _now(one: Progress, report: Report) -> Progress:
    """An exercise on the map, as the report has it; of one of which a part was graded, at least that."""
    graded = next((e for e in report.exercises if e.id == one.id), None)
    if graded is None:
        return one
    whole = len(graded.items) == one.of
    return replace(one, passed=graded.right if whole else max(one.passed, graded.right))


def _sheet(sheet: Sheet) -> dict[str, Any]:
    items = sheet.report.items
    first = next((i for i in items if not i.passed), items[0])
    return {
        "id": sheet.report.id,
        "title": sheet.report.title,
        "summary": summary(sheet.report).removeprefix(f"{sheet.report.id}: "),
        "marked": sheet.report.marks is not None,
        "first": first.id,
        "graph": _graph(sheet),
        "gradients": bool(sheet.exercise.gradients),
        "probe": PROBE[bool(sheet.exercise.gradients)],
        "pictures": [(id, one.title) for id, made in sheet.drawn.items() for one in made],
        "articles": [_article(sheet, item) for item in items],
        "shaped": any(_shape(sheet.exercise, item.shape) for item in items),
    }


def parents(exercise: Exercise) -> dict[str, list[str]]:
    """An exercise's graph, as the task runs: of gradients from the loss backwards, for each tensor those that
    read it, whose gradients arrive at it; of outputs alone for each item those that it receives or uses.

    Each after all that it names.
    """
    outputs = {item.name for item in exercise.outputs}
    tensors = list[str]()
    if exercise.gradients:  # sizes such as n are none
        tensors = [
            t for t in exercise.tensors or exercise.shapes if t in exercise.shapes and t not in outputs
        ]
    uses = {line.name: line.uses for line in exercise.lines}
    found = {t: [u for u in uses.get(t, ()) if u in tensors] for t in tensors}
    for item in exercise.outputs:
        above = (*item.receives, *item.uses, *item.params)
        found[item.name] = [t for t in dict.fromkeys(above) if t in found]
    if not exercise.gradients:
        return found
    return {t: [reader for reader in found if t in found[reader]] for t in reversed(found)}


LONG = 14  # characters of an operation in a node


def _drawn(exercise: Exercise) -> Layout:
    """An exercise's graph laid out; kept, since a page that is live draws it at every save."""
    return _laid(tuple((name, tuple(above)) for name, above in parents(exercise).items()))


@lru_cache(maxsize=64)
def _laid(above: tuple[tuple[str, tuple[str, ...]], ...]) -> Layout:
    return layout(dict(above))


def _graph(sheet: Sheet) -> dict[str, Any]:
    exercise = sheet.exercise
    drawn = _drawn(exercise)
    tensors = {item.name: item.tensor for item in exercise.items}
    named = {item.id.rpartition(".")[2]: item for item in sheet.report.items}
    items = {tensors[name]: item for name, item in named.items() if name in tensors}
    lines = {line.name: line.code for line in exercise.lines}
    nodes = []
    for name, (x, y) in drawn.nodes.items():
        item = items.get(name)
        done = operation(lines[name]) if name in lines else ""
        nodes.append(
            {
                "name": name,
                "shape": _shape(exercise, exercise.shapes[name]),
                "operation": done if len(done) <= LONG else f"{done[:LONG]}…",
                "line": lines.get(name, ""),
                "x": round(x, 1),
                "y": round(y, 1),
                "kind": kind(item.verdict) if item else ("plain", "", ""),
                "href": item.id if item else "",
            }
        )
    # as one works, with what isn't asked for first
    order = {item.id: n for n, item in enumerate(sheet.report.items)}
    nodes.sort(key=lambda n: order.get(str(n["href"]), -1))
    edges = []
    for (tail, head), path in drawn.edges.items():
        x, y = drawn.nodes[tail]
        carries = f"d{head}" in exercise.shapes  # of labels, say, there is no gradient
        edges.append(
            {
                "path": path,
                "to": head,
                "label": f"d{tail}" if exercise.gradients and carries else "",
                "faint": bool(exercise.gradients) and not carries,
                "x": round(x, 1),
                "y": round(y + HEIGHT / 2 + 14, 1),
            }
        )
    size = {"width": round(drawn.width), "height": round(drawn.height)}
    return {**size, "nodes": nodes, "edges": edges}


def _article(sheet: Sheet, item: ItemReport) -> dict[str, Any]:
    name = item.id.rpartition(".")[2]

    def said(words: str | None) -> str:
        return capital(words or "", sheet.report.names, item)

    tensor = {i.name: i.tensor for i in sheet.exercise.items}.get(name, name[1:])
    lines = {line.name: line for line in sheet.exercise.lines}
    aid = sheet.aids.get(item.id)
    forward = [("made by", lines[tensor].code)] if tensor in lines else []
    forward += [("used by", line.code) for line in lines.values() if tensor in line.uses]
    evidence = sheet.evidence.get(item.id)
    cases = sheet.cases.get(item.id, ())  # which say the values
    article: dict[str, Any] = {
        "id": item.id,
        "name": name,
        "kind": kind(item.verdict),
        "passed": item.passed,
        "shape": _shape(sheet.exercise, item.shape),
        "points": of(item) if item.marks else "",
        "diagnosis": said(item.diagnosis),
        "reason": said("; ".join(parts(replace(item, mistake=None))) if cases else item.check.reason),
        "note": said(item.check.note),
        "found": said(row(item)[-1].removeprefix(kind(item.verdict)[2]).removeprefix(": ")),
        "maxdiff": number(item.check.maxdiff),
        "numbers": _numbers(item),
        "place": "" if item.passed else item.place,
        "code": excerpt(sheet.sources[item.cell], item.line, name, _spot(item)) if item.line else [],
        "forward": forward,
        "aid": aid,
        "attempts": [(when, kind(Verdict(v)), text(what)) for when, v, what in aid.attempts if v in VERDICTS]
        if aid
        else [],
        "cases": cases,
        "checks": [
            (*kind(c.verdict)[:2], f"{on}: {kind(c.verdict)[2]}") for on, c in (item.checks or {}).items()
        ],
        "drawn": [shown(one) for one in sheet.drawn.get(item.id, ())],
        # whether the reason tells the worst
        "told": evidence is not None and not evidence.hidden and item.check.says(Code.VALUE_DIFFERS),
    }
    if evidence:
        first = "minibatch" if sheet.exercise.gradients else "data"
        on = f"the lecture’s {first}" if evidence.on == "lecture" else evidence.on
        article |= {
            "pictured": f"On {on}",
            "probed": evidence.on.startswith("probe"),
            **pictures(evidence, item.passed),
            "lecture": lecture(evidence, item.passed),
        }
    if name == "training" and sheet.losses:
        article |= curves(sheet.losses)
    return article


def _shape(exercise: Exercise, shape: tuple[int, ...]) -> str:
    """A tensor's shape in words; of an output that may be no tensor at all nothing."""
    return times(shape) if shape or exercise.gradients else ""


def _spot(item: ItemReport) -> int:
    """The line that is at fault; 0 where only the function is known."""
    seen = item.excerpt
    return seen.lines[-1][0] if seen and seen.end > seen.start else 0


def excerpt(source: bytes, line: int, name: str, marked: int = 0) -> list[tuple[int, str, bool]]:
    """Lines around one of them: number, harmless text, whether it is `marked`.

    From where the item's function begins to its end, or as much of it as CODE lines show.
    """
    lines = source.decode("utf-8", "backslashreplace").replace("\r\n", "\n").split("\n")
    if not 1 <= line <= len(lines):
        return []
    begin = line
    while begin > 1 and line - begin < CODE // 2 and not lines[begin - 1].startswith(f"def {name}"):
        begin -= 1
    if not lines[begin - 1].startswith(f"def {name}"):
        begin = max(1, line - 3)
    end = line
    while end < len(lines) and end - begin < CODE - 1 and (not lines[end] or lines[end][0] in " \t)#"):
        end += 1
    while end > line and not lines[end - 1].strip():
        end -= 1
    return [(n, text(lines[n - 1].replace("\t", "    "), 200), n == marked) for n in range(begin, end + 1)]


def _numbers(item: ItemReport) -> list[tuple[str, str]]:
    c = item.check
    if c.maxdiff is None:
        return []
    pairs = [("Max. difference", c.maxdiff), ("Tolerance", c.tolerance), ("Relative", c.relative)]
    return [(name, number(value)) for name, value in pairs if value is not None]
