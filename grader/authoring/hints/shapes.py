"""The second rung of an item's hints: what the shapes alone tell of its gradient."""

from __future__ import annotations

import math

import torch

from grader.authoring.authored import Authored, Item
from grader.authoring.hints.arithmetic import one_way
from grader.authoring.hints.notation import write
from grader.authoring.hints.operations import Path
from grader.authoring.hints.site import axes_said, times
from grader.core.text import listed
from grader.reference.forward import Env


def shapes(parts: Authored, lecture: Env, item: Item, mine: list[Path], direct: bool) -> str:
    def shape(tensor: str) -> str:
        return times(tuple(lecture[tensor].shape)).replace("scalar", "a single number")

    lines = [f"{item.name} has the shape of {item.tensor}: {shape(item.tensor)}."]
    if not direct:
        cut = parts.cut(item)
        lines += [f"What arrives, d{tensor}, is {shape(tensor)}." for tensor in sorted(cut)]
        others = [p for p in item.params if isinstance(lecture.get(p), torch.Tensor) and p[1:] not in cut]
        lines += [f"{p} is {shape(p)}." for p in others if p != item.tensor]
        if any(1 in lecture[p].shape for p in others):
            lines.append("A sum with keepdim=True keeps its axis with size 1, and broadcasts back over it.")
        return "\n".join(lines)
    alike: dict[str, list[str]] = {}
    for path in mine:
        name = "" if path.term.through_loss else f"d{path.term.consumer}"
        alike.setdefault(_journey(path, lecture), []).append(name)
    for journey, names in alike.items():
        who = listed(dict.fromkeys(filter(None, names)))
        verb = "" if not who else " arrive as " if " and " in who else " arrives as "
        lines.append(who + verb + journey)
    if len(mine) > 1:
        ways = f"Each of the {len(mine)} contributions"
        lines.append(f"{ways} must have the shape {shape(item.tensor)} when they are added.")
    return "\n".join(dict.fromkeys(lines))


SLIDING = ("conv", "avg_pool", "max_pool", "adaptive_avg_pool")


def _journey(path: Path, lecture: Env) -> str:
    """How the upstream gradient's shape becomes the tensor's; it begins with that shape."""
    term = path.term
    own, out = tuple(lecture[term.tensor].shape), tuple(lecture[term.consumer].shape)
    if term.through_loss:
        return (
            f"What arrives is a single number, the loss's own gradient, 1. The line turns {times(own)} into "
            "one number; its gradient turns that one number back into all of them."
        )
    arrives = times(out) if out else "a single number"
    over = term.sums[-1].letter if term.sums else ""
    factors = [write(f).partition("[") for f in term.factors]
    met = (owner for owner, _, letters in factors if over and over in letters.rstrip("]").split(","))
    other = next(met, "")
    gone = [a for a, x in enumerate(term.at) if write(x) in {s.letter for s in term.sums}]
    slid = next((k for k in path.kinds if k.startswith(SLIDING)), "")
    if slid.startswith("conv") and factors:
        other = factors[0][0]
        its = f", and {other} is {times(tuple(lecture[other].shape))}" if other in lecture else ""
        said = f"Each of the {times(own)} numbers gets a sum over all places at which it met one of {other}."
        return f"{arrives}{its}. {said}"
    if slid and not slid.startswith("conv"):
        return f"{arrives}: each number goes back into the window of the {times(own)} that it came from."
    if own == out and gone and "MatMult" not in path.kinds:
        return (
            f"{arrives}, the same shape. But no number of the result comes from one number alone: each needs "
            f"a sum along {axes_said(gone)}."
        )
    here = own == out and list(map(write, term.at)) == list(map(write, term.index))
    if here and term.where and not term.sums:
        return f"{arrives}, the same shape: element by element, and 0 where the line lets nothing pass."
    if term.where and not term.sums:
        part = f"that came from {term.tensor} goes back to its" if "cat" in path.kinds else "goes to one"
        return f"{arrives}. Each number {part} place of the {times(own)}; the other places get 0 from there."
    if term.within(True):
        return f"{arrives}; the numbers are gathered into {times(own)}, each at the row that it came from."
    if other in lecture and len(own) >= 2 and "MatMult" in path.kinds:
        factor = tuple(lecture[other].shape)
        told = f"{arrives}, and {other} is {times(factor)}. The result must be {times(own)}"
        if one_way(own[-2:], factor[-2:], out[-2:]):
            if gone[1:]:
                return f"{told}, so the sum runs over {axes_said(gone)}, which the two share and it lacks."
            return f"{told}, so the axis that the two share and the result lacks is the one to sum along."
        return f"{told}. Sizes are equal here, so the shapes alone do not tell which axes meet."
    if gone:
        ends = {
            tuple(n for a, n in enumerate(out) if a not in gone): "dropped",
            tuple(1 if a in gone else n for a, n in enumerate(out)): "kept with size 1 (keepdim)",
        }
        axes, has, is_ = axes_said(gone), *(("have", "are") if len(gone) > 1 else ("has", "is"))
        if end := ends.get(own):
            return f"{arrives}, so {axes} {has} to go: a sum over {axes}, which {is_} {end}."
        if term.where:
            said = f"it is summed along {axes}, and what comes out is a part of the {times(own)}"
            return f"{arrives}: {said}; the rest gets 0."
        also = f" and meets {other}, {times(tuple(lecture[other].shape))}" if other in lecture else ""
        return f"{arrives}{also}. The result must be {times(own)}: what it lacks is summed along."
    if own == out:
        return f"{arrives}, the same shape: element by element, no axis comes or goes."
    if math.prod(own) == math.prod(out):
        return f"{arrives}: as many numbers, arranged in another way."
    if math.prod(own) > math.prod(out):
        return f"{arrives} and must become {times(own)} by broadcasting: each number is used many times."
    return f"{arrives} and must become {times(own)}."
