"""The forward program differentiated: as a whole, or from any tensor to any cut.

Trusted side only: this is where references come from, and autograd is the only judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch

from grader.core.graph import consumers
from grader.reference.forward import Env, Forward, is_float

DRAWS = 8  # sign draws for the size of an answer


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
        start = env[tensor].detach().clone().requires_grad_()
        live: Env = {tensor: start}
        outputs, cotangents = [], []
        for line in self.lines:
            if line.name == tensor or not any(u in live for u in line.uses):
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

        def back(cotangents: list[torch.Tensor]) -> torch.Tensor:
            # as a scalar: with tensors for cotangents autograd imports its symbolic shapes, 0.4 s
            scalar = sum((o * c).sum() for o, c in zip(outputs, cotangents, strict=True))
            (result,) = torch.autograd.grad(cast(torch.Tensor, scalar), start, retain_graph=True)
            return cast(torch.Tensor, result)

        result = back(cotangents)
        g = torch.Generator().manual_seed(0)
        square = torch.zeros_like(result)
        for _ in range(DRAWS):
            signed = [c * (torch.randint(0, 2, c.shape, generator=g) * 2 - 1) for c in cotangents]
            square += back(signed) ** 2
        # NumPy's root is rounded right on every processor, torch's differs between them
        return result, float(np.sqrt((square / DRAWS).max().numpy()))

    def direct(self, tensor: str) -> frozenset[str]:
        return frozenset(consumers(self.lines, tensor))
