"""A learner's namespace held against an exercise's forward program: what `grader.check` knows.

The reference of an item is the vector-Jacobian product of the exercise's own program at the
learner's forward tensors, from the upstream gradients that the learner's own names hold. So only
the line at fault is blamed: what comes after it is judged for what it received.

Nothing here changes a tensor, a gradient, torch's random state or its settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from grader.authored import Line, downstream
from grader.compare import RTOL, compare
from grader.diagnose import Evidence, related
from grader.errors import UsageError
from grader.harmless import text
from grader.program import Env, Program
from grader.runner.wire import Record
from grader.training import program_of
from grader.verdict import Check, ItemReport, Verdict

Cut = frozenset[str]
FORWARD = 1e-5  # relative: a forward tensor that is further off than that was made otherwise
DISTINCT = 8  # different values in an answer at the size of rounding that a relation may convict


@dataclass(frozen=True)
class Network:
    """The forward pass as the namespace has it.

    env: sizes and every tensor, detached, on the CPU. odd: by tensor, how it differs from what its
    forward line gives. whole: autograd's gradients. own: the learner's gradients that can serve as
    upstream gradients, by tensor. judged: which of those are autograd's, as far as asked.
    """

    exercise: Mapping[str, Any]
    program: Program
    sizes: Mapping[str, Any]
    env: Env
    odd: Mapping[str, str]
    whole: Env
    own: Env
    namespace: Mapping[str, Any]
    notes: tuple[str, ...]
    judged: dict[str, bool] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.program.lines

    def wrong(self, tensors: Cut) -> Cut:
        """Those of the learner's own gradients, by tensor, that are not autograd's."""
        for t in tensors - self.judged.keys():
            self.judged[t] = held(self, t, record(self.own[t])).verdict.passed
        return frozenset(t for t in tensors if not self.judged[t])


def read(exercise: Mapping[str, Any], namespace: Mapping[str, Any]) -> Network:
    """The network in a namespace. UsageError, in one line, where its forward pass can't be had."""
    program = program_of(exercise)
    missing = []
    inputs: Env = {}
    for name in program.inputs:
        value = namespace.get(name)
        if name in exercise["shapes"]:
            if isinstance(value, torch.Tensor):
                inputs[name] = plain(value)
            else:
                missing.append(name)
    if missing:
        what = ", ".join(missing)
        verb = "is no tensor" if len(missing) == 1 else "are no tensors"
        raise UsageError(f"{what} {verb} in this namespace: run the cells of the forward pass first")
    if empty := [name for name, value in inputs.items() if not value.numel()]:
        raise UsageError(f"{empty[0]} is empty")
    sizes = {**_sizes(exercise, inputs), **_rest(exercise, program, inputs, namespace)}
    env, odd, notes = _forward(program, {**sizes, **inputs}, namespace)
    try:
        _, whole = program.gradients({**sizes, **inputs})
    except Exception as error:
        raise UsageError(f"autograd can't differentiate the forward pass: {text(str(error))}") from None
    own = dict(_own(program, env, namespace))
    return Network(exercise, program, sizes, env, odd, whole, own, namespace, notes)


def plain(value: torch.Tensor) -> torch.Tensor:
    """The numbers of a tensor: detached, on the CPU, usable by autograd."""
    value = value.detach().cpu()
    return value.clone() if value.is_inference() else value


def record(value: torch.Tensor) -> Record:
    """A tensor as a submission's answer."""
    value = plain(value)
    dtype = str(value.dtype).removeprefix("torch.")
    encoded = dtype if dtype in ("float32", "float64") else "float64"
    real = value.real if value.is_complex() else value
    data = real.to(getattr(torch, encoded)).contiguous().numpy().tobytes()
    return Record("", "", "value", dtype=dtype, shape=tuple(value.shape), encoded=encoded, data=data)


def judged(network: Network, item: Mapping[str, Any]) -> ItemReport:
    """The report of one item, from the learner's d<name>."""
    tensor = item["tensor"]
    shape = tuple(network.env[tensor].shape)
    value = network.namespace.get(item["name"])
    if isinstance(value, torch.Tensor):
        check, diagnosis = _answered(network, item, value)
    else:
        check, diagnosis = strange(value, item["name"]), None
    return ItemReport(f"{network.exercise['id']}.{item['name']}", shape, check, "namespace", None, diagnosis)


def strange(value: object, name: str) -> Check:
    """The check of what is no tensor."""
    if value is None:
        return Check(Verdict.NOT_WRITTEN)
    if callable(value):
        return Check(Verdict.NOT_A_TENSOR, "a function: `grader check` grades the functions of a file")
    kind = text(type(value).__name__)
    if type(value).__module__ == "numpy":
        return Check(Verdict.NOT_A_TENSOR, f"NumPy's {kind}: torch.as_tensor({name}) makes a tensor of it")
    return Check(Verdict.NOT_A_TENSOR, kind)


def _answered(network: Network, item: Mapping[str, Any], value: torch.Tensor) -> tuple[Check, str | None]:
    tensor, answer = item["tensor"], record(value)
    tried: list[tuple[Cut, torch.Tensor, Check]] = []
    for cut in _cuts(network, tensor):
        met, passed = _met(network.lines, tensor, cut)
        if odd := [t for t in network.odd if t in met | passed]:
            reason = f"can't be judged, since {odd[0]} {network.odd[odd[0]]}"
            return Check(Verdict.ERROR, reason, shape=answer.shape), None
        reference, size = network.program.pull(network.env, tensor, cut, network.own)
        if not torch.isfinite(reference).all():
            reason = "can't be judged: autograd's own gradient is not finite here"
            return Check(Verdict.ERROR, reason, shape=answer.shape), None
        check = compare(answer, reference.numpy(), size)
        tried.append((cut, reference, check))
        if check.verdict.passed:
            return _passing(network, item, answer, tried[-1])
    cut, reference, check = tried[0]
    said = [check.reason, *_suspects(network, item), *_shared(network, item, value)]
    check = replace(check, reason="; ".join(s for s in said if s))
    found = (_explained(network, item, value, cut, reference) for cut, reference, _ in tried)
    return check, next((f for f in found if f), None)


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
    network: Network, item: Mapping[str, Any], answer: Record, found: tuple[Cut, torch.Tensor, Check]
) -> tuple[Check, str | None]:
    cut, reference, check = found
    notes = [check.note]
    wrong = sorted(network.wrong(_met(network.lines, item["tensor"], cut)[0]))
    if wrong and not held(network, item["tensor"], answer).verdict.passed:
        names = " and ".join("d" + t for t in wrong)
        notes.append(f"right for the {names} that it received: what is wrong in it comes from there")
    tolerance, largest = check.tolerance or 0.0, float(reference.abs().max()) if reference.numel() else 0.0
    unsettled = f"`grader check {network.exercise['id']}.{item['name']}` can, on a file"
    if not check.exact and largest <= tolerance:
        value = torch.frombuffer(bytearray(answer.data or b""), dtype=getattr(torch, answer.encoded))
        told = _explained(network, item, value.reshape(reference.shape), cut, reference)
        if told and len(set(value.flatten().tolist())) >= DISTINCT:  # rounding would not be related so
            return replace(check, verdict=Verdict.WRONG, approx=False), told
        notes.append(
            f"all of it is rounding here, so that these numbers can't tell right from wrong: {unsettled}"
        )
    else:
        for through, alone in _branches(network, item["tensor"], cut):
            if float(alone.abs().max()) <= tolerance and not (
                check.exact and bool((reference - alone != reference).any())
            ):
                notes.append(
                    f"what comes through {through} is rounding here, so that these numbers can't tell "
                    f"whether it is there: {unsettled}"
                )
    return replace(check, note="; ".join(n for n in notes if n)), None


def held(network: Network, tensor: str, answer: Record) -> Check:
    """An answer against autograd's whole gradient."""
    _, size = network.program.pull(network.env, tensor, frozenset(), {})
    return compare(answer, network.whole[tensor].numpy(), size)


def _branches(network: Network, tensor: str, cut: Cut) -> list[tuple[str, torch.Tensor]]:
    """By direct consumer of a tensor that has several: what comes back through it alone."""
    direct = network.program.direct(tensor)
    if len(direct) < 2:
        return []
    arriving = {
        t: network.own[t] if t in cut else network.program.pull(network.env, t, cut, network.own)[0]
        for t in direct
    }
    found = []
    for t in sorted(direct):
        only = {u: d if u == t else torch.zeros_like(d) for u, d in arriving.items()}
        found.append((t, network.program.pull(network.env, tensor, direct, only)[0]))
    return found


def _explained(
    network: Network, item: Mapping[str, Any], value: torch.Tensor, cut: Cut, reference: torch.Tensor
) -> str | None:
    """The mistake behind a wrong value, by relations that hold on these numbers."""
    value = plain(value)
    if not value.is_floating_point() or not torch.isfinite(value).all():
        return None
    given = {k: v.numpy() for k, v in network.env.items() if isinstance(v, torch.Tensor)}
    given |= {"d" + t: d.numpy() for t, d in {**network.whole, **network.own}.items() if t not in network.odd}
    e = Evidence("namespace", value.double().numpy(), reference.double().numpy(), given, network.sizes)
    if value.shape == reference.shape and value.any():
        branches = _branches(network, item["tensor"], cut)
        close = RTOL * float(reference.abs().max())
        for through, alone in branches:
            if not float(alone.abs().max()) > 10 * close:
                continue  # whether it is there makes no difference
            if float((value - (reference - alone)).abs().max()) <= close:
                there = " and ".join(t for t, _ in branches if t != through)
                return f"the branch through {through} is left out: only what comes through {there} is there"
            if float((value - (reference - 2 * alone)).abs().max()) <= close:
                return f"the branch through {through} has the wrong sign"
    return related(item, e, network.exercise["tensors"])


def _suspects(network: Network, item: Mapping[str, Any]) -> Iterator[str]:
    """Gradients that this one may be made from and that can't stand for an upstream gradient, or are
    a sibling's and wrong."""
    for t in item["cut"]:
        if t not in network.own and network.namespace.get("d" + t) is not None:
            yield f"it may come from d{t}, which can't be used as it is: mend that first"
    for name in item["siblings"]:
        if name[1:] in network.own and network.wrong(frozenset((name[1:],))):
            yield f"if it uses {name}, mend that first"


def _shared(network: Network, item: Mapping[str, Any], value: torch.Tensor) -> Iterator[str]:
    """Other gradients that are kept in the same memory."""
    for t in network.own:
        other = network.namespace["d" + t]
        if "d" + t != item["name"] and _memory(other) is not None and _memory(other) == _memory(value):
            yield f"shares its memory with d{t}: what changes one in place changes both; .clone() parts them"


def _memory(value: torch.Tensor) -> int | None:
    return (value.untyped_storage().data_ptr() or None) if value.layout is torch.strided else None


def _own(program: Program, env: Env, namespace: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """The learner's gradients that fit their tensors; a leading 1 too many or too few is put right."""
    for name in [*program.inputs, *(line.name for line in program.lines[:-1])]:
        value, like = namespace.get("d" + name), env[name]
        if not isinstance(like, torch.Tensor) or not like.is_floating_point():
            continue
        if not isinstance(value, torch.Tensor) or value.dtype != like.dtype:
            continue
        value = plain(value)
        if value.shape != like.shape:
            if tuple(value.shape) != (1, *like.shape) and tuple(like.shape) != (1, *value.shape):
                continue
            value = value.reshape(like.shape)
        if torch.isfinite(value).all():
            yield name, value


def _sizes(exercise: Mapping[str, Any], inputs: Env) -> dict[str, int]:
    """Sizes, read off the inputs' shapes where the lecture's shape has that size and no other one."""
    settings = exercise["fixtures"][0]["settings"]
    lecture = {k: v for k, v in settings.items() if k not in ("seed", "trained")}
    found: dict[str, int] = {}
    for size, number in lecture.items():
        if list(lecture.values()).count(number) > 1:
            continue
        for name, value in inputs.items():
            shape = exercise["shapes"][name]
            if number in shape and len(shape) == value.dim():
                found.setdefault(size, value.shape[shape.index(number)])
    return found


def _rest(
    exercise: Mapping[str, Any], program: Program, inputs: Env, namespace: Mapping[str, Any]
) -> dict[str, Any]:
    """Sizes that the program asks for and no shape tells: as the namespace has them."""
    known = _sizes(exercise, inputs)
    rest = {}
    for name in program.inputs:
        if name not in inputs and name not in known:
            if not isinstance(namespace.get(name), int | float):
                raise UsageError(f"{name}, a size, is not in this namespace")
            rest[name] = namespace[name]
    return rest


def _forward(
    program: Program, env: Env, namespace: Mapping[str, Any]
) -> tuple[Env, dict[str, str], tuple[str, ...]]:
    """Every tensor: the namespace's where its shape is right, else what its line gives.

    Each line is run on the tensors that the namespace has, so that only the line that was changed is odd.
    """
    odd: dict[str, str] = {}
    other: list[str] = []
    for line in program.lines:
        try:
            with torch.no_grad():
                made = program.step(line, env)
        except Exception as error:
            shapes = ", ".join(
                f"{u} {tuple(env[u].shape)}" for u in line.uses if isinstance(env[u], torch.Tensor)
            )
            why = text(str(error).split("\n")[0], 150)
            raise UsageError(
                f"the forward line `{line.code.strip()}` can't be run on this namespace's {shapes} ({why}): "
                "are these names used for another network since?"
            ) from None
        value = namespace.get(line.name)
        env = {**env, line.name: made}
        if not isinstance(value, torch.Tensor) or not isinstance(made, torch.Tensor):
            continue
        value = plain(value)
        if value.shape != made.shape:
            other.append(line.name)
        elif value.dtype != made.dtype:
            odd[line.name] = f"is {value.dtype}, and its forward line gives {made.dtype}"
        else:
            env[line.name] = value
            scale = float(made.abs().max()) if made.numel() else 0.0
            if not torch.allclose(value, made, rtol=FORWARD, atol=FORWARD * min(scale, 1e30), equal_nan=True):
                uses = ", ".join(u for u in line.uses if isinstance(env[u], torch.Tensor))
                odd[line.name] = f"is not what `{line.code.strip()}` gives with the {uses} of this namespace"
    notes = [f"{t} {what}: was the forward pass changed, or a tensor since?" for t, what in odd.items()]
    if other:
        names = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
        have = "has another shape" if len(other) == 1 else "have other shapes"
        notes.append(
            f"{names} {have} than the forward pass gives here: used for something else since? "
            "What the forward line gives is taken instead"
        )
    return env, odd, tuple(notes)
