"""Where a tensor stands in the forward program, and why its gradient is made as it is. Pure; no NumPy.

From an exercise's description and what its hints say of each line; nothing here knows a solution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.core.exercise import Exercise, Gradient, Line, Output
from grader.core.text import flowed, times


def explain(exercise: Exercise, lines: Mapping[str, Any], tensor: str) -> str:
    """A tensor's forward line, a graph of what reads it, the gradients that arrive, and why they add.

    exercise: its description. lines: by tensor and consumer, what comes back through that line.
    """
    item = next((i for i in exercise.gradients if i.tensor == tensor), None)
    loss = exercise.loss
    cut = set(item.cut) if item else {c.name for c in _consumers(exercise, tensor)}
    parts = [_head(exercise, tensor, item), _graph(exercise, tensor, cut)]
    if tensor == loss:
        parts.append("It is the loss itself: its gradient is 1, and everything else starts from it.")
        return "\n\n".join(parts)
    consumers = _consumers(exercise, tensor)
    parts.append(_arrives(exercise, tensor, cut, loss))
    told = lines.get(tensor, {})
    for line in reversed(consumers):
        said = told.get(line.name, ())
        parts += [f"Through {line.code}\n{sentence}" for sentence in said if sentence]
    ways = sum(len(told.get(line.name, ("",))) for line in consumers)
    if ways > 1:
        parts.append(_why_they_add(tensor, consumers, ways))
    return "\n\n".join(parts)


def explain_output(exercise: Exercise, item: Output, calls: Sequence[str]) -> str:
    """What an output item is given, what it calls, and which items are made from it: no graph, since it is
    a function and no tensor of a forward pass. calls: what of the learner's it may call."""
    name = item.name
    after = [o.name for o in exercise.outputs if name in (*o.receives, *o.uses)]
    parts = [f"{exercise.id}.{name}({', '.join(item.params)}), a function to be written"]
    if item.driver:
        parts[0] = f"{exercise.id}.{name}, what your {' and '.join(item.asks)} must do"
    if item.receives:
        parts.append(f"It is given what {' and '.join(item.receives)} should give, not what yours gives.")
    if calls:
        parts.append(f"It may call your {' and '.join(calls)}: fix these first.")
    if after:
        parts.append(f"It is used by {', '.join(after)}.")
    return "\n\n".join([*parts, flowed(item.doc)])


def _consumers(exercise: Exercise, tensor: str) -> list[Line]:
    return [line for line in exercise.lines if tensor in line.uses]


def _head(exercise: Exercise, tensor: str, item: Gradient | None) -> str:
    own = next((line.code for line in exercise.lines if line.name == tensor), None)
    made = f"made by:  {own}" if own else "made by:  nothing, it is an input of the network"
    what = f"{exercise.id}.d{tensor}" if item else f"{tensor}, an in-between tensor of {exercise.id}"
    return f"{what}  {times(exercise.shapes[tensor])}\n{made}"


def _graph(exercise: Exercise, tensor: str, cut: set[str]) -> str:
    """The tensors from this one on to those whose gradients arrive, as a tree of text."""
    seen: set[str] = set()
    own = next((line for line in exercise.lines if line.name == tensor), None)
    before = ", ".join(u for u in own.uses if u in exercise.shapes) if own else ""
    rows = [f"{before} → {tensor}" if before else tensor]

    def grow(name: str, indent: str) -> None:
        following = _consumers(exercise, name)
        for k, line in enumerate(following):
            last = k == len(following) - 1
            new = line.name
            note = "  the loss, whose gradient is 1" if line is exercise.lines[-1] else ""
            if new in cut:
                note = f"  ← d{new} {times(exercise.shapes[new])} arrives"
            elif new in seen:
                note = "  (see above)"
            rows.append(f"{indent}{'└─' if last else '├─'} {line.code}{note}")
            if new not in cut and new not in seen:
                seen.add(new)
                grow(new, indent + ("   " if last else "│  "))

    grow(tensor, "")
    return "\n".join("    " + row for row in rows)


def _arrives(exercise: Exercise, tensor: str, cut: set[str], loss: str) -> str:
    ordered = [x.name for x in reversed(exercise.lines) if x.name in cut - {loss}]
    named = [f"d{t} {times(exercise.shapes[t])}" for t in ordered]
    if not named:
        return "Nothing arrives but the loss's own gradient, which is 1."
    between = cut - {line.name for line in _consumers(exercise, tensor)}
    far = " The lines in between are yours to go through." if between else ""
    if len(named) == 1:
        return f"One upstream gradient arrives: {named[0]}.{far}"
    return f"{len(named)} upstream gradients arrive: {', '.join(named)}.{far}"


def _why_they_add(tensor: str, consumers: Sequence[Line], ways: int) -> str:
    where = " and ".join(line.name for line in reversed(consumers))
    place = f"{'in the lines' if len(consumers) > 1 else 'more than once in the line'} of {where}"
    return (
        f"Why they add: {tensor} is read {place}. Nudge one of its numbers, and the loss changes by what "
        f"comes through each of these {ways} ways together; to first order these changes simply add up. So "
        "the gradients that come back are summed; with one of them left out, the rest is only a part of the "
        "answer."
    )
