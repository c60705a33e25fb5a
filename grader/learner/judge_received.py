"""A learner's gradients in a namespace, each judged for what it received.

The reference of an item is the vector-Jacobian product of the exercise's own program at the
learner's forward tensors, from the upstream gradients that the learner's own names hold. So only
the line at fault is blamed: what comes after it is right for what it got. An answer that is
autograd's in spite of a wrong gradient before it is right too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from grader.core.exercise import Gradient, Line
from grader.core.finding import Code, Finding
from grader.core.graph import downstream
from grader.core.text import text
from grader.core.tolerance import RTOL
from grader.core.verdict import Check, ItemReport, Verdict
from grader.diagnosis.diagnose import related
from grader.diagnosis.relations import Evidence
from grader.judging.compare import compare
from grader.learner.namespace import Cut, Network, plain, record
from grader.runner.wire import Record

UNDECIDED = Finding(Code.NOT_JUDGED)  # of what passes: these numbers can't tell that it is right
DISTINCT = 8  # different values in an answer at the size of rounding that a relation may convict


def judged(network: Network, item: Gradient) -> ItemReport:
    """The report of one item, from the learner's d<name>."""
    tensor = item.tensor
    shape = tuple(network.env[tensor].shape)
    value = network.namespace.get(item.name)
    if isinstance(value, torch.Tensor) and not value.is_meta:
        check, mistake = _answered(network, item, value)
    else:
        check, mistake = strange(value, item.name), None
    return ItemReport(f"{network.exercise.id}.{item.name}", shape, check, "namespace", mistake=mistake)


def strange(value: object, name: str) -> Check:
    """The check of what is no tensor."""
    if value is None:
        return Check(Verdict.NOT_WRITTEN, Finding(Code.NOT_WRITTEN))
    code, said = Code.NOT_A_TENSOR, text(type(value).__name__)
    if callable(value):
        code, said = Code.FUNCTION_FOR_TENSOR, "a function: `grader check` grades the functions of a file"
    elif type(value).__module__ == "numpy":
        said = f"NumPy's {said}: torch.as_tensor({name}) makes a tensor of it"
    return Check(Verdict.NOT_A_TENSOR, Finding(code, said))


def _answered(network: Network, item: Gradient, value: torch.Tensor) -> tuple[Check, Finding | None]:
    tensor, answer = item.tensor, record(value)
    tried: list[tuple[Cut, torch.Tensor, Check]] = []
    for cut in _cuts(network, tensor):
        met, passed = _met(network.lines, tensor, cut)
        if odd := [t for t in network.odd if t in met | passed]:
            if tried:
                break
            reason = f"can't be judged, since {odd[0]} {network.odd[odd[0]]}"
            return Check(Verdict.ERROR, Finding(Code.NOT_JUDGED, reason), shape=answer.shape), None
        reference, size = network.program.pull(network.env, tensor, cut, network.own)
        if not torch.isfinite(reference).all():
            reason = "can't be judged: autograd's own gradient is not finite here"
            return Check(Verdict.ERROR, Finding(Code.NOT_JUDGED, reason), shape=answer.shape), None
        check = compare(answer, reference.numpy(), size)
        tried.append((cut, reference, check))
        if check.verdict.passed:
            return _passing(network, item, answer, tried[-1])
    _, _, check = tried[0]
    explained = (_explained(network, item, value, cut, reference) for cut, reference, _ in tried)
    found = next((f for f in explained if f), None)
    said = [check.reason, *_suspects(network, item)]
    if not found or found.code is Code.ANOTHER_GRADIENT:
        said += _shared(network, item, value)
    why = check.finding and replace(check.finding, text="; ".join(s for s in said if s))
    return replace(check, finding=why), found


def _cuts(network: Network, tensor: str) -> Iterator[Cut]:
    """What the answer may be made from: the nearest of the learner's gradients, then, past the wrong
    ones among those, the next. The last cut holds right ones only, and gives autograd's own answer."""
    cut = frozenset(network.own) & downstream(network.lines, tensor)
    while True:
        yield cut
        wrong = network.wrong(_met(network.lines, tensor, cut)[0])
        if not wrong:
            return
        cut -= wrong


def _met(lines: Sequence[Line], tensor: str, cut: Cut) -> tuple[Cut, Cut]:
    """The tensors of the cut at which paths from `tensor` end, and those that paths run through."""
    live: set[str] = {tensor}
    met: set[str] = set()
    for line in lines:
        if live & set(line.uses):
            (met if line.name in cut else live).add(line.name)
    return frozenset(met), frozenset(live - {tensor})


def _passing(
    network: Network, item: Gradient, answer: Record, found: tuple[Cut, torch.Tensor, Check]
) -> tuple[Check, Finding | None]:
    cut, reference, check = found
    notes = [check.note]
    wrong = sorted(network.wrong(_met(network.lines, item.tensor, cut)[0]))
    whole, scale = network.whole(item.tensor)
    if wrong and not (to_loss := compare(answer, whole.numpy(), scale)).verdict.passed:
        names = " and ".join("d" + t for t in wrong)
        figures = {k: getattr(to_loss, k) for k in ("exact", "approx", "allclose", "maxdiff", "relative")}
        check = replace(check, **figures)  # those of autograd's, which `cmp` shows
        notes.append(f"right for the {names} that it received: what is wrong in it comes from there")
    tolerance, largest = check.tolerance or 0.0, float(reference.abs().max()) if reference.numel() else 0.0
    unsettled = f"`grader check {network.exercise.id}.{item.name}` can, on a file"
    if not check.exact and largest <= tolerance:
        value = torch.frombuffer(bytearray(answer.data or b""), dtype=getattr(torch, answer.encoded))
        told = _explained(network, item, value.reshape(reference.shape), cut, reference)
        if told and len(set(value.flatten().tolist())) >= DISTINCT:  # rounding would not be related so
            return replace(check, verdict=Verdict.WRONG, finding=Finding(told.code), approx=False), told
        doubt = f"all of it is rounding here, so that these numbers can't tell right from wrong: {unsettled}"
        if not value.any():  # not even the rounding of a right formula
            unknown = Finding(Code.NOT_JUDGED, doubt)
            return replace(check, verdict=Verdict.ERROR, finding=unknown, approx=False), None
        notes[1:] = [doubt]
        check = replace(check, finding=UNDECIDED)
    else:
        for through, alone in _branches(network, item.tensor, cut):
            if float(alone.abs().max()) <= tolerance and not (
                check.exact and bool((reference - alone != reference).any())
            ):
                check = replace(check, finding=UNDECIDED)
                notes.append(
                    f"what comes through {through} is rounding here, so that these numbers can't tell "
                    f"whether it is there: {unsettled}"
                )
    return replace(check, note="; ".join(n for n in notes if n)), None


def _branches(network: Network, tensor: str, cut: Cut) -> list[tuple[str, torch.Tensor]]:
    """By direct consumer of a tensor that has several: what comes back through it alone."""
    direct = network.program.direct(tensor)
    if len(direct) < 2:
        return []
    arriving = {
        t: network.own[t] if t in cut else network.program.vjp(network.env, t, cut, network.own)
        for t in direct
    }
    pull, found = network.program.pull, []
    for t in sorted(direct):
        only = {u: d if u == t else torch.zeros_like(d) for u, d in arriving.items()}
        found.append((t, pull(network.env, tensor, direct, only)[0]))
    return found


def _explained(
    network: Network, item: Gradient, value: torch.Tensor, cut: Cut, reference: torch.Tensor
) -> Finding | None:
    """The mistake behind a wrong value, by relations that hold on these numbers."""
    value = plain(value)
    if not value.is_floating_point() or not torch.isfinite(value).all():
        return None
    given = {k: v.numpy() for k, v in network.env.items() if isinstance(v, torch.Tensor)}
    given |= {"d" + t: d.numpy() for t, d in network.own.items()}
    e = Evidence("namespace", value.double().numpy(), reference.double().numpy(), given, network.sizes)
    if value.shape == reference.shape and value.any():
        branches = _branches(network, item.tensor, cut)
        close = RTOL * float(reference.abs().max())
        for through, alone in branches:
            if not float(alone.abs().max()) > 10 * close:
                continue  # whether it is there makes no difference
            if float((value - (reference - alone)).abs().max()) <= close:
                there = " and ".join(t for t, _ in branches if t != through)
                said = f"the branch through {through} is left out: only what comes through {there} is there"
                return Finding(Code.BRANCH_MISSING, said)
            if float((value - (reference - 2 * alone)).abs().max()) <= close:
                return Finding(Code.BRANCH_SIGN, f"the branch through {through} has the wrong sign")
    return related(item, e, {line.name: line for line in network.exercise.lines})


def _suspects(network: Network, item: Gradient) -> Iterator[str]:
    """Gradients that this one may be made from and that can't stand for an upstream gradient, or are
    a sibling's and wrong."""
    for t in item.cut:
        if t not in network.own and network.namespace.get("d" + t) is not None:
            yield f"it may come from d{t}, which can't be used as it is: fix that first"
    for name in item.siblings:
        if name[1:] in network.own and network.wrong(frozenset((name[1:],))):
            yield f"if it uses {name}, fix that first"


def received_wrong(network: Network, name: str) -> list[str]:
    """The gradients that an item is made from, as far as they are not autograd's here."""
    item = next(i for i in network.exercise.gradients if i.name == name)
    there = [t for t in item.cut if network.namespace.get("d" + t) is not None]
    return ["d" + t for t in there if t not in network.own or network.wrong(frozenset((t,)))]


def _shared(network: Network, item: Gradient, value: torch.Tensor) -> Iterator[str]:
    """Other gradients that are kept in the same memory."""
    for t in network.own:
        other = network.namespace["d" + t]
        if "d" + t != item.name and _memory(other) is not None and _memory(other) == _memory(value):
            yield f"shares its memory with d{t}: what changes one in place changes both; .clone() parts them"


def _memory(value: torch.Tensor) -> int | None:
    return (value.untyped_storage().data_ptr() or None) if value.layout is torch.strided else None
