"""By hand means by hand: what would differentiate for a learner is refused while an item runs.

A policy with a friendly message, not a boundary: it shares a process with the submission. What
carries the grade is that answers are compared on probes. On a submission's top level these calls do
nothing, since a notebook's set-up may contain a stray `loss.backward()`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

import torch
import torch.autograd.forward_ad
import torch.autograd.functional
import torch.nn.grad

OWN = os.path.dirname(torch.__file__) + os.sep
WHY = "is refused: a gradient is to be written by hand, as a formula"


class ByHand(Exception):
    """An item used what differentiates for it."""


class Policy:
    """Which calls are refused, and what was called while an item ran."""

    def __init__(self) -> None:
        self.enforced = False
        self.running = False
        self.own = False  # while torch does something for itself
        self.called: str | None = None

    def refuse(self, what: str, plain: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """A stand-in for `plain`: the same until the policy is enforced, refused while an item runs."""

        def refused(*args: Any, **keywords: Any) -> Any:
            if (self.own or not self.enforced) and plain is not None:
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
            kind._op = self.refuse_kernel()  # type: ignore[misc, assignment]
        plain = torch._C._InferenceMode
        leave = self.refuse("torch.inference_mode(False)", plain)
        torch._C._InferenceMode = lambda mode=True: (plain if mode else leave)(mode)  # type: ignore
        sys.meta_path.insert(0, Imports(self))
        vmap = cast(Any, torch._functorch.vmap)
        lazy = vmap.lazy_load_decompositions
        vmap.lazy_load_decompositions = lambda: self.pause(lazy)
        torch.compile = self.refuse_compiled
        torch.inference_mode = self.refuse_leaving(torch.inference_mode)  # type: ignore[misc]
        torch.autograd.Variable._execution_engine = _engine(self)

    def pause(self, plain: Callable[..., Any], *args: Any) -> Any:
        """A call of what torch does for itself, which nothing is refused."""
        before, self.running, self.own = (self.running, self.own), False, True
        try:
            return plain(*args)
        finally:
            self.running, self.own = before

    def refuse_backward(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The call of an operator of torch.ops: refused where it is a backward kernel."""

        def call(op: Any, /, *args: Any, **keywords: Any) -> Any:
            if self.running and "backward" in op.__name__:
                self.refuse(f"torch.ops.aten.{op.__name__}")()
            return plain(op, *args, **keywords)

        return call

    def refuse_kernel(self) -> property:
        """What an operator of torch.ops calls: refused where it is a backward kernel."""

        def get(op: Any) -> Any:
            if self.running and "backward" in op.__name__:
                self.refuse(f"torch.ops.aten.{op.__name__}")()
            return vars(op)["_op"]

        return property(get, lambda op, plain: vars(op).update(_op=plain))

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

    def refuse_compiled(self, model: Any = None, **options: Any) -> Any:
        """torch.compile: what it is given on the top level is refused when it is called."""
        refused = self.refuse("torch.compile")
        if self.running:
            refused()
        if model is None:  # @torch.compile(dynamic=True)
            return self.refuse_compiled
        return wraps(model)(refused) if callable(model) else refused

    def refuse_quietly(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: None if self.enforced else plain(*args)


def _engine(policy: Policy) -> Any:
    """autograd's engine, refused like the calls that lead to it."""
    plain = torch.autograd.Variable._execution_engine

    class Engine:
        run_backward = staticmethod(policy.refuse("autograd's engine", plain.run_backward))

        def __getattr__(self, name: str) -> Any:
            return getattr(plain, name)

    return Engine()


class Imports(MetaPathFinder):
    """Imports of torch's own modules: some look through its kernels, which is no learner's doing.

    Its backward kernels in Python are refused from when they are imported: to import them takes long.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name.startswith("torch.") else None
        if spec is None or spec.loader is None or not str(spec.origin).startswith(OWN):
            return None
        plain = spec.loader.exec_module

        def load(module: ModuleType) -> None:
            self.policy.pause(plain, module)
            for what in dir(module) if name == "torch._decomp.decompositions" else ():
                if "backward" in what and callable(getattr(module, what)):
                    setattr(module, what, self.policy.refuse(f"{name}.{what}", getattr(module, what)))

        spec.loader.exec_module = load  # type: ignore[method-assign]
        return spec


def _targets() -> Iterator[tuple[Any, str, str]]:
    yield torch.Tensor, "backward", "Tensor.backward"
    for name in ("backward", "grad"):
        yield torch.autograd, name, f"torch.autograd.{name}"
    yield torch.autograd.graph, "_engine_run_backward", "autograd's engine"
    yield torch.autograd, "_engine_run_backward", "autograd's engine"
    for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"):
        yield torch.autograd.functional, name, f"torch.autograd.functional.{name}"
    by_differences = sys.modules["torch.autograd.gradcheck"]  # torch.autograd has a function of that name
    for name in dir(by_differences):
        if "jacobian" in name and callable(getattr(by_differences, name)):
            yield by_differences, name, f"torch.autograd.gradcheck.{name}"
    for name in ("enter_dual_level", "make_dual", "dual_level"):
        yield torch.autograd.forward_ad, name, f"torch.autograd.forward_ad.{name}"
    for name in ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "linearize"):
        yield torch.func, name, f"torch.func.{name}"
        yield torch._functorch.eager_transforms, name, f"torch.func.{name}"
        yield torch._functorch.apis, name, f"torch.func.{name}"
    for holder, names in (
        (torch._C._functorch, ("_grad_increment_nesting", "_jvp_increment_nesting")),
        (torch._C, ("_enter_dual_level",)),
    ):
        for name in names:
            yield holder, name, f"{holder.__name__}.{name}"
    for holder in (torch, torch.autograd):
        yield holder, "enable_grad", "torch.enable_grad"
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
