"""The LSTM cell: a memory with three gates, and two steps through time.

A recurrent network reads one token after the other and takes its state along. A plain one multiplies the
state by the same matrix at every step, so its gradients vanish or explode. The LSTM has a second state, the
cell c, which is only scaled and added to: what it holds can stay for many steps, and so can its gradient.

In steps, for 4 examples, inputs of 3 and states of 5: all four of a step come from one matrix product, z2
(4, 20), its first 5 columns for the input gate i, then the forget gate f, the new values g, and the output
gate o, (4, 5) each; i, f and o through a sigmoid, g through tanh. The cell c2 = f · c1 + i · g, and of it
tanh, t2; the state h2 = o · t2. The first step, with 1 at the end of its names, is the same in fewer lines.

Walk back through the second step, and over its edge into the first: h1 and c1 are where the steps meet, and
the cell's gradient comes back on two ways. The matrices are the same at both steps, so what the steps give
them adds up.

Hochreiter and Schmidhuber, 1997; with a forget gate, Gers et al., 2000.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=4, d=3, k=5)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=3, d=5, k=4),
    "probe-3": dict(seed=3, n=6, d=2, k=3),
}

HINTS = {
    "dz2": {
        "formula": """
    dz2[n,j]      = i2[n,j] · (1 − i2[n,j]) · di2[n,j]
    dz2[n,k + j]  = f2[n,j] · (1 − f2[n,j]) · df2[n,j]
    dz2[n,2k + j] = (1 − g2[n,j]²) · dg2[n,j]
    dz2[n,3k + j] = o2[n,j] · (1 − o2[n,j]) · do2[n,j]

with j from 0 to k − 1.
""",
    },
}


def inputs(g, n, d, k):
    """Two inputs, the state and cell before them, the matrices and a target; drawn with the generator g."""
    return {
        "x1": torch.randn((n, d), generator=g),
        "x2": torch.randn((n, d), generator=g),
        "h0": torch.tanh(torch.randn((n, k), generator=g)),
        "c0": torch.randn((n, k), generator=g),
        "W": torch.randn((d, 4 * k), generator=g) * d**-0.5,
        "U": torch.randn((k, 4 * k), generator=g) * k**-0.5,
        "b": torch.randn(4 * k, generator=g) * 0.1,
        "target": torch.randn((n, k), generator=g),
    }


def forward(x1, x2, h0, c0, W, U, b, target, k):
    # the first step
    z1 = x1 @ W + h0 @ U + b
    c1 = torch.sigmoid(z1[:, k : 2 * k]) * c0 + torch.sigmoid(z1[:, :k]) * torch.tanh(z1[:, 2 * k : 3 * k])
    o1 = torch.sigmoid(z1[:, 3 * k :])
    h1 = o1 * torch.tanh(c1)
    # the second: four from one product
    z2 = x2 @ W + h1 @ U + b
    i2 = torch.sigmoid(z2[:, :k])
    f2 = torch.sigmoid(z2[:, k : 2 * k])
    g2 = torch.tanh(z2[:, 2 * k : 3 * k])
    o2 = torch.sigmoid(z2[:, 3 * k :])
    # the cell, and what is shown of it
    c2 = f2 * c1 + i2 * g2
    t2 = torch.tanh(c2)
    h2 = o2 * t2
    loss = F.mse_loss(h2, target)
    return loss


def dt2(o2, dh2):
    """dt2 (4, 5): the gradient of the loss with respect to t2.

    Forward:  h2 = o2 * t2
    Upstream: dh2 (4, 5)
    """
    return o2 * dh2


def dc2(t2, dt2):
    """dc2 (4, 5): the gradient of the loss with respect to c2.

    Forward:  t2 = torch.tanh(c2)
    Upstream: dt2 (4, 5)
    """
    return (1 - t2**2) * dt2


def df2(c1, dc2):
    """df2 (4, 5): the gradient of the loss with respect to f2.

    Forward:  c2 = f2 * c1 + i2 * g2
    Upstream: dc2 (4, 5)
    """
    return c1 * dc2


def di2(g2, dc2):
    """di2 (4, 5): the gradient of the loss with respect to i2.

    Forward:  c2 = f2 * c1 + i2 * g2
    Upstream: dc2 (4, 5)
    """
    return g2 * dc2


def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    """dz2 (4, 20): the gradient of the loss with respect to z2.

    Forward:  i2 = torch.sigmoid(z2[:, :k])
              f2 = torch.sigmoid(z2[:, k : 2 * k])
              g2 = torch.tanh(z2[:, 2 * k : 3 * k])
              o2 = torch.sigmoid(z2[:, 3 * k :])
    Upstream: di2 (4, 5), df2 (4, 5), dg2 (4, 5), do2 (4, 5)
    Four parts side by side, one of them with another derivative.
    """
    return torch.cat(
        [i2 * (1 - i2) * di2, f2 * (1 - f2) * df2, (1 - g2**2) * dg2, o2 * (1 - o2) * do2], 1
    )


def dh1(U, dz2):
    """dh1 (4, 5): the gradient of the loss with respect to h1.

    Forward:  z2 = x2 @ W + h1 @ U + b
    Upstream: dz2 (4, 20)
    """
    return dz2 @ U.T


def dc1(c1, o1, f2, dh1, dc2):
    """dc1 (4, 5): the gradient of the loss with respect to c1.

    Forward:  c2 = f2 * c1 + i2 * g2
              h1 = o1 * torch.tanh(c1)
    Upstream: dc2 (4, 5), dh1 (4, 5)
    From cell to cell, and through the state.
    """
    return f2 * dc2 + o1 * (1 - torch.tanh(c1) ** 2) * dh1


def dW(x1, x2, dz1, dz2):
    """dW (3, 20): the gradient of the loss with respect to W.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    """
    return x1.T @ dz1 + x2.T @ dz2


def dU(h0, h1, dz1, dz2):
    """dU (5, 20): the gradient of the loss with respect to U.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    Each step's own state before it.
    """
    return h0.T @ dz1 + h1.T @ dz2


def db(dz1, dz2):
    """db (20,): the gradient of the loss with respect to b.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    """
    return (dz1 + dz2).sum(0)
