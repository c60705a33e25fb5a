"""RMSNorm: only the size is taken out.

Layer norm subtracts the mean and divides by the standard deviation. RMSNorm, which most language models
have now, leaves the mean where it is: each token's vector is divided by its root mean square and multiplied
by a learnt gain. One sum less forward, one branch less on the way back.

Here are two of them with a matrix between. The second is written in steps: the mean square ms (3, 5, 1),
one over its root inv (3, 5, 1), the vector at its new size hhat (3, 5, 8), the gain. You walk back through
them one by one. h is read twice, by its own mean square and by the product; it has M = 8 channels, x C = 6.
Then comes the first norm, in one line, and with what you have found out you write its gradient in one go:
dx (3, 5, 6).

Parameters are passed by name; you may ask for others, which `grader show` lists. The shapes given are
those of one set of tensors; your formulas are asked at other sizes too.

Zhang and Sennrich, 2019, arXiv:1910.07467.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=3, T=5, C=6, M=8, V=9)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=4, T=3, C=5, M=7, V=8),
    "probe-3": dict(seed=3, B=2, T=4, C=7, M=5, V=6),
}

HINTS = {
    "dx": {
        "concept": """
The four steps of the second norm, in one line. For one token: y = gain1 · x̂ with x̂ = x · inv, and inv holds every
channel of x. So x[j] moves y[j] directly, and all of y through inv. First take the gain back, dx̂ = dy · gain1;
then let dx̂ go both ways, and both will have the factor inv.
""",
        "formula": """
    dx[b,t,c] = inv[b,t] · (dx̂[b,t,c] − x̂[b,t,c] · Σ_j dx̂[b,t,j] · x̂[b,t,j]/C)

with inv[b,t] = (Σ_j x[b,t,j]²/C + 1e-5)^(-1/2), x̂ = x · inv, dx̂[b,t,c] = dy[b,t,c] · gain1[c].
""",
    },
}


def inputs(g, B, T, C, M, V):
    """Small activations (so that epsilon is felt), two gains and two matrices; drawn with the generator g."""
    return {
        "x": torch.randn((B, T, C), generator=g) * 0.05,
        "gain1": 1 + torch.randn(C, generator=g) * 0.3,
        "W1": torch.randn((C, M), generator=g) * 0.05,
        "gain2": 1 + torch.randn(M, generator=g) * 0.3,
        "W2": torch.randn((M, V), generator=g) * M**-0.5,
        "labels": torch.randint(0, V, (B * T,), generator=g),
    }


def forward(x, gain1, W1, gain2, W2, labels, C, V):
    # a norm in one line, and a layer
    y = F.rms_norm(x, (C,), gain1, 1e-5)
    h = y @ W1
    # the next norm, step by step
    ms = (h**2).mean(-1, keepdim=True)
    inv = (ms + 1e-5).rsqrt()
    hhat = h * inv
    z = hhat * gain2
    # the head
    logits = z @ W2
    loss = F.cross_entropy(logits.view(-1, V), labels)
    return loss


def dgain2(hhat, dz):
    """dgain2 (8,): the gradient of the loss with respect to gain2.

    Forward:  z = hhat * gain2
    Upstream: dz (3, 5, 8)
    One gain for all tokens.
    """
    return (hhat * dz).sum((0, 1))


def dhhat(gain2, dz):
    """dhhat (3, 5, 8): the gradient of the loss with respect to hhat.

    Forward:  z = hhat * gain2
    Upstream: dz (3, 5, 8)
    """
    return gain2 * dz


def dinv(h, dhhat):
    """dinv (3, 5, 1): the gradient of the loss with respect to inv.

    Forward:  hhat = h * inv
    Upstream: dhhat (3, 5, 8)
    One number scales a token's whole vector.
    """
    return (h * dhhat).sum(-1, keepdim=True)


def dms(inv, dinv):
    """dms (3, 5, 1): the gradient of the loss with respect to ms.

    Forward:  inv = (ms + 1e-5).rsqrt()
    Upstream: dinv (3, 5, 1)
    rsqrt is the power -1/2. Its derivative is short in terms of its own result.
    """
    return -0.5 * inv**3 * dinv


def dh(h, inv, dhhat, dms, M):
    """dh (3, 5, 8): the gradient of the loss with respect to h.

    Forward:  hhat = h * inv
              ms = (h**2).mean(-1, keepdim=True)
    Upstream: dhhat (3, 5, 8), dms (3, 5, 1)
    """
    return inv * dhhat + 2 * h / M * dms


def dgain1(x, dy):
    """dgain1 (6,): the gradient of the loss with respect to gain1.

    Forward:  y = F.rms_norm(x, (C,), gain1, 1e-5)
    Upstream: dy (3, 5, 6)
    The normed vector has no name here: make it anew.
    """
    xhat = x * ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    return (xhat * dy).sum((0, 1))


def dx(x, gain1, dy):
    """dx (3, 5, 6): the gradient of the loss with respect to x.

    Forward:  y = F.rms_norm(x, (C,), gain1, 1e-5)
    Upstream: dy (3, 5, 6)
    All the steps in one go. Both ways back through x have the factor inv.
    """
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    xhat = x * inv
    dxhat = gain1 * dy
    return inv * (dxhat - xhat * (xhat * dxhat).mean(-1, keepdim=True))
