"""For a notebook or a REPL: `from grader import cmp, check`.

Both work in the learner's own process, on the tensors that are there. Nothing is confined, nothing is
asked at other sizes or with other upstream gradients, and nothing of it is a grade: that is what
`grader check` on a file is for. No tensor, gradient, random state or setting of torch is changed.
"""

from __future__ import annotations

import sys
import warnings
from collections import ChainMap
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from grader.core.errors import GraderFault, UsageError
from grader.core.exercise import Exercise, Gradient
from grader.core.text import text
from grader.core.verdict import ExerciseReport, Report
from grader.learner import jupyter

if TYPE_CHECKING:
    import torch

    from grader.learner.namespace import Network
    from grader.suite.find import Suite


def cmp(s: str, dt: Any, t: Any) -> None:
    """Print how the gradient `dt` compares with autograd's, `t.grad`: the lecture's line, and below it more.

    s: the name to print.
    dt: your gradient, of t's shape.
    t: the tensor; `t.retain_grad()` must have been called before `loss.backward()`.

    Returns nothing, as the lecture's does, so that a cell may end with it. Below the lecture's line comes
    what its comparison misses: a shape that only broadcasts, a tolerance too wide or too narrow, and the
    mistake where the numbers tell it; in Jupyter with pictures.
    """
    frame = sys._getframe(1)
    name = text(s if isinstance(s, str) else type(s).__name__)
    with _untouched():
        problem = _problem(s, dt, t)
        print(f"{name:15s} | {problem or _misfit(dt, t) or _line(dt, t)}")
        if problem:
            return
        top = frame.f_locals is frame.f_globals
        sort, said = _more(dt, t, frame.f_globals if top else ChainMap(frame.f_locals, frame.f_globals))
        if sort and (said or jupyter.here()):
            jupyter.show(jupyter.Compared(sort, said, _pictures(dt, t)))


def check(exercise: str, namespace: Mapping[str, Any]) -> Result:
    """Hold every gradient d<name> in `namespace` against autograd, each for what it received.

    exercise: "ex1", or "ex1.dprobs" for one item.
    namespace: `globals()`: the inputs of the forward pass, the forward tensors and gradients so far.

    As a cell's last expression the result shows as a table; it is true if everything is written and right.
    """
    from grader.suite.find import find, targets

    graded: list[ExerciseReport] = []
    notes: list[str] = []
    settled = True
    try:
        if not isinstance(exercise, str) or not isinstance(namespace, Mapping):
            raise UsageError('check takes a name and the namespace: check("ex1", globals())')
        suite = find()
        wanted = targets(suite, [exercise])
        for name in dict.fromkeys(t.exercise for t in wanted):
            items = {t.item for t in wanted if t.exercise == name}
            with _untouched():
                report, said, by_command = _graded(suite, suite.describe(name), namespace, items)
            settled = settled and by_command
            graded.append(report)
            notes += said
    except (UsageError, GraderFault) as error:
        notes.append(str(error))
    return Result(Report("this namespace", tuple(graded), notes=tuple(notes)), settled and bool(graded))


@dataclass(frozen=True, repr=False)
class Result:
    """What `check` found. It shows as HTML in Jupyter and as text elsewhere; true if all passed.

    settled: the verdicts are those of `grader check` on these cells, not only of this batch.
    """

    report: Report
    settled: bool = False

    def __bool__(self) -> bool:
        return bool(self.report.items) and self.report.passed

    def __repr__(self) -> str:
        from grader.reports.cell import plain

        return plain(self.report, self.settled)

    def _repr_html_(self) -> str:
        from grader.reports.cell import render

        return render(self.report, self.settled)


def _untouched() -> ExitStack:
    """Autograd on whatever mode the caller is in, and no warning for looking at a .grad."""
    import torch

    stack = ExitStack()
    stack.enter_context(torch.inference_mode(False))
    stack.enter_context(torch.enable_grad())
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return stack


def _graded(
    suite: Suite, description: Exercise, namespace: Mapping[str, Any], items: set[str | None]
) -> tuple[ExerciseReport, list[str], bool]:
    """The report, what there is to say, and whether the command's verdicts are in it."""
    from grader.learner.cells import settled
    from grader.learner.judge_received import judged
    from grader.learner.namespace import read

    network = read(description, namespace)
    asked = [i for i in description.gradients if items & {None, i.name}]
    if not asked:
        raise UsageError(f"the training run is graded on a file: `grader check {description.id}.training`")
    notes = list(network.notes)
    if description.training and None in items:
        notes.append(f"the training run is graded on a file: `grader check {description.id}.training`")
    reports = tuple(judged(network, item) for item in asked)
    by_command = settled(suite, network, reports)
    report = ExerciseReport(description.id, description.title, by_command or reports)
    return report, notes, by_command is not None


def _problem(s: Any, dt: Any, t: Any) -> str:
    """Why there is nothing to compare, in one sentence; empty where there is."""
    import torch

    from grader.learner.judge_received import strange

    if dt is None:
        return "not written yet"
    if not isinstance(t, torch.Tensor) and isinstance(s, torch.Tensor):
        return "the first argument is a tensor: cmp(name, gradient, tensor)"
    if not isinstance(t, torch.Tensor):
        return f"the third argument is no tensor but {text(type(t).__name__)}: cmp(name, gradient, tensor)"
    if not isinstance(dt, torch.Tensor):
        return f"not a tensor: {strange(dt, 'it').reason}"
    if t.grad is None:
        return _no_grad(dt, t)
    if dt.device != t.grad.device:
        return f"it is on {dt.device}, autograd's gradient on {t.grad.device}: .to({str(t.grad.device)!r})"
    if dt.layout != t.grad.layout:
        return "one of the two is sparse: .to_dense() makes it comparable"
    if dt.dtype != t.grad.dtype:
        return f"{_short(dt)}, wanted {_short(t.grad)}: .to(torch.{_short(t.grad)})"
    return ""


def _misfit(dt: torch.Tensor, t: torch.Tensor) -> str:
    """What is wrong with a shape for which the lecture's line can't be worked out; else empty."""
    import torch

    grad = t.grad
    assert grad is not None
    try:
        torch.broadcast_shapes(dt.shape, grad.shape)
    except RuntimeError:
        from grader.judging.compare import compare
        from grader.learner.namespace import plain, record

        return "wrong shape: " + compare(record(dt), plain(grad).double().numpy(), 0.0).reason
    return ""


def _no_grad(dt: torch.Tensor, t: torch.Tensor) -> str:
    if dt.grad is not None:
        return "no gradient to compare with: the arguments look swapped, cmp(name, gradient, tensor)"
    if not t.requires_grad and t.is_leaf:
        repair = "(p.requires_grad = True, then forward)"
        return f"autograd has no gradient for it: it does not require one {repair}"
    if not t.is_leaf and not t.retains_grad:
        return "autograd has kept no gradient for it: .retain_grad() on it before loss.backward()"
    return "autograd has no gradient for it yet: loss.backward() comes first, and it must be used in the loss"


def _short(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _line(dt: Any, t: Any) -> str:
    """The lecture's three figures."""
    import torch

    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad)
    maxdiff = (dt - t.grad).abs().max().item() if dt.numel() and t.grad.numel() else 0.0
    return f"exact: {str(ex):5s} | approximate: {str(app):5s} | maxdiff: {maxdiff}"


def _more(dt: torch.Tensor, t: torch.Tensor, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """What the figures come to, as `check` has it: which of cell.GROUNDS, and what they don't say."""
    import torch

    from grader.learner.cells import settled
    from grader.learner.judge_received import judged
    from grader.reports.cell import kind
    from grader.suite.find import find

    grad = t.grad
    if grad is None or _short(grad) not in ("float32", "float64"):
        return "", ""
    fits = not _misfit(dt, t)
    app = fits and torch.allclose(dt, grad)
    placed = _place(t, namespace)
    if placed is None:
        return _alone(dt, grad, app) if fits else ("", "")
    network, item = placed
    if stale := _stale(network, item.tensor, grad):
        return "undecided", stale
    held = network.namespace.get(item.name) is dt
    own = network if held else replace(network, namespace=ChainMap({item.name: dt}, dict(network.namespace)))
    report = judged(own, item)
    if held and (by_command := settled(find(), network, [report])):
        (report,) = by_command
    said = report.check.note if report.passed else _joined(report.diagnosis, report.check.reason)
    if report.place and not report.passed:
        said += f" ({report.place})"
    if not said and not app:
        said = "what differs is rounding, since most of it cancels"
    return kind(report), said


def _pictures(dt: torch.Tensor, t: torch.Tensor) -> tuple[tuple[str, Any, float], ...]:
    """Heatmaps: of the gradient and of autograd's by one scale, of their difference by its own."""
    import numpy as np

    from grader.learner.namespace import plain

    yours, wanted = (plain(x.detach()).double().numpy() for x in (dt, t.grad) if x is not None)
    if not wanted.size or np.array_equal(yours, wanted):
        return ()
    off = yours - wanted if yours.shape == wanted.shape else None
    pairs = [("yours", yours, wanted), ("autograd's", wanted, wanted)]
    pairs += [("difference", off, off)] if off is not None else []
    return tuple((name, values, float(np.nanmax(abs(of), initial=0.0))) for name, values, of in pairs)


@cache
def _described(suite: Suite) -> list[Exercise]:
    """All exercises, read once: a lecture's notebook compares dozens of tensors."""
    return [suite.describe(e) for e in suite.ids()]


def _place(t: torch.Tensor, namespace: Mapping[str, Any]) -> tuple[Network, Gradient] | None:
    """The exercise's network that `t` is a tensor of, and its item, where the namespace holds one."""
    from grader.learner.cells import share
    from grader.learner.namespace import read
    from grader.suite.find import find

    names = {k for k, v in namespace.items() if v is t}
    odd: tuple[Network, Gradient] | None = None
    try:
        there = namespace.keys()
        asking = [(e, i) for e in _described(find()) for i in e.gradients if i.tensor in names]
        # of exercises that share a network the one whose forward pass is here, and not only its inputs
        for exercise, item in sorted(asking, key=lambda one: share(one[0], there), reverse=True):
            with suppress(UsageError):
                network = read(exercise, namespace)
                found = network.env.get(item.tensor)  # not there where its forward pass is another's
                if found is None or found.shape != t.shape:
                    continue
                if not network.odd:
                    return network, item
                if len(network.odd) * 4 < share(exercise, there)[1]:  # the exercise's, changed in a place
                    odd = odd or (network, item)
    except GraderFault:
        pass  # without the fixtures the comparison is the lecture's
    return odd


def _stale(network: Network, tensor: str, grad: torch.Tensor) -> str:
    """What is wrong with `t.grad` itself, where it isn't the gradient of the forward pass at hand."""
    from grader.judging.compare import compare
    from grader.learner.namespace import plain, record

    whole, size = network.whole(tensor)
    here, there = plain(grad).reshape(-1), whole.reshape(-1)
    at = there.abs().argmax()
    finite = bool(here.isfinite().all()) and bool(there.isfinite().all())
    times = round(float(here[at] / there[at])) if finite and float(there[at]) else 0
    if times > 1 and bool((here - times * there).abs().max() <= 1e-5 * here.abs().max()):
        ran = f"backward ran {times} times without .grad = None between"
        return f"t.grad is {times} times the gradient: {ran}"
    if compare(record(grad), whole.numpy(), size).verdict.passed:
        return ""
    return "t.grad is not the gradient of the forward pass that is here now: run it and backward again"


def _alone(dt: torch.Tensor, grad: torch.Tensor, app: bool) -> tuple[str, str]:
    """The same where no exercise's forward pass is at hand: by these two arrays alone."""
    from grader.diagnosis.diagnose import related
    from grader.diagnosis.relations import Evidence
    from grader.judging.compare import compare
    from grader.learner.namespace import plain, record

    reference = plain(grad).numpy()
    found = compare(record(dt), reference, float(abs(reference).max(initial=0.0)))
    if found.verdict.passed:
        return "right", found.note
    told = None
    if dt.isfinite().all():
        e = Evidence("cmp", plain(dt).double().numpy(), reference.astype(float), {}, {})
        told = related(Gradient("", ""), e, {})
    if told or not app or found.relative is None:
        return "wrong", _joined(told.text if told else None, found.reason)
    said = f"it differs by {found.relative:.0e} of the largest element, which may be rounding or a mistake"
    return "undecided", said


def _joined(*parts: str | None) -> str:
    said = [p for part in parts for p in (part or "").split("; ") if p]
    return "; ".join(dict.fromkeys(said))
