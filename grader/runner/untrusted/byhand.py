"""By hand means by hand: what would differentiate for a learner is refused while an item runs.

A courtesy with a friendly message, not a boundary: it shares a process with the submission. What
carries the grade is that answers are compared on probes. On a submission's top level these calls do
nothing, since a notebook's set-up may contain a stray `loss.backward()`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import wraps
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

import torch
import torch.autograd.forward_ad
import torch.autograd.functional
import torch.nn.grad

OWN = os.path.dirname(torch.__file__) + os.sep
DISPATCH = (  # with which a tensor from outside of inference mode is recorded in it
    "_dispatch_tls_set_dispatch_key_included",
    "_dispatch_tls_set_dispatch_key_excluded",
    "_ForceDispatchKeyGuard",
    "_IncludeDispatchKeyGuard",
)
# these import torch's primitives in a circle, unless those are there: `start.py` defers what would bring them
FIRST = ("torch._dynamo", "torch._inductor", "torch.utils._content_store")
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
        self.kernels: list[Any] = []  # the library that refuses them: it does as long as somebody has it

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
        self.kernels.append(self.refuse_kernels())
        sys.meta_path.insert(0, Imports(self))
        vmap = cast(Any, torch._functorch.vmap)
        lazy = vmap.lazy_load_decompositions
        vmap.lazy_load_decompositions = lambda: self.pause(lazy)
        torch.compile = self.refuse_compiled
        torch.autograd.Variable._execution_engine = _engine(self)

    def pause(self, plain: Callable[..., Any], *args: Any) -> Any:
        """A call of what torch does for itself, which nothing is refused."""
        before, self.running, self.own = (self.running, self.own), False, True
        try:
            return plain(*args)
        finally:
            self.running, self.own = before

    def refuse_kernels(self) -> Any:
        """A library that refuses each backward kernel by its operator's schema, in torch's own dispatcher.

        So it is refused to whatever leads there: torch.ops, an overload, a handle, a boxed call, TorchScript,
        another library's kernel.
        """
        library = torch._C._dispatch_library("IMPL", "aten", "CPU", __file__, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kernels that are replaced
            for name in torch._C._dispatch_get_all_op_names():
                namespace, _, operator = name.partition("::")
                if namespace == "aten" and "backward" in operator:
                    with suppress(RuntimeError):  # of another torch
                        library.impl(operator, "CPU", self.refuse_kernel(operator.partition(".")[0]))
        return library

    def refuse_kernel(self, operator: str) -> Callable[..., Any]:
        what = f"torch.ops.aten.{operator}"
        refused = self.refuse(what)

        def kernel(*_: Any, **__: Any) -> Any:
            refused()
            raise ByHand(what)  # on the top level: nothing is no tensor

        return kernel

    def allow_kernels(self) -> None:
        """Put torch's own kernels back, for a trusted fork."""
        self.kernels.clear()

    def enforce(self) -> None:
        """From here on nothing is recorded, and what is refused is: in a child, before its submission.

        Nothing leads to what could undo it: no object has inference mode's guard or the kernels' library,
        which last as long as the process, and the guard's type makes no other.
        """
        kind: Any = torch._C._InferenceMode
        guard = kind(True)
        guard.__enter__()
        for lasting in (guard, *self.kernels):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(lasting))
        self.kernels.clear()
        kind.__init__ = self.refuse("torch.inference_mode(False)")
        del kind.__enter__, kind.__exit__
        torch._C._InferenceMode = self.inference_mode  # type: ignore[assignment, misc]
        self.enforced = True

    def inference_mode(self, mode: bool = True) -> AbstractContextManager[None]:
        """What torch.inference_mode enters: it is on, and is not left."""
        if not mode:
            self.refuse("torch.inference_mode(False)")()
        return nullcontext()

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

    Its backward kernels in Python are refused from when they are imported, by name and in their tables: to
    import them takes long.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name in FIRST and "torch._prims" not in sys.modules:
            import_module("torch._prims.rng_prims")
        spec = PathFinder.find_spec(name, path) if name.startswith("torch.") else None
        if spec is None or spec.loader is None or not str(spec.origin).startswith(OWN):
            return None
        plain = spec.loader.exec_module

        def load(module: ModuleType) -> None:
            self.policy.pause(plain, module)
            if name != "torch._decomp.decompositions":
                return
            for what in dir(module):
                if "backward" in what and callable(getattr(module, what)):
                    setattr(module, what, self.policy.refuse(f"{name}.{what}", getattr(module, what)))
            package = sys.modules["torch._decomp"]
            tables = package.global_decomposition_table
            tables.update((kind, Table(self.policy, table)) for kind, table in tables.items())
            package.decomposition_table = tables["post_autograd"]  # type: ignore[attr-defined]

        spec.loader.exec_module = load  # type: ignore[method-assign]
        return spec


class Table(dict[Any, Any]):
    """A table of torch's decompositions: those of backward kernels are refused while an item runs."""

    def __init__(self, policy: Policy, plain: Mapping[Any, Any]) -> None:
        super().__init__(plain)
        self.policy = policy

    def __getitem__(self, operator: Any) -> Any:
        if "backward" in str(operator):
            self.policy.refuse(f"the decomposition of {operator}")()
        return super().__getitem__(operator)


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
        (torch._C, ("_enter_dual_level", *DISPATCH)),
    ):
        for name in names:
            yield holder, name, f"{holder.__name__}.{name}"
    for holder in (torch, torch.autograd):
        yield holder, "enable_grad", "torch.enable_grad"
    for name in dir(torch.nn.grad):
        if name.endswith(("_input", "_weight")):
            yield torch.nn.grad, name, f"torch.nn.grad.{name}"


TARGETS = tuple(_targets())
