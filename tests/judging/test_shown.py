"""Two values side by side, as a person reads them."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.core import plain
from grader.judging.compare_plain import first_difference
from grader.judging.excerpts import excerpt
from grader.judging.shown import both
from grader.reference import values
from grader.submissions.script import Script


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


@given(st.integers(0, 39), st.integers(1, 9))
def test_a_long_dict_is_cut_to_the_entry_that_differs(at: int, more: int) -> None:
    wanted = {(k, k + 1): [k, 10 * k] for k in range(40)}
    came = {k: [*v] for k, v in wanted.items()}
    came[(at, at + 1)][1] += more
    path = first_difference(came, wanted, exact=True)
    assert path == ((at, at + 1), 1)
    assert both(came, wanted, path)[0] == f"{{{(at, at + 1)}: {[at, 10 * at + more]}, …}}"
    assert first_difference(wanted, wanted, exact=True) is None


def test_only_what_is_known_to_be_at_fault_is_marked() -> None:
    code = Script(b"def dx(y):\n    a = 2 * y\n    return a\n\n\ndef dz(y):\n    return y\n")
    for line, sure, rows, marked in (
        (2, True, [1, 2], True),
        (2, False, [2, 3], False),  # the first of several lines
        (7, False, [6, 7], True),  # the only one
    ):
        seen = excerpt(code, line, None, sure)
        assert seen and [n for n, _ in seen.lines] == rows and (seen.end > seen.start) is marked
