"""What a function of a submission gave, as a header and bytes; in the untrusted process."""

from __future__ import annotations

from typing import Any

import torch

from grader.core.finding import Code
from grader.reference.values import tensor
from grader.runner import wire
from grader.runner.untrusted import outputs
from grader.runner.untrusted.loading import describe

# Bound before a submission can replace them.
_Tensor = torch.Tensor
_float32, _float64 = torch.float32, torch.float64


def packed(header: dict[str, Any], value: Any) -> tuple[dict[str, Any], bytes]:
    """What an output gives, a tensor or plain data."""
    value = tensor(value)
    return (pack if isinstance(value, _Tensor) else outputs.pack)(header, value)


def pack(header: dict[str, Any], value: Any) -> tuple[dict[str, Any], bytes]:
    """Reduce what a function returned to plain data."""
    if not isinstance(value, _Tensor):
        name = type(value).__name__[:80]
        article = "an" if name[:1] in "aeio" or name == "ndarray" else "a"
        kind = "None (is a `return` missing?)" if value is None else f"{article} {name}"
        code = Code.MISSING_RETURN if value is None else Code.NOT_A_TENSOR
        told = f"returned {kind}, not a tensor"
        if name in ("ndarray", "list", "tuple", "float", "int"):
            told += "; `torch.as_tensor` makes one"
        return {**header, "status": "not-a-tensor", "message": told, "code": code}, b""
    try:
        strided = value if value.layout is torch.strided else value.to_dense()
        plain = strided.detach().as_subclass(_Tensor)
        header["dtype"] = str(plain.dtype).removeprefix("torch.")
        if plain.dim() > wire.MAX_DIMS:
            message = f"returned a tensor of {plain.dim()} dimensions"
            return {**header, "status": "not-a-tensor", "message": message}, b""
        header["shape"] = list(plain.shape)
        header["status"] = "value"
        if max((plain.numel(), *plain.shape)) > wire.MAX_ELEMENTS:
            return header, b""
        if plain.device.type != "cpu":
            message = f"returned a tensor on {plain.device.type}, which holds no values here"
            return {**header, "status": "not-a-tensor", "message": message}, b""
        if plain.is_complex():
            return header, b""
        plain = plain.resolve_conj().resolve_neg()
        encoded = plain if plain.dtype is _float32 else plain.to(_float64)
        header["encoded"] = "float32" if plain.dtype is _float32 else "float64"
        header["sent"] = True
        return header, encoded.contiguous().numpy().tobytes()
    except Exception as error:
        message = f"returned a tensor that can't be read: {describe(error, '')[0]}"
        failed = {k: v for k, v in header.items() if k not in ("encoded", "sent", "shape")}
        return {**failed, "status": "not-a-tensor", "message": message}, b""
