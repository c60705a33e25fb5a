"""A gradient checked by small steps, held against torch's, and the clipped loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from authors import functions

check = functions("gradcheck.ex1")


def test_the_numeric_gradient_is_autograds() -> None:
    x = torch.randn(
        (3, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True
    )

    def f(t: torch.Tensor) -> torch.Tensor:
        return (t.tanh() @ t.T).exp().sum()

    (wanted,) = torch.autograd.grad(f(x), x)
    numeric = check.numeric_gradient(f, x.detach(), 1e-5)
    assert check.relative_error(numeric, wanted) < 1e-7
    assert check.wrong_places(f, wanted, x.detach(), 1e-5, 1e-4) == []


def test_float32_wants_a_larger_step() -> None:
    steps = [10.0**-k for k in range(1, 13)]
    best = {
        dtype: check.best_step(
            torch.sin, torch.tensor(0.7).double().cos().item(), torch.tensor(0.7, dtype=dtype), steps
        )
        for dtype in (torch.float32, torch.float64)
    }
    assert best[torch.float32] >= 1e-3 and best[torch.float64] <= 1e-4


def test_an_outlier_learns_nothing_from_the_clipped_loss_and_something_from_hubers() -> None:
    delta = torch.tensor([0.5, -3.0, 20.0, -0.25], dtype=torch.float64)
    assert check.outlier_gradient(delta, 1.0).tolist() == [0.25, 0, 0, -0.125]
    assert check.mended_gradient(delta, 1.0).tolist() == [0.25, -0.5, 0.5, -0.125]
    torch.testing.assert_close(check.mended(delta, 1.0), 2 * F.huber_loss(delta, torch.zeros(4).double()))
