"""The forward program differentiated: as a whole, or from any tensor to any cut.

Trusted side only: this is where references come from, and autograd is the only judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from grader.core.graph import consumers
from grader.reference.forward import Env, Forward, is_float

DRAWS = 8  # sign draws for the size of an answer


class Results(TorchFunctionMode):
    """Keeps what each operation gives while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[torch.Tensor] = []

    def __torch_function__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        whole = [out] if isinstance(out, torch.Tensor) else list(out) if isinstance(out, tuple) else []
        if func in (F.cross_entropy, F.log_softmax):  # whose gradient is made of it
            whole.append(F.softmax(args[0], -1))
        self.kept += [t for t in whole if isinstance(t, torch.Tensor) and t.requires_grad]
        return out


class Program(Forward):
    """A forward program with its gradients."""

    def gradients(self, env: Env) -> tuple[Env, Env]:
        """The whole network once: every tensor, and autograd's gradient of the loss for each.

        env: inputs and sizes. Returns (tensors, gradients by tensor name), all detached.
        """
        leaves = {
            k: v.detach().clone().requires_grad_() if k in self.inputs and is_float(v) else v
            for k, v in env.items()
        }
        full = self.run(leaves)
        tracked = {k: v for k, v in full.items() if isinstance(v, torch.Tensor) and v.requires_grad}
        for tensor in tracked.values():
            tensor.retain_grad()
        full[self.loss].backward()
        grads = {k: v.grad for k, v in tracked.items() if v.grad is not None}
        return {k: v.detach() if k in tracked else v for k, v in full.items()}, grads

    def pull(
        self, env: Mapping[str, Any], tensor: str, cut: frozenset[str], upstream: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """The vector-Jacobian product from the tensors in `cut` back to `tensor`.

        Every path from `tensor` ends at the first tensor of `cut` that it meets and takes that one's
        upstream gradient; a path that meets none runs on to the loss, whose gradient is 1.

        env: every tensor of the forward pass, detached. upstream: gradients by tensor name.
        Returns the gradient, and the size that the answer would have if nothing in it cancelled: the
        largest element of sqrt(sum of squared terms), estimated by flipping the upstream signs.
        """
        if tensor == self.loss:
            return torch.ones_like(env[tensor]), 1.0
        back, cotangents = self._back(env, tensor, cut, upstream)
        result = back(cotangents)
        g = torch.Generator().manual_seed(0)
        square = torch.zeros_like(result)
        for _ in range(DRAWS):
            signed = [c * (torch.randint(0, 2, c.shape, generator=g) * 2 - 1) for c in cotangents]
            square += back(signed) ** 2
        # NumPy's root is rounded right on every processor, torch's differs between them
        return result, float(np.sqrt((square / DRAWS).max().numpy()))

    def vjp(
        self, env: Mapping[str, Any], tensor: str, cut: frozenset[str], upstream: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """What `pull` gives without its size, which takes eight ninths of the time."""
        if tensor == self.loss:
            return torch.ones_like(env[tensor])
        back, cotangents = self._back(env, tensor, cut, upstream)
        return back(cotangents)

    def _back(
        self, env: Mapping[str, Any], tensor: str, cut: frozenset[str], upstream: Mapping[str, torch.Tensor]
    ) -> tuple[Callable[[list[torch.Tensor]], torch.Tensor], list[torch.Tensor]]:
        """The way back to a tensor for any upstream gradients of where its paths end; and those asked for."""
        start = env[tensor].detach().clone().requires_grad_()
        outputs, cotangents = self._between(env, {tensor: start}, cut, upstream)

        def back(cotangents: list[torch.Tensor]) -> torch.Tensor:
            (result,) = torch.autograd.grad(_scalar(outputs, cotangents), start, retain_graph=True)
            return cast(torch.Tensor, result)

        return back, cotangents

    def parts(
        self, env: Mapping[str, Any], tensor: str, cut: frozenset[str], upstream: Mapping[str, torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """What lines and operations between `tensor` and `cut` use and give; the gradients of all of it, and
        what each line alone sends back. The arguments are those of `pull`.
        """
        live: Env = {tensor: env[tensor].detach().clone().requires_grad_()}
        others = {k: v.detach().clone().requires_grad_() for k, v in env.items() if is_float(v)}
        with Results() as results:
            ends = self._between({**env, **others}, live, cut, upstream)
        whole = [*live.values(), *results.kept]
        gradients = torch.autograd.grad(_scalar(*ends), whole, allow_unused=True)
        arriving = {**dict(zip(live, gradients, strict=False)), **{t: upstream[t] for t in cut}}
        found = [r.detach() for r in results.kept], [g for g in gradients if g is not None]
        for line in self.lines:
            if line.name == tensor or (arrives := arriving.get(line.name)) is None:
                continue
            leaves = {u: others[u].detach().clone().requires_grad_() for u in line.uses if u in others}
            out = self.step(line, {**env, **leaves})
            if out.requires_grad:
                sent = torch.autograd.grad(_scalar([out], [arrives]), [*leaves.values()], allow_unused=True)
                found[0].extend(v.detach() for v in leaves.values())
                found[1].extend(g for g in sent if g is not None)
        return found

    def _between(
        self, env: Mapping[str, Any], live: Env, cut: frozenset[str], upstream: Mapping[str, torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The lines from a tensor, which is all that is `live`, to where each path ends: what comes there,
        and its upstream gradients.
        """
        outputs, cotangents = [], []
        for line in self.lines:
            if line.name in live or not any(u in live for u in line.uses):
                continue
            out = self.step(line, {**env, **live})
            if not (isinstance(out, torch.Tensor) and out.requires_grad):
                continue
            if line.name in cut:
                outputs.append(out)
                cotangents.append(upstream[line.name])
            elif line.name == self.loss:
                outputs.append(out)
                cotangents.append(torch.ones_like(out))
            else:
                live[line.name] = out
        return outputs, cotangents

    def direct(self, tensor: str) -> frozenset[str]:
        return frozenset(consumers(self.lines, tensor))


def _scalar(outputs: Sequence[torch.Tensor], cotangents: Sequence[torch.Tensor]) -> torch.Tensor:
    # with tensors for cotangents autograd imports its symbolic shapes, 0.4 s
    return cast(torch.Tensor, sum((o * c).sum() for o, c in zip(outputs, cotangents, strict=True)))
