"""By hand means by hand: what would differentiate for a learner is refused while an item runs.

A policy with a friendly message, not a boundary: it shares a process with the submission. What
carries the grade is that answers are compared on probes. On a submission's top level these calls do
nothing, since a notebook's set-up may contain a stray `loss.backward()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.autograd.forward_ad
import torch.autograd.functional
import torch.nn.grad

WHY = "is refused: a gradient is to be written by hand, as a formula"


class ByHand(Exception):
    """An item used what differentiates for it."""


class Policy:
    """Which calls are refused, and what was called while an item ran."""

    def __init__(self) -> None:
        self.enforced = False
        self.running = False
        self.called: str | None = None

    def refuse(self, what: str, plain: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """A stand-in for `plain`: the same until the policy is enforced, refused while an item runs."""

        def refused(*args: Any, **keywords: Any) -> Any:
            if not self.enforced and plain is not None:
                return plain(*args, **keywords)
            if self.running:
                self.called = self.called or what
                raise ByHand(what)
            return None

        refused.__name__ = what.rsplit(".", 1)[-1]
        return refused

    def install(self) -> None:
        """Put a stand-in in the place of each such call. Once, in the zygote: it is too slow for a child."""
        for holder, name, what in TARGETS:
            try:
                setattr(holder, name, self.refuse(what, getattr(holder, name)))
            except (AttributeError, TypeError):
                pass
        for name in ("set_num_threads", "set_num_interop_threads"):  # there is one thread, and no clone
            setattr(torch, name, self.refuse_quietly(getattr(torch, name)))
        for kind in (torch._ops.OpOverloadPacket, torch._ops.OpOverload):
            kind.__call__ = self.refuse_backward(kind.__call__)  # type: ignore[method-assign]
        torch.inference_mode = self.refuse_leaving(torch.inference_mode)  # type: ignore[misc]
        torch.autograd.Variable._execution_engine = Engine(self)  # type: ignore[assignment]

    def refuse_backward(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The call of an operator of torch.ops: refused where it is a backward kernel."""

        def call(op: Any, /, *args: Any, **keywords: Any) -> Any:
            if self.running and "backward" in op.__name__:
                self.refuse(f"torch.ops.aten.{op.__name__}")()
            return plain(op, *args, **keywords)

        return call

    def refuse_leaving(self, plain: Any) -> Any:
        """torch.inference_mode(False) refused: items run in inference mode, where nothing is recorded."""
        policy = self

        class Refusing(plain):  # type: ignore[misc]
            def __init__(self, mode: Any = True) -> None:
                if policy.running and not mode:
                    policy.refuse("torch.inference_mode(False)")()
                super().__init__(mode)

        Refusing.__name__ = Refusing.__qualname__ = "inference_mode"
        return Refusing

    def refuse_quietly(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: None if self.enforced else plain(*args)


class Engine:
    """autograd's engine, refused like the calls that lead to it."""

    def __init__(self, policy: Policy) -> None:
        plain = torch.autograd.Variable._execution_engine
        self.plain = plain
        self.run_backward = policy.refuse("autograd's engine", plain.run_backward)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


def _targets() -> Iterator[tuple[Any, str, str]]:
    yield torch.Tensor, "backward", "Tensor.backward"
    for name in ("backward", "grad"):
        yield torch.autograd, name, f"torch.autograd.{name}"
    yield torch.autograd.graph, "_engine_run_backward", "autograd's engine"
    yield torch.autograd, "_engine_run_backward", "autograd's engine"
    for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"):
        yield torch.autograd.functional, name, f"torch.autograd.functional.{name}"
    for name in ("enter_dual_level", "make_dual", "dual_level"):
        yield torch.autograd.forward_ad, name, f"torch.autograd.forward_ad.{name}"
    for name in ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "linearize"):
        yield torch.func, name, f"torch.func.{name}"
        yield torch._functorch.eager_transforms, name, f"torch.func.{name}"
        yield torch._functorch.apis, name, f"torch.func.{name}"
    for name in ("compile", "enable_grad"):
        yield torch, name, f"torch.{name}"
    yield torch.autograd, "enable_grad", "torch.enable_grad"
    for holder, prefix in (
        (torch, "torch"),
        (torch._C._nn, "torch._C._nn"),
        (torch._C._VariableFunctions, "torch"),
    ):
        for name in dir(holder):
            if "backward" in name and callable(getattr(holder, name, None)):
                yield holder, name, f"{prefix}.{name}"
    for name in dir(torch.nn.grad):
        if name.endswith(("_input", "_weight")):
            yield torch.nn.grad, name, f"torch.nn.grad.{name}"


TARGETS = tuple(_targets())
