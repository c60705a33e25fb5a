"""A model as torch.export's graph, and where the author's lines are in it."""

from __future__ import annotations

import functools
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.fx.proxy import TracerBase

from grader.authoring.item import AuthoredError
from grader.authoring.network import plain, recurrent

OURS = (plain.__file__, recurrent.__file__)  # layers in plain steps


def export(model: Any, given: Mapping[str, Any], atomic: bool) -> Any:
    """The graph of a model at one fixture's sizes; AuthoredError says what it cannot follow."""
    module = model if isinstance(model, torch.nn.Module) else _Called(model)
    try:
        with (
            plain.in_plain_steps(atomic),
            mock.patch.object(TracerBase, "_filter_traceback_frames", _frames),
            mock.patch.multiple(torch.no_grad, __enter__=_enter, __exit__=_exit),
        ):
            found = torch.export.export(module, (), dict(given), strict=False)
    except Exception as error:
        raise AuthoredError(_why(error)) from None
    for node in found.graph.nodes:
        if any(isinstance(n, torch.SymInt) for n in getattr(node.meta.get("val"), "shape", ())):
            said = "how many numbers it picks depends on a tensor's values: keep all, times the mask, and sum"
            raise AuthoredError(f"{shown(stack(node)[-1][:2])}: {said}")
    return found


def _frames(self: Any, stack: Any) -> traceback.StackSummary:
    """Of where a step was made the author's lines; torch keeps those in functions called forward alone."""
    return traceback.StackSummary.from_list([f for f in stack if mine(f.filename) or f.filename in OURS])


ENTER, EXIT = torch.no_grad.__enter__, torch.no_grad.__exit__


def _enter(self: Any) -> None:
    """The author's no_grad, a context or over a function: what is made under it is detached, step by step."""
    frame = sys._getframe(1)
    caller = frame.f_back if frame.f_code.co_name == "decorate_context" else frame
    self.mode = Detached() if caller and mine(caller.f_code.co_filename) else None
    self.mode.__enter__() if self.mode else ENTER(self)


def _exit(self: Any, *raised: Any) -> None:
    (self.mode.__exit__ if self.mode else functools.partial(EXIT, self))(*raised)


class Detached(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        return torch.utils._pytree.tree_map_only(torch.Tensor, torch.Tensor.detach, out)


class _Called(torch.nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, **given: Any) -> Any:
        return self.function(**given)


def _why(error: BaseException) -> str:
    text = str(error)
    inner: BaseException | None = error
    found: tuple[str, int] | None = None
    while inner is not None:
        tb = inner.__traceback__
        while tb is not None:
            if mine(tb.tb_frame.f_code.co_filename):
                found = (tb.tb_frame.f_code.co_filename, tb.tb_lineno)
            tb = tb.tb_next
        inner = inner.__cause__ or inner.__context__
    if "ata-dependent" in text or "unbacked" in text.lower():
        said = (
            "which way it goes depends on a tensor's values: keep the branch that the exercise is about, "
            "or write torch.where(condition, a, b)"
        )
    elif isinstance(error, NotImplementedError):
        said = text.split("\n")[0]
    else:
        said = f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"
    return f"{shown(found)}: {said}" if found else said


def shown(where: tuple[str, int]) -> str:
    """A place as one says it: the file from here."""
    path = Path(where[0])
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{path}, line {where[1]}"


def mine(filename: str) -> bool:
    """Whether a file is the author's: not torch's, not ours but for the layers in plain steps."""
    return (
        not filename.startswith(("<", sys.prefix, torch.__path__[0]))
        and "/torch/" not in filename
        and "grader/authoring" not in filename.replace("\\", "/")
    )


def stack(node: Any) -> tuple[tuple[str, int, str], ...]:
    """The author's lines that a step comes from, or of a layer in plain steps; and their functions."""
    text = node.meta.get("stack_trace") or ""
    frames = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', text)
    return tuple((f, int(n), fn) for f, n, fn in frames if mine(f) or f in OURS)


def module(node: Any) -> str:
    """The path of the layer that a step stands in."""
    layers = list((node.meta.get("nn_module_stack") or {}).values())
    path = layers[-1][0] if layers else ""
    return re.sub(r"^L\['self'\]\.?|^function\.?", "", str(path))


def same(graphs: Sequence[Any]) -> bool:
    """Whether graphs hold the same steps, one for one, which broadcast the same axes."""
    told = [
        [(n.op, str(n.target), _equal_axes(n)) for n in g.graph.nodes if n.op != "placeholder"]
        for g in graphs
    ]
    return all(one == told[0] for one in told)


def _equal_axes(node: Any) -> list[list[bool]]:
    """Of a sum or a product, which axes of each operand are as long as the result's, from the last one on.

    Where half of an odd size meets the other half, a model may run by broadcasting what it means to be equal.
    """
    if not str(node.target).startswith(("aten.add.", "aten.sub.", "aten.mul.", "aten.div.")):
        return []
    shapes = [tuple(getattr(n.meta.get("val"), "shape", ())) for n in (node, *node.all_input_nodes)]
    return [[a == b for a, b in zip(one[::-1], shapes[0][::-1], strict=False)] for one in shapes[1:]]
