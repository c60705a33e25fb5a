"""LayerNorm: every position is normalised on its own.

Batch norm took the mean of a column, over the batch. LayerNorm takes the mean of a row, over the
channels of one position: no example touches another, and training and evaluation are the same.
Its variance divides by C, not by C - 1. After it come a weight and a bias for each channel.

Write the gradients of the bias and the weight, and then that of the input in one step, from what the
forward pass has saved: norm and rstd.

Parameters are passed by name; you may ask for others, which `grader show` lists. The shapes given are
those of one set of tensors, (B, T, C) = (4, 6, 10); your formulas are asked at other sizes too.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, C=10),
    "probe-1": dict(seed=1, B=4, T=6, C=10),
    "probe-2": dict(seed=2, B=3, T=5, C=7),
    "probe-3": dict(seed=3, B=2, T=8, C=3),
}

HINTS = {
    "dx": {
        "concept": """
Work on a single position: one row of C numbers is normalised on its own. A number of it reaches norm in
three ways: directly, through the mean, and through the variance. Go backwards on paper to norm, to the
variance, to the mean, and last to x, where the three ways meet and add up.
It gets short because the distances from the mean sum to 0, and because only two sums over the row are left
in the end: that of the gradient of norm, and that of the same times norm. There is no Bessel correction
here: both are divided by the same C.
""",
        "formula": """
    dx[b,t,i] = rstd[b,t,0] · (g[i] − s − norm[b,t,i] · r)

g[i] = w[i] · dout[b,t,i] is the gradient of norm in this row, s = 1/C · Σ_i g[i] is what comes back through
the mean, and r = 1/C · Σ_i g[i] · norm[b,t,i] what comes back through the variance.
""",
    },
}


def inputs(g, B, T, C):
    """Activations, a weight near 1 and a bias near 0, and what the output is wanted to be."""
    return {
        "x": torch.randn((B, T, C), generator=g) * 1.5 + 0.3,
        "w": torch.randn(C, generator=g) * 0.3 + 1.0,
        "b": torch.randn(C, generator=g) * 0.1,
        "goal": torch.randn((B, T, C), generator=g),
    }


def forward(x, w, b, goal):
    mean = x.mean(-1, keepdim=True)
    xshift = x - mean
    var = (xshift**2).mean(-1, keepdim=True)
    rstd = (var + 1e-5) ** -0.5
    norm = xshift * rstd
    out = norm * w + b
    loss = ((out - goal) ** 2).mean()
    return loss


def db(dout):
    """db (10,): the gradient of the loss with respect to b.

    Forward:  out = norm * w + b
    Upstream: dout (4, 6, 10)
    Every position of every example uses the same b.
    """
    return dout.sum((0, 1))


def dw(norm, dout):
    """dw (10,): the gradient of the loss with respect to w.

    Forward:  out = norm * w + b
    Upstream: dout (4, 6, 10)
    """
    return (norm * dout).sum((0, 1))


def dx(w, norm, rstd, dout):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to out = norm * w + b
    Upstream: dout (4, 6, 10)
    Each row of it sums to zero: the mean is taken out, so a shift of a whole row does nothing.
    """
    g = dout * w
    return rstd * (g - g.mean(-1, keepdim=True) - norm * (g * norm).mean(-1, keepdim=True))
