"""An item's pictures: heatmaps of both sides and their difference, dlogits as in the lecture, loss curves."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.core.text import times
from grader.reports.pages.heat import Array, Heat, flatten, grey, heat
from grader.reports.pages.train import shown
from grader.reports.pictures.kinds import drawn
from grader.reports.table import capital

SIDE, TALL, WIDE = 176, 240, 560  # pixels: of a picture beside others, at most; of one with many columns
SLICES = 64  # of a tensor with more than two axes, at most; one with more is laid flat
MOST = 50_000  # elements of a tensor whose numbers are on the page


@dataclass(frozen=True)
class Evidence:
    """An item's numbers on the fixture that settled its verdict: the submission's and autograd's.

    yours: None where none came. labels: row by row, the column of the right answer (`dlogits`).
    hidden: of an output the author's numbers are its solution, and are in no picture. axes: for each of the
    tensor's the name of its size, or "".
    """

    on: str
    yours: Array | None
    autograd: Array
    labels: Array | None = None
    hidden: bool = False
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A picture of a tensor. said: the same in words.

    mark: x, y, width and height of the worst element's frame. frames: the path of other cells' frames.
    part: which slice it is of.
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
    part: int = 0


def pictures(e: Evidence, passed: bool = False) -> dict[str, Any]:
    """Heatmaps of both on one scale with zero at its centre, and of their difference on its own; a tensor of
    more than two axes by slices.

    Where the item did not pass, the worst element is marked. Before an attempt gave numbers there are none,
    nor any of autograd's; of an output only the submission's own.
    """
    if e.yours is None or e.yours.size == 0 or (e.hidden and e.yours.ndim < 2):
        return {"figures": []}
    wanted, yours = np.asarray(e.autograd, np.float64), np.asarray(e.yours, np.float64)
    alike = (wanted.shape, (1, *wanted.shape), wanted.shape[1:] if wanted.shape[:1] == (1,) else None)
    fits = yours.size == wanted.size and yours.shape in alike
    sides = {"Yours": yours} if e.hidden else {"Yours": yours, "Autograd’s": wanted}
    scale = _largest(*sides.values())
    told: dict[str, Any] = {"limit": f"{scale:.3g}", "grey": not bool(np.isfinite(yours).all()), "worst": ""}
    if not fits:
        figures = [_figure(f"{n}, {times(a.shape)}", a, scale, None) for n, a in sides.items()]
        return {**told, "figures": figures, "slices": [""], "first": 0}
    sides["Yours"] = yours = yours.reshape(wanted.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = yours - wanted
    off = np.where(np.isfinite(difference), np.abs(difference), np.inf).ravel()
    mark = int(off.argmax()) if not passed and off.max(initial=0.0) > 0 else None
    if mark is not None:
        at = [int(i) for i in np.unravel_index(mark, wanted.shape)]
        told["worst"] = f"{f'at {at} ' if at else ''}yours {yours.flat[mark]:.4g}"
        told["worst"] += "" if e.hidden else f", where autograd has {wanted.flat[mark]:.4g}"
    scales = dict.fromkeys(sides, scale)
    if not e.hidden and off.max(initial=0.0) > 0:
        sides["Difference"], scales["Difference"] = difference, _largest(difference)
    labels = _slices(wanted.shape)
    figures = []
    for k, label in enumerate(labels):
        for name, values in sides.items():
            part, here = values, mark
            if label:
                part = values.reshape(len(labels), *values.shape[-2:])[k]
                here = mark - k * part.size if mark is not None and mark // part.size == k else None
            one = _figure(name, part, scales[name], here)
            note = f"On a scale of its own: ±{scales[name]:.2g}" if name == "Difference" else ""
            figures.append(replace(one, part=k, note=" ".join(filter(None, (one.note, note)))))
    first = (mark or 0) * len(labels) // max(wanted.size, 1)
    told |= {"figures": figures, "slices": labels, "first": first, "axes": _axes(e, wanted.shape, labels)}
    if wanted.size <= MOST:
        told["values"] = {"yours": _packed(yours), "wanted": "" if e.hidden else _packed(wanted)}
        told["shape_of"] = ",".join(map(str, wanted.shape))
    return told


def _slices(shape: tuple[int, ...]) -> list[str]:
    """What each slice of a tensor is called, its last two axes being a picture's; one without a name for a
    matrix, and where there would be too many."""
    if len(shape) < 3 or not 0 < math.prod(shape[:-2]) <= SLICES:
        return [""]
    return [f"[{', '.join(map(str, at))}, :, :]" for at in np.ndindex(*shape[:-2])]


def _axes(e: Evidence, shape: tuple[int, ...], labels: Sequence[str]) -> str:
    """Which axes a picture's rows and columns are, and what is sliced."""
    known = zip(shape, (*e.axes, *[""] * len(shape)), strict=False)
    names = [f"axis {k}, {n} = {d}" if n else f"axis {k}, {d}" for k, (d, n) in enumerate(known)]
    if not names:
        return "A single number."
    if len(shape) == 1:
        return f"Across: {names[0]}."
    if labels == [""]:
        return f"Down: {names[0]}. Across: {', '.join(names[1:])}."
    return f"Down: {names[-2]}. Across: {names[-1]}. Slices: {', '.join(names[:-2])}."


def _packed(values: Array) -> str:
    """The numbers as the page's script reads them: float32, little-endian, base64."""
    with np.errstate(over="ignore"):
        return base64.b64encode(values.astype("<f4").tobytes()).decode()


def lecture(e: Evidence, passed: bool) -> list[Figure]:
    """The grey picture of dlogits, in which the label's cell stands out in each row."""
    if e.labels is None or e.autograd.ndim != 2 or e.labels.shape != e.autograd.shape[:1]:
        return []
    if e.yours is None or e.yours.size == 0:
        return []
    right = e.yours.shape == e.autograd.shape and bool(np.isfinite(e.yours).all())
    shown = [("Yours", e.yours)] if right else []
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
    drawn_of, said = {}, []
    for name, values in losses.items():
        finite = next((i for i, v in enumerate(values) if not math.isfinite(v)), len(values))
        if finite:
            drawn_of[name] = values[:finite]
            said.append(f"{name} from {values[0]:.4f} to {values[finite - 1]:.4f}")
        if finite < len(values):
            said.append(f"{name} not finite from step {finite + 1} on")
    made = drawn("losses", {"lossi": drawn_of, "width": 1})
    return {"curve": shown(made) if made else "", "curve_said": capital("; ".join(said))}


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
