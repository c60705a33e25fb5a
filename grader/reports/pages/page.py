"""The report as one page: the compute graph, and for each item what came, what was wanted, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.core.exercise import Exercise
from grader.core.finding import Code
from grader.core.text import text, times
from grader.core.verdict import ExerciseReport, ItemReport, Report
from grader.reports.pages.figures import Evidence, curves, lecture, pictures, sentence
from grader.reports.pages.graph import layout
from grader.reports.pages.heat import NEGATIVE, POSITIVE
from grader.reports.pages.html import kind, legend, page, scores
from grader.reports.table import advice, number, of, row, rule, summary

CODE = 24  # lines of a submission, at most


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


def render(report: Report, sheets: Sequence[Sheet]) -> str:
    return page(
        "report.html",
        "Gradients by hand",
        text(report.submission),
        report=report,
        advice=advice(report),
        scores=scores(report),
        legend=legend(item.verdict for item in report.items),
        sheets=[_sheet(sheet) for sheet in sheets],
        rule=rule(report) and f"Approximate: {rule(report).removeprefix('approx: ')}.",
        negative="#" + bytes(NEGATIVE).hex(),
        positive="#" + bytes(POSITIVE).hex(),
    )


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
        "articles": [_article(sheet, item) for item in items],
    }


def parents(exercise: Exercise) -> dict[str, list[str]]:
    """An exercise's compute graph: for each tensor, in dataflow order, those it is made from.

    An output item stands in it as itself, below the items that it receives or uses.
    """
    inputs = exercise.tensors or exercise.shapes
    outputs = {item.name for item in exercise.outputs}
    tensors = [t for t in inputs if t in exercise.shapes and t not in outputs]  # sizes such as n are none
    uses = {line.name: line.uses for line in exercise.lines}
    found = {t: [u for u in uses.get(t, ()) if u in tensors] for t in tensors}
    for item in exercise.outputs:
        above = (*item.receives, *item.uses, *item.params)
        found[item.name] = [t for t in dict.fromkeys(above) if t in found]
    return found


def _graph(sheet: Sheet) -> dict[str, Any]:
    drawn = layout(parents(sheet.exercise))
    tensors = {item.name: item.tensor for item in sheet.exercise.items}
    named = {item.id.rpartition(".")[2]: item for item in sheet.report.items}
    items = {tensors[name]: item for name, item in named.items() if name in tensors}
    nodes = []
    for name, (x, y) in drawn.nodes.items():
        item = items.get(name)
        nodes.append(
            {
                "name": name,
                "shape": times(sheet.exercise.shapes[name]),
                "x": round(x, 1),
                "y": round(y, 1),
                "kind": kind(item.verdict) if item else ("plain", "", ""),
                "href": item.id if item else "",
            }
        )
    width, height = round(drawn.width), round(drawn.height)
    # in backward order, as one works, with what isn't asked for first
    order = {item.id: n for n, item in enumerate(sheet.report.items)}
    nodes.sort(key=lambda n: order.get(str(n["href"]), -1))
    return {"width": width, "height": height, "nodes": nodes, "edges": list(drawn.edges.values())}


def _article(sheet: Sheet, item: ItemReport) -> dict[str, Any]:
    name = item.id.rpartition(".")[2]

    def said(words: str | None) -> str:
        return sentence(words or "", sheet.exercise.tensors)

    tensor = {i.name: i.tensor for i in sheet.exercise.items}.get(name, name[1:])
    lines = {line.name: line for line in sheet.exercise.lines}
    forward = [("made by", lines[tensor].code)] if tensor in lines else []
    forward += [("used by", line.code) for line in lines.values() if tensor in line.uses]
    evidence = sheet.evidence.get(item.id)
    article: dict[str, Any] = {
        "id": item.id,
        "name": name,
        "kind": kind(item.verdict),
        "passed": item.passed,
        "shape": times(item.shape),
        "points": of(item) if item.marks else "",
        "diagnosis": said(item.diagnosis),
        "reason": said(item.check.reason),
        "note": said(item.check.note),
        "found": said(row(item)[-1].removeprefix(kind(item.verdict)[2]).removeprefix(": ")),
        "maxdiff": number(item.check.maxdiff),
        "numbers": _numbers(item),
        "place": "" if item.passed else item.place,
        "code": excerpt(sheet.sources[item.cell], item.line, name, not item.passed) if item.line else [],
        "forward": forward,
        "checks": [
            (*kind(c.verdict)[:2], f"{on}: {kind(c.verdict)[2]}") for on, c in (item.checks or {}).items()
        ],
        # whether the reason tells the worst
        "told": evidence is not None and not evidence.hidden and item.check.says(Code.VALUE_DIFFERS),
    }
    if evidence:
        on = "the lecture’s minibatch" if evidence.on == "lecture" else evidence.on
        article |= {
            "pictured": f"On {on}",
            **pictures(evidence, item.passed),
            "lecture": lecture(evidence, item.passed),
        }
    if name == "training" and sheet.losses:
        article |= curves(sheet.losses)
    return article


def excerpt(source: bytes, line: int, name: str, mark: bool = True) -> list[tuple[int, str, bool]]:
    """Lines around one of them: number, harmless text, whether it is the one to mark.

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
    return [
        (n, text(lines[n - 1].replace("\t", "    "), 200), mark and n == line) for n in range(begin, end + 1)
    ]


def _numbers(item: ItemReport) -> list[tuple[str, str]]:
    c = item.check
    if c.maxdiff is None:
        return []
    pairs = [("Max. difference", c.maxdiff), ("Tolerance", c.tolerance), ("Relative", c.relative)]
    return [(name, number(value)) for name, value in pairs if value is not None]
