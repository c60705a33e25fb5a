"""Plain data with torch's tensors in it: to its bytes and back. For both sides of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from grader.core import plain

MARK = "plain:"  # names a fixture's plain data, which its safetensors files hold as bytes

_Tensor, _float32, _float64, _numpy_scalar = torch.Tensor, torch.float32, torch.float64, np.generic
_Array, _of_array = np.ndarray, torch.tensor


def dumps(value: object) -> bytes:
    """The bytes of plain data; NotPlain where it isn't."""
    return plain.encode(value, _other)


def loads(data: bytes) -> Any:
    return plain.rebuilt(plain.decode(data), _tensor)


def copied(value: Any) -> Any:
    """A copy that shares nothing with the original."""
    return plain.rebuilt(value, lambda v: v.clone() if isinstance(v, _Tensor) else v)


def packed(env: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Tensors, and what is plain data as tensors of bytes: what a safetensors file can hold."""
    return {
        (k if isinstance(v, _Tensor) else MARK + k): v if isinstance(v, _Tensor) else _bytes(dumps(v))
        for k, v in env.items()
    }


def unpacked(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """What `packed` was given."""
    return {
        k.removeprefix(MARK): loads(v.numpy().tobytes()) if k.startswith(MARK) else v
        for k, v in tensors.items()
    }


def _bytes(data: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def tensor(value: Any) -> Any:
    """A NumPy array of numbers as a tensor; what is none as it is."""
    return _of_array(value) if type(value) is _Array and value.dtype.kind in "biuf" else value


def _other(value: Any) -> Any:
    if issubclass(type(value), _numpy_scalar):
        return value.item()
    value = tensor(value)
    if not issubclass(type(value), _Tensor) or value.is_complex() or value.device.type != "cpu":
        return None
    strided = value if value.layout is torch.strided else value.to_dense()
    numbers = strided.detach().as_subclass(_Tensor).resolve_conj().resolve_neg()
    sent = numbers if numbers.dtype is _float32 else numbers.to(_float64)
    if sent.numel() * 16 > plain.MAX_BYTES:
        raise plain.NotPlain("a tensor of too many elements")
    dtype = str(numbers.dtype).removeprefix("torch.")
    return plain.Tensor(dtype, tuple(numbers.shape), sent.contiguous().numpy().tobytes())


def _tensor(value: Any) -> Any:
    if type(value) is not plain.Tensor:
        return value
    sent = _float32 if value.dtype == "float32" else _float64
    flat = torch.frombuffer(bytearray(value.data), dtype=sent) if value.data else torch.zeros(0, dtype=sent)
    return flat.reshape(value.shape).to(getattr(torch, value.dtype))
