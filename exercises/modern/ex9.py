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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dt2: not written yet")


def dc2(t2, dt2):
    """dc2 (4, 5): the gradient of the loss with respect to c2.

    Forward:  t2 = torch.tanh(c2)
    Upstream: dt2 (4, 5)
    """
    raise NotImplementedError("dc2: not written yet")


def df2(c1, dc2):
    """df2 (4, 5): the gradient of the loss with respect to f2.

    Forward:  c2 = f2 * c1 + i2 * g2
    Upstream: dc2 (4, 5)
    """
    raise NotImplementedError("df2: not written yet")


def di2(g2, dc2):
    """di2 (4, 5): the gradient of the loss with respect to i2.

    Forward:  c2 = f2 * c1 + i2 * g2
    Upstream: dc2 (4, 5)
    """
    raise NotImplementedError("di2: not written yet")


def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    """dz2 (4, 20): the gradient of the loss with respect to z2.

    Forward:  i2 = torch.sigmoid(z2[:, :k])
              f2 = torch.sigmoid(z2[:, k : 2 * k])
              g2 = torch.tanh(z2[:, 2 * k : 3 * k])
              o2 = torch.sigmoid(z2[:, 3 * k :])
    Upstream: di2 (4, 5), df2 (4, 5), dg2 (4, 5), do2 (4, 5)
    Four parts side by side, one of them with another derivative.
    """
    raise NotImplementedError("dz2: not written yet")


def dh1(U, dz2):
    """dh1 (4, 5): the gradient of the loss with respect to h1.

    Forward:  z2 = x2 @ W + h1 @ U + b
    Upstream: dz2 (4, 20)
    """
    raise NotImplementedError("dh1: not written yet")


def dc1(c1, o1, f2, dh1, dc2):
    """dc1 (4, 5): the gradient of the loss with respect to c1.

    Forward:  c2 = f2 * c1 + i2 * g2
              h1 = o1 * torch.tanh(c1)
    Upstream: dc2 (4, 5), dh1 (4, 5)
    From cell to cell, and through the state.
    """
    raise NotImplementedError("dc1: not written yet")


def dW(x1, x2, dz1, dz2):
    """dW (3, 20): the gradient of the loss with respect to W.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    """
    raise NotImplementedError("dW: not written yet")


def dU(h0, h1, dz1, dz2):
    """dU (5, 20): the gradient of the loss with respect to U.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    Each step's own state before it.
    """
    raise NotImplementedError("dU: not written yet")


def db(dz1, dz2):
    """db (20,): the gradient of the loss with respect to b.

    Forward:  z1 = x1 @ W + h0 @ U + b
              z2 = x2 @ W + h1 @ U + b
    Upstream: dz1 (4, 20), dz2 (4, 20)
    """
    raise NotImplementedError("db: not written yet")
