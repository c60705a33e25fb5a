"""An item's pictures: heatmaps of both sides and their difference, dlogits as in the lecture, loss curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from grader.core.text import times
from grader.reports.pages import curve
from grader.reports.pages.heat import Array, Heat, flatten, grey, heat

SIDE, TALL, WIDE = 176, 240, 560  # pixels: of a picture beside others, at most; of one with many columns
FAINT = 0.05  # a difference below this share of the scale gets one more picture, magnified


@dataclass(frozen=True)
class Evidence:
    """An item's numbers on the fixture that settled its verdict: the submission's and autograd's.

    yours: None where none came. labels: row by row, the column of the right answer (`dlogits`).
    hidden: of an output the author's numbers are its solution, and are in no picture.
    """

    on: str
    yours: Array | None
    autograd: Array
    labels: Array | None = None
    hidden: bool = False


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


def pictures(e: Evidence, passed: bool = False) -> dict[str, Any]:
    """Heatmaps of both and of their difference, on one scale with zero at its centre.

    Where the item did not pass, the worst element is marked, and a faint difference magnified. Of an output
    only the submission's own numbers.
    """
    wanted = np.asarray(e.autograd, np.float64)
    yours = None if e.yours is None or e.yours.size == 0 else np.asarray(e.yours, np.float64)
    alike = (wanted.shape, (1, *wanted.shape), wanted.shape[1:] if wanted.shape[:1] == (1,) else None)
    fits = yours is not None and yours.size == wanted.size and yours.shape in alike
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
                worst = f"{where}{yours.flat[mark]:.4g}"
                worst += "" if e.hidden else f", where autograd has {wanted.flat[mark]:.4g}"
        figures.append(_figure("Yours", yours, scale, mark))
    figures.append(_figure("Autograd’s", wanted, scale, mark))
    if yours is not None and fits:
        figures.append(_figure("Difference", difference, scale, mark))
        most = _largest(difference)
        if not passed and 0 < most < FAINT * scale:
            factor = 10 ** math.floor(math.log10(scale / most))
            title = f"Difference × {factor:,}".replace(",", " ")
            figures.append(_figure(title, difference, scale / factor, mark))
    elif yours is not None:
        figures[0] = _figure(f"Yours, {times(yours.shape)}", yours, scale, None)
        figures[1] = _figure(f"Autograd’s, {times(wanted.shape)}", wanted, scale, None)
    if e.hidden:
        scale = _largest(yours) if yours is not None else 0.0
        figures = [_figure("Yours", yours, scale, mark)] if yours is not None else []
    return {"figures": figures, "limit": f"{scale:.3g}", "worst": worst, "grey": grey_cells}


def lecture(e: Evidence, passed: bool) -> list[Figure]:
    """The grey picture of dlogits, in which the label's cell stands out in each row."""
    if e.labels is None or e.autograd.ndim != 2 or e.labels.shape != e.autograd.shape[:1]:
        return []
    right = e.yours is not None and e.yours.shape == e.autograd.shape and bool(np.isfinite(e.yours).all())
    shown = [("Yours", e.yours)] if right and e.yours is not None else []
    if not passed:
        shown.append(("Autograd’s", e.autograd))
    figures = []
    for title, values in shown:
        figure = sized(title, grey(values), _range(values))
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
    return {"curve": svg, "curve_said": sentence("; ".join(said))}


def _figure(title: str, values: Array, scale: float, mark: int | None) -> Figure:
    return sized(title, heat(values, scale, mark), _range(values))


def sized(title: str, picture: Heat, said: str) -> Figure:
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


def sentence(words: str, tensors: Sequence[str] = ()) -> str:
    """With a capital, where it begins with a word and not with a tensor or code."""
    first = words.split(" ", 1)[0]
    return (
        words[:1].upper() + words[1:]
        if first.isalpha() and {first, first.removeprefix("d")}.isdisjoint(tensors)
        else words
    )
