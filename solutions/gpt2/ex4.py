"""A whole block: two residual joins around attention and MLP.

The stream of activations runs straight through the block; attention and MLP each read a normalised
copy of it and add what they have found. So the gradient has a straight way back too: at each join
it is handed on as it is, and what comes back through the branch is added to it.

The steps are bigger than before: GELU, LayerNorm and the whole of attention in one go each. You have
worked out all of their parts. What the forward pass has saved is there to be used: norm and rstd of
each LayerNorm, the attention att, the queries, keys and values. The channels are nh * hs.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, nh=2, hs=5),
    "probe-1": dict(seed=1, B=4, T=6, nh=2, hs=5),
    "probe-2": dict(seed=2, B=2, T=5, nh=3, hs=4),
    "probe-3": dict(seed=3, B=5, T=3, nh=4, hs=2),
}

HINTS = {
    "dfc": {
        "concept": """
GELU works element by element: each number is multiplied by its own gate, which is itself a function of that
number. So by the product rule there are two parts: the gate, and the number times the gate's slope. The gate
is half of one plus a tanh; its slope follows from the chain rule, and tanh's slope is simplest when written
with its output.
""",
        "formula": """
    dfc[b,t,i] = (0.5 · (1 + τ) + 0.5 · x · (1 − τ²) · u′) · dact[b,t,i]

x is fc[b,t,i], τ = tanh u with u = c · (x + 0.044715 · x³), c the square root of 2/π, and u′ the derivative
of u with respect to x.
""",
    },
    "dres": {
        "concept": """
res stands at a join: the last line adds it to what the MLP has found, and the MLP has read a normalised copy
of it. Two gradients meet. The first comes straight down. The second comes back through a LayerNorm, as in the
first exercise of this set: directly, through the mean, and through the variance of each row.
""",
        "formula": """
    dres[b,t,i] = dout[b,t,i] + rstd2[b,t,0] · (g[i] − s − norm2[b,t,i] · r)

g[i] = w2[i] · dln2[b,t,i], and s and r are the row's means of g[i] and of g[i] · norm2[b,t,i].
""",
    },
    "dqkv": {
        "concept": """
Take attention apart once more, backwards: y as heads; the product of att and v; the softmax in each row; the
scaled product of queries and keys; and the three blocks back side by side. A masked place holds 0 after the
softmax, and the softmax's own factor keeps it at 0 on the way back.
""",
        "formula": """
    dqkv[b,t,c] = the block that c lies in, at head h and number d of that head:
        in q: hs^−0.5 · Σ_j e[t,j] · k[b,h,j,d]
        in k: hs^−0.5 · Σ_i e[i,t] · q[b,h,i,d]
        in v: Σ_i att[b,h,i,t] · g[i,d]

g[i,d] is dy as heads, a[i,j] = Σ_d g[i,d] · v[b,h,j,d] is the gradient of att, and
e[i,j] = att[b,h,i,j] · (a[i,j] − Σ_l att[b,h,i,l] · a[i,l]) that of the scores.
""",
    },
    "dx": {
        "concept": """
x stands at the first join, in the same place as res at the second: once it is added to what attention has
found, once attention reads a normalised copy of it.
""",
        "formula": """
    dx[b,t,i] = dres[b,t,i] + rstd1[b,t,0] · (g[i] − s − norm1[b,t,i] · r)

g[i] = w1[i] · dln1[b,t,i], and s and r are the row's means of g[i] and of g[i] · norm1[b,t,i].
""",
    },
}


def inputs(g, B, T, nh, hs):
    """Activations, the block's parameters, the causal mask, and what the output is wanted to be."""
    C = nh * hs
    return {
        "x": torch.randn((B, T, C), generator=g),
        "w1": torch.randn(C, generator=g) * 0.3 + 1.0,
        "b1": torch.randn(C, generator=g) * 0.1,
        "Wqkv": torch.randn((C, 3 * C), generator=g) * C**-0.5,
        "bqkv": torch.randn(3 * C, generator=g) * 0.1,
        "Wo": torch.randn((C, C), generator=g) * C**-0.5,
        "bo": torch.randn(C, generator=g) * 0.1,
        "w2": torch.randn(C, generator=g) * 0.3 + 1.0,
        "b2": torch.randn(C, generator=g) * 0.1,
        "Wfc": torch.randn((C, 4 * C), generator=g) * C**-0.5,
        "bfc": torch.randn(4 * C, generator=g) * 0.1,
        "Wproj": torch.randn((4 * C, C), generator=g) * (4 * C) ** -0.5,
        "bproj": torch.randn(C, generator=g) * 0.1,
        "future": torch.ones((T, T), dtype=torch.bool).triu(1),
        "goal": torch.randn((B, T, C), generator=g),
    }


def forward(x, w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wfc, bfc, Wproj, bproj, future, goal, B, T, nh, hs):
    # LayerNorm
    rstd1 = (x.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm1 = (x - x.mean(-1, keepdim=True)) * rstd1
    ln1 = norm1 * w1 + b1
    # attention
    qkv = ln1 @ Wqkv + bqkv
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    att = torch.softmax((q @ k.mT * hs**-0.5).masked_fill(future, float("-inf")), -1)
    y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    # first residual join
    res = x + (y @ Wo + bo)
    # LayerNorm
    rstd2 = (res.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm2 = (res - res.mean(-1, keepdim=True)) * rstd2
    ln2 = norm2 * w2 + b2
    # MLP, second residual join
    fc = ln2 @ Wfc + bfc
    act = F.gelu(fc, approximate="tanh")
    out = res + (act @ Wproj + bproj)
    loss = ((out - goal) ** 2).mean()
    return loss


def dact(Wproj, dout):
    """dact (4, 6, 40): the gradient of the loss with respect to act.

    Forward:  out = res + (act @ Wproj + bproj)
    Upstream: dout (4, 6, 10)
    """
    return dout @ Wproj.T


def dfc(fc, dact):
    """dfc (4, 6, 40): the gradient of the loss with respect to fc.

    Forward:  act = F.gelu(fc, approximate="tanh")
    Upstream: dact (4, 6, 40)
    With c, the square root of 2/pi, gelu(x) is 0.5 * x * (1 + tanh(c * (x + 0.044715 * x**3))).
    """
    c = (2 / torch.pi) ** 0.5
    t = torch.tanh(c * (fc + 0.044715 * fc**3))
    slope = c * (1 + 3 * 0.044715 * fc**2)
    return (0.5 * (1 + t) + 0.5 * fc * (1 - t**2) * slope) * dact


def dln2(Wfc, dfc):
    """dln2 (4, 6, 10): the gradient of the loss with respect to ln2.

    Forward:  fc = ln2 @ Wfc + bfc
    Upstream: dfc (4, 6, 40)
    """
    return dfc @ Wfc.T


def dres(norm2, rstd2, w2, dln2, dout):
    """dres (4, 6, 10): the gradient of the loss with respect to res.

    Forward:  out = res + (act @ Wproj + bproj)
              the lines from rstd2 down to ln2 = norm2 * w2 + b2
    Upstream: dout (4, 6, 10), dln2 (4, 6, 10)
    The residual's own gradient, and what comes back through the LayerNorm.
    """
    g = dln2 * w2
    back = rstd2 * (g - g.mean(-1, keepdim=True) - norm2 * (g * norm2).mean(-1, keepdim=True))
    return dout + back


def dy(Wo, dres):
    """dy (4, 6, 10): the gradient of the loss with respect to y.

    Forward:  res = x + (y @ Wo + bo)
    Upstream: dres (4, 6, 10)
    """
    return dres @ Wo.T


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  the lines from q down to y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dy (4, 6, 10)
    All of attention in one function.
    """
    dheads = dy.reshape(B, T, nh, hs).transpose(1, 2)
    datt = dheads @ v.mT
    dscores = att * (datt - (att * datt).sum(-1, keepdim=True)) * hs**-0.5
    parts = (dscores @ k, dscores.mT @ q, att.mT @ dheads)
    return torch.cat([d.transpose(1, 2).reshape(B, T, nh * hs) for d in parts], -1)


def dln1(Wqkv, dqkv):
    """dln1 (4, 6, 10): the gradient of the loss with respect to ln1.

    Forward:  qkv = ln1 @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    """
    return dqkv @ Wqkv.T


def dx(norm1, rstd1, w1, dln1, dres):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  res = x + (y @ Wo + bo)
              the lines from rstd1 down to ln1 = norm1 * w1 + b1
    Upstream: dres (4, 6, 10), dln1 (4, 6, 10)
    The first join: again two gradients meet.
    """
    g = dln1 * w1
    back = rstd1 * (g - g.mean(-1, keepdim=True) - norm1 * (g * norm1).mean(-1, keepdim=True))
    return dres + back
