"""The forward program as a graph: what reads a tensor, and what depends on it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from grader.core.exercise import Line


def downstream(lines: Sequence[Line], tensor: str) -> set[str]:
    """Every tensor of the program that depends on `tensor`."""
    reached = {tensor}
    for line in lines:
        if reached & set(line.uses):
            reached.add(line.name)
    return reached - {tensor}


def consumers(lines: Sequence[Line], tensor: str) -> tuple[str, ...]:
    """The tensors whose own line reads `tensor`."""
    return tuple(line.name for line in lines if tensor in line.uses)


def uncovered(lines: Sequence[Line], tensor: str, cut: frozenset[str]) -> tuple[str, ...] | None:
    """A shortest path from `tensor` to the loss that meets no tensor of `cut`, or None."""
    paths: list[tuple[str, ...]] = [(tensor,)]
    seen = {tensor}
    for path in paths:
        if path[-1] == lines[-1].name:
            return path
        new = [c for c in consumers(lines, path[-1]) if c not in cut and c not in seen]
        seen.update(new)
        paths += [(*path, c) for c in new]
    return None
