"""The report as one page: the compute graph, and for each item what came, what was wanted, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from grader.harmless import text
from grader.reports import curve
from grader.reports.graph import layout
from grader.reports.heat import NEGATIVE, POSITIVE, Array, Heat, flatten, grey, heat
from grader.reports.html import kind, page
from grader.reports.table import advice, number, row, rule
from grader.verdict import ExerciseReport, ItemReport, Report

SIDE, TALL, WIDE = 176, 240, 560  # pixels: of a picture beside others, at most; of one with many columns
FAINT = 0.05  # a difference below this share of the scale gets one more picture, magnified
CODE = 24  # lines of a submission, at most


@dataclass(frozen=True)
class Evidence:
    """An item's numbers on the fixture that settled its verdict: the submission's and autograd's.

    yours: None where none came. labels: row by row, the column of the right answer (`dlogits`).
    """

    on: str
    yours: Array | None
    autograd: Array
    labels: Array | None = None


@dataclass(frozen=True)
class Sheet:
    """One exercise of a report, with what its pictures are made from."""

    report: ExerciseReport
    exercise: Mapping[str, Any]
    source: bytes
    evidence: Mapping[str, Evidence]  # by item id
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)  # of a training run, by its name


@dataclass(frozen=True)
class Figure:
    """A picture of a tensor. said: the same in words.

    mark: x, y, width and height of the worst element's frame. frames: the path of other cells' frames.
    """

    title: str
    heat: Heat
    width: int
    height: int
    said: str
    mark: tuple[float, float, float, float] | None = None
    frames: str = ""
    note: str = ""
    wide: bool = False


def render(report: Report, sheets: Sequence[Sheet]) -> str:
    counts: dict[tuple[str, str, str], int] = {}
    for item in report.items:
        counts[kind(item.verdict)] = counts.get(kind(item.verdict), 0) + 1
    return page(
        "report.html",
        "Gradients by hand",
        text(report.submission),
        report=report,
        advice=advice(report),
        legend=[(*what, n) for what, n in counts.items()],
        sheets=[_sheet(sheet) for sheet in sheets],
        rule=rule(report) and f"Approximate: {rule(report).removeprefix('approx: ')}.",
        negative="#" + bytes(NEGATIVE).hex(),
        positive="#" + bytes(POSITIVE).hex(),
    )


def _sheet(sheet: Sheet) -> dict[str, Any]:
    items = sheet.report.items
    first = next((i for i in items if not i.passed), items[0])
    articles = [_article(sheet, item) for item in items]
    for one, other in zip(articles, articles[1:], strict=False):
        one["after"], other["before"] = other["id"], one["id"]
    return {
        "id": sheet.report.id,
        "title": sheet.report.title,
        "score": sheet.report.score,
        "first": first.id,
        "graph": _graph(sheet),
        "articles": articles,
    }


def parents(exercise: Mapping[str, Any]) -> dict[str, list[str]]:
    """An exercise's compute graph: for each tensor, in dataflow order, those it is made from."""
    tensors = [t for t in exercise["tensors"] if t in exercise["shapes"]]  # sizes such as n are none
    uses = {line["name"]: line["uses"] for line in exercise["lines"]}
    return {t: [u for u in uses.get(t, ()) if u in tensors] for t in tensors}


def _graph(sheet: Sheet) -> dict[str, Any]:
    drawn = layout(parents(sheet.exercise))
    items = {item.id.rpartition(".")[2].removeprefix("d"): item for item in sheet.report.items}
    nodes = []
    for name, (x, y) in drawn.nodes.items():
        item = items.get(name)
        css, symbol, words = kind(item.verdict) if item else ("plain", "", "")
        nodes.append(
            {
                "name": name,
                "shape": _shape(sheet.exercise["shapes"][name]),
                "x": round(x, 1),
                "y": round(y, 1),
                "kind": css,
                "symbol": symbol,
                "words": words,
                "href": item.id if item else "",
            }
        )
    width, height = round(drawn.width), round(drawn.height)
    # in backward order, as one works, with what isn't asked for first
    order = {item.id: n for n, item in enumerate(sheet.report.items)}
    nodes.sort(key=lambda n: order.get(str(n["href"]), -1))
    return {"width": width, "height": height, "nodes": nodes, "edges": list(drawn.edges.values())}


def _article(sheet: Sheet, item: ItemReport) -> dict[str, Any]:
    css, symbol, words = kind(item.verdict)
    name = item.id.rpartition(".")[2]

    def sentence(words: str) -> str:
        return _sentence(words, sheet.exercise["tensors"])

    tensor = name[1:]
    lines = {line["name"]: line for line in sheet.exercise["lines"]}
    forward = [("made by", lines[tensor]["code"])] if tensor in lines else []
    forward += [("used by", line["code"]) for line in lines.values() if tensor in line["uses"]]
    evidence = sheet.evidence.get(item.id)
    found = row(item)[-1].removeprefix(words).removeprefix(": ")
    article: dict[str, Any] = {
        "id": item.id,
        "name": name,
        "kind": css,
        "symbol": symbol,
        "words": words,
        "passed": item.passed,
        "shape": _shape(item.shape),
        "diagnosis": sentence(item.diagnosis or ""),
        "reason": sentence(item.check.reason),
        "note": sentence(item.check.note),
        "found": sentence(found),
        "maxdiff": number(item.check.maxdiff),
        "numbers": _numbers(item),
        "line": None if item.passed else item.line,
        "code": excerpt(sheet.source, item.line, name, not item.passed) if item.line else [],
        "forward": forward,
        "checks": [
            (*kind(c.verdict)[:2], f"{on}: {kind(c.verdict)[2]}") for on, c in (item.checks or {}).items()
        ],
        "before": "",
        "after": "",
        "figures": [],
        "limit": "",
        "worst": "",
        "grey": False,
        "lecture": [],
        "pictured": _on(evidence.on) if evidence else "",
        "curve": "",
        "curve_said": "",
    }
    if evidence:
        article |= pictures(evidence, item.passed)
        article["lecture"] = lecture(evidence, item.passed)
    if name == "training" and sheet.losses:
        article |= curves(sheet.losses)
    return article


def pictures(e: Evidence, passed: bool = False) -> dict[str, Any]:
    """Heatmaps of both and of their difference, on one scale with zero at its centre.

    Where the item did not pass, the worst element is marked, and a faint difference magnified.
    """
    wanted = np.asarray(e.autograd, np.float64)
    yours = None if e.yours is None or e.yours.size == 0 else np.asarray(e.yours, np.float64)
    fits = yours is not None and yours.size == wanted.size and _same_but_for_a_leading_one(yours, wanted)
    scale = _largest(wanted, yours) if yours is not None else _largest(wanted)
    figures = []
    mark, worst, grey_cells = None, "", False
    if yours is not None:
        grey_cells = not bool(np.isfinite(yours).all())
        if fits:
            yours = yours.reshape(wanted.shape)
            with np.errstate(invalid="ignore", over="ignore"):
                difference = yours - wanted
            off = np.where(np.isfinite(difference), np.abs(difference), np.inf).ravel()
            if not passed and off.max(initial=0.0) > 0:
                mark = int(off.argmax())
                at = [int(i) for i in np.unravel_index(mark, wanted.shape)]
                where = f"at {at} " if at else ""
                worst = f"{where}{yours.flat[mark]:.4g}, where autograd has {wanted.flat[mark]:.4g}"
        figures.append(_figure("Yours", yours, scale, mark))
    figures.append(_figure("Autograd’s", wanted, scale, mark))
    if yours is not None and fits:
        figures.append(_figure("Difference", difference, scale, mark))
        most = _largest(difference)
        if not passed and 0 < most < FAINT * scale:
            times = 10 ** math.floor(math.log10(scale / most))
            title = f"Difference × {times:,}".replace(",", " ")
            figures.append(_figure(title, difference, scale / times, mark))
    elif yours is not None:
        figures[0] = _figure(f"Yours, {_shape(yours.shape)}", yours, scale, None)
        figures[1] = _figure(f"Autograd’s, {_shape(wanted.shape)}", wanted, scale, None)
    return {"figures": figures, "limit": f"{scale:.3g}", "worst": worst, "grey": grey_cells}


def lecture(e: Evidence, passed: bool) -> list[Figure]:
    """The grey picture of dlogits, in which the label's cell stands out in each row."""
    if e.labels is None:
        return []
    right = e.yours is not None and e.yours.shape == e.autograd.shape and bool(np.isfinite(e.yours).all())
    shown = [("Yours", e.yours)] if right and e.yours is not None else []
    if not passed:
        shown.append(("Autograd’s", e.autograd))
    figures = []
    for title, values in shown:
        figure = _sized(title, grey(values), _range(values))
        dx, dy = figure.width / figure.heat.columns, figure.height / figure.heat.rows
        frames = "".join(
            f"M{column * dx:.1f} {y * dy:.1f}h{dx:.1f}v{dy:.1f}h-{dx:.1f}z"
            for y, column in enumerate(e.labels.tolist())
        )
        figures.append(replace(figure, frames=frames))
    return figures


def curves(losses: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The loss curves of a training run, as far as they are finite."""
    drawn, said = {}, []
    for name, values in losses.items():
        finite = next((i for i, v in enumerate(values) if not math.isfinite(v)), len(values))
        if finite:
            drawn[name] = curve.Curve(finite)
            for value in values[:finite]:
                drawn[name].add(value)
            said.append(f"{name} from {values[0]:.4f} to {values[finite - 1]:.4f}")
        if finite < len(values):
            said.append(f"{name} not finite from step {finite + 1} on")
    steps = max(len(values) for values in losses.values())
    # curve.render escapes what it is given
    svg = Markup(curve.render(drawn, f"loss over {steps} steps")) if drawn else ""
    return {"curve": svg, "curve_said": _sentence("; ".join(said))}


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


def _on(fixture: str) -> str:
    return "On the lecture’s minibatch" if fixture == "lecture" else f"On {fixture}"


def _figure(title: str, values: Array, scale: float, mark: int | None) -> Figure:
    return _sized(title, heat(values, scale, mark), _range(values))


def _sized(title: str, picture: Heat, said: str) -> Figure:
    """A picture with a size in pixels: cells as large as fit, strips not too thin to see."""
    rows, columns = picture.rows, picture.columns
    wide = columns > 100
    cell = min((WIDE if wide else SIDE) / columns, TALL / rows, 24)
    width, height = round(max(cell * columns, 24)), round(max(cell * rows, 18))
    mark = None
    if picture.mark:
        dx, dy = width / columns, height / rows
        w, h = max(dx + 2, 9), max(dy + 2, 9)
        x, y = (picture.mark[1] + 0.5) * dx - w / 2, (picture.mark[0] + 0.5) * dy - h / 2
        mark = round(x, 1), round(y, 1), round(w, 1), round(h, 1)
    down, across = picture.block
    note = f"A cell shows the largest of {down} × {across} elements." if (down, across) != (1, 1) else ""
    return Figure(title, picture, width, height, said, mark, note=note, wide=wide)


def _range(values: Array) -> str:
    finite = np.asarray(values)[np.isfinite(values)]
    if finite.size == 0:
        return "no finite value"
    rows, columns = flatten(values).shape
    return f"{rows} × {columns} cells, values from {finite.min():.3g} to {finite.max():.3g}"


def _largest(*arrays: Array) -> float:
    return max(float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in arrays)


def _same_but_for_a_leading_one(a: Array, b: Array) -> bool:
    return a.shape == b.shape or a.shape == (1, *b.shape) or b.shape == (1, *a.shape)


def _numbers(item: ItemReport) -> list[tuple[str, str]]:
    c = item.check
    if c.maxdiff is None:
        return []
    pairs = [("Max. difference", c.maxdiff), ("Tolerance", c.tolerance), ("Relative", c.relative)]
    return [(name, number(value)) for name, value in pairs if value is not None]


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(d) for d in shape) or "scalar"


def _sentence(words: str, tensors: Sequence[str] = ()) -> str:
    """With a capital, where it begins with a word and not with a tensor or code."""
    first = words.split(" ", 1)[0]
    return words[:1].upper() + words[1:] if first.isalpha() and first not in tensors else words
