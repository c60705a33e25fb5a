# expect: ex1 dprobs exact
# expect: ex1 dW2 exact
"""A file that type checkers like: the names of its annotations exist for them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def dprobs(probs: Tensor, dlogprobs: Tensor) -> Tensor:
    return (1.0 / probs) * dlogprobs


def dW2(h: Tensor, dlogits: Tensor) -> Tensor:
    return h.T @ dlogits
