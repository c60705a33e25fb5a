"""Two values side by side, as a person reads them."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.core import plain
from grader.judging.shown import both
from grader.reference import values


@given(st.integers(0, 39), st.floats(1, 9, width=32))
def test_a_long_tensor_is_cut_to_plain_numbers_around_what_differs(at: int, more: float) -> None:
    wanted = torch.arange(40.0)
    came = wanted.clone()
    came[at] += more
    one, other = (plain.decode(values.dumps(t)) for t in (came, wanted))
    said = both(one, other, (at,))
    for text, tensor in zip(said, (came, wanted), strict=True):
        assert f"{float(tensor[at]):.6g}" in text.strip("[]").split(", ")
        assert "np." not in text and "float32" not in text
