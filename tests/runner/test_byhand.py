"""By hand means by hand: ways to differentiate, each of which works where nothing refuses it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from conftest import solution

from grader.core.verdict import ItemReport

Item = Callable[..., ItemReport]

# bodies of dhpreact(hpreact, h, dh)
KERNELS = {
    "torch.ops": "return torch.ops.aten.tanh_backward(dh, h)",
    "an overload": "return torch.ops.aten.tanh_backward.default(dh, h)",
    "an overload by name": 'return torch._C._get_operation_overload("aten::tanh_backward", "")[0](dh, h)',
    "an operation by name": 'return torch._C._jit_get_operation("aten::tanh_backward")[0](dh, h)',
    "what an operator calls": 'return vars(torch.ops.aten.tanh_backward)["_op"](dh, h)',
    "what an overload calls": 'return vars(torch.ops.aten.tanh_backward.default)["_op"](dh, h)',
    "an overload with a key": """
        overload = torch.ops.aten.tanh_backward.default
        return overload._op_dk(torch._C.DispatchKey.CPU, dh, h)""",
    "an operator of another name": """
        operator = torch.ops.aten.tanh_backward
        operator.__name__ = "fine"
        return operator(dh, h)""",
    "dispatched again": """
        keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
        return torch.ops.aten.tanh_backward.default.redispatch(keys, dh, h)""",
    "a boxed call": """
        return torch._C._dispatch_call_boxed(torch.ops.aten.tanh_backward.default._handle, dh, h)""",
    "a kernel by its key": """
        kernel = torch.library.get_kernel("aten::tanh_backward", "CPU")
        return kernel.call_boxed(torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), dh, h)""",
    "a library of one's own": """
        library = torch.library.Library("by_hand", "FRAGMENT")
        library.define("mine(Tensor a, Tensor b) -> Tensor")
        library.impl("mine", torch._C._get_operation_overload("aten::tanh_backward", "")[0], "CPU")
        return torch.ops.by_hand.mine(dh, h)""",
    "a table of decompositions": """
        from torch._decomp import decomposition_table
        return decomposition_table[torch.ops.aten.tanh_backward.default](dh, h)""",
    "decompositions": """
        from torch._decomp import get_decompositions
        found = get_decompositions([torch.ops.aten.tanh_backward])
        return found[torch.ops.aten.tanh_backward.default](dh, h)""",
    "TorchScript": '''
        code = """
        def f(g, h):
            return torch.ops.aten.tanh_backward(g, h)
        """
        import textwrap
        return torch.jit.CompilationUnit(textwrap.dedent(code)).f(dh, h)''',
}
# and what differentiates where inference mode can be left, or its tensors be recorded
RECORDS = {
    "the guard's own type": """
        kinds = torch._C.DispatchKeySet.__base__.__subclasses__()
        kind = next(k for k in kinds if k.__name__ == "_InferenceMode")
        guard = kind(False)
        guard.__enter__()
        torch._C._set_grad_enabled(True)
        x = torch.from_numpy(hpreact.numpy().copy()).requires_grad_()
        return x.tanh().grad_fn(torch.from_numpy(dh.numpy().copy()))""",
    "a dispatch key": """
        torch._C._dispatch_tls_set_dispatch_key_excluded(torch._C.DispatchKey.AutogradFunctionality, False)
        torch._C._set_grad_enabled(True)
        back = OUTSIDE.requires_grad_().square().grad_fn  # of a tensor that was made before
        torch._C._set_grad_enabled(False)
        return back(dh / 2 / OUTSIDE) * (1 - h**2)""",
}
WAYS = KERNELS | RECORDS
SIGNATURE = "def dhpreact(hpreact, h, dh):\n"


def function(way: str) -> str:
    return SIGNATURE + textwrap.indent(textwrap.dedent(way).strip(), "    ") + "\n"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_without_the_policy_it_differentiates(way: str) -> None:
    hpreact, dh = torch.randn(3, 4), torch.randn(3, 4)
    names: dict[str, Any] = {"torch": torch, "OUTSIDE": torch.rand(3, 4) + 1}

    def called() -> Any:
        exec(function(way), names)
        with torch.inference_mode(way in RECORDS.values()):
            return names["dhpreact"](hpreact, hpreact.tanh(), dh).detach()

    with ThreadPoolExecutor(1) as thread:  # whose state ends with it
        torch.testing.assert_close(thread.submit(called).result(), (1 - hpreact.tanh() ** 2) * dh)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_in_an_item_it_is_refused(way: str, item: Item) -> None:
    found = item(f"{solution('ex1')}\n{function(way)}", "ex1", "dhpreact")
    assert found.verdict.value == "refused"
    assert found.check.reason and "is refused: a gradient is to be written by hand" in found.check.reason


FORWARD = "C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n"
DIFFERENCES = f"""
def db2({FORWARD}):
    a, out = [t.double() for t in (C, W1, b1, W2, b2, bngain, bnbias)], torch.zeros_like(b2)
    for j in range(len(out)):
        up, down = list(a), list(a)
        up[4], down[4] = a[4].clone(), a[4].clone()
        up[4][j] += 1e-4
        down[4][j] -= 1e-4
        out[j] = (FUNCTION(*up, Xb, Yb, n) - FUNCTION(*down, Xb, Yb, n)) / 2e-4
    return out
"""


@pytest.mark.parametrize(("top", "function"), [("", "forward"), ("other = forward", "other")])
def test_the_stubs_forward_is_refused_under_whatever_name(top: str, function: str, item: Item) -> None:
    source = f"{solution('ex1')}\n{top}\n{DIFFERENCES.replace('FUNCTION', function)}"
    assert item(source, "ex1", "db2").verdict.value == "refused"
    own = re.sub(r"\bforward\b", "mine", source)
    assert item(own, "ex1", "db2").passed, "it differentiates where it is no stub's"


def test_the_stubs_forward_runs_on_the_top_level(item: Item) -> None:
    own = "forward(*(torch.ones(2, 2) for _ in range(7)), torch.ones(1, 1).long(), [0], 1)"
    source = f"{solution('ex1')}\ntry:\n    {own}\nexcept RuntimeError as error:\n    print(error)\n"
    assert item(source, "ex1", "db2").passed


def test_inference_mode_may_be_entered_again(item: Item) -> None:
    source = """
    @torch.inference_mode()
    def dprobs(probs, dlogprobs):
        with torch.inference_mode(), torch.no_grad():
            return dlogprobs / probs
    """
    assert item(f"import torch\n{textwrap.dedent(source)}", "ex1", "dprobs").passed


def test_torch_has_its_decompositions_after_an_item_could_not(item: Item) -> None:
    source = """
    import torch
    def dprobs(probs, dlogprobs):
        import torch._decomp
        return torch.func.vmap(lambda p, g: g / p)(probs, dlogprobs)
    """
    assert item(textwrap.dedent(source), "ex1", "dprobs").passed
