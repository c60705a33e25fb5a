"""Causal self-attention with all heads in one batch.

GPT-2 computes queries, keys and values of all heads by a single matrix product, cuts the result in
three along the channels, and makes the heads an axis beside the batch: (B, nh, T, hs). From
there on every line works on all heads at once. At the end the heads are laid side by side again.

Going backwards, each transpose and each cut is undone by its inverse. `x.mT` is the transpose of the last two
axes. The mask `future` is true where a position would look ahead; after the softmax those places
hold exactly 0. Write nh * hs for the number of channels.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, nh=2, hs=5),
    "probe-1": dict(seed=1, B=4, T=6, nh=2, hs=5),
    "probe-2": dict(seed=2, B=2, T=5, nh=3, hs=4),
    "probe-3": dict(seed=3, B=5, T=3, nh=4, hs=2),
}

HINTS = {
    "dscores": {
        "shapes": """
dscores has the shape of scores: 4×2×6×6.
datt arrives as 4×2×6×6. The softmax works along the last axis, so a sum over that axis will turn up;
keep it with size 1, so that it broadcasts back.
""",
    },
    "dqkv": {
        "concept": """
qkv holds three blocks of channels side by side, and each of them goes its own way: cut out, seen as heads,
the axes of time and heads exchanged. A number of qkv stands in exactly one of the three, so nothing adds
up here: undo the steps for each of the three in the opposite order, and put the blocks back side by side,
in the order in which they were cut.
""",
        "shapes": """
dqkv has the shape of qkv: 4×6×30.
dq, dk and dv arrive as 4×2×6×5 each, which is 240 numbers. As 4×6×10 they are blocks of channels, and three
of them fill 4×6×30.
""",
        "formula": """
    dqkv[b,t,i] = dq[b,h,t,d]  where i = h · hs + d
    dqkv[b,t,nh · hs + i] = dk[b,h,t,d]
    dqkv[b,t,2 · nh · hs + i] = dv[b,h,t,d]

Channel i of a block belongs to head h = i div hs, and is number d = i mod hs in it.
""",
    },
}


def inputs(g, B, T, nh, hs):
    """Activations, the two linear layers, the causal mask, and what the output is wanted to be."""
    C = nh * hs
    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wqkv": torch.randn((C, 3 * C), generator=g) * C**-0.5,
        "bqkv": torch.randn(3 * C, generator=g) * 0.1,
        "Wo": torch.randn((C, C), generator=g) * C**-0.5,
        "bo": torch.randn(C, generator=g) * 0.1,
        "future": torch.ones((T, T), dtype=torch.bool).triu(1),
        "goal": torch.randn((B, T, C), generator=g),
    }


def forward(x, Wqkv, bqkv, Wo, bo, future, goal, B, T, nh, hs):
    # queries, keys and values of all heads at once
    qkv = x @ Wqkv + bqkv
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    # attention
    scores = q @ k.mT * hs**-0.5
    att = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
    y = att @ v
    # the heads side by side, and the output projection
    ycat = y.transpose(1, 2).reshape(B, T, nh * hs)
    out = ycat @ Wo + bo
    loss = ((out - goal) ** 2).mean()
    return loss


def dycat(Wo, dout):
    """dycat (4, 6, 10): the gradient of the loss with respect to ycat.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    Wo is square: here the shapes do not tell whether it is to be transposed.
    """
    return dout @ Wo.T


def dWo(ycat, dout):
    """dWo (10, 10): the gradient of the loss with respect to Wo.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    """
    return ycat.flatten(0, 1).T @ dout.flatten(0, 1)


def dbo(dout):
    """dbo (10,): the gradient of the loss with respect to bo.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    """
    return dout.sum((0, 1))


def dy(dycat, B, T, nh, hs):
    """dy (4, 2, 6, 5): the gradient of the loss with respect to y.

    Forward:  ycat = y.transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dycat (4, 6, 10)
    """
    return dycat.reshape(B, T, nh, hs).transpose(1, 2)


def datt(v, dy):
    """datt (4, 2, 6, 6): the gradient of the loss with respect to att.

    Forward:  y = att @ v
    Upstream: dy (4, 2, 6, 5)
    """
    return dy @ v.mT


def dv(att, dy):
    """dv (4, 2, 6, 5): the gradient of the loss with respect to v.

    Forward:  y = att @ v
    Upstream: dy (4, 2, 6, 5)
    A value goes to the positions that look at it; they are all at or after its own.
    """
    return att.mT @ dy


def dscores(att, datt):
    """dscores (4, 2, 6, 6): the gradient of the loss with respect to scores.

    Forward:  att = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
    Upstream: datt (4, 2, 6, 6)
    Each row of it sums to zero. Where the mask was set it is 0: see which factor makes it so by itself.
    """
    return att * (datt - (att * datt).sum(-1, keepdim=True))


def dq(k, dscores, hs):
    """dq (4, 2, 6, 5): the gradient of the loss with respect to q.

    Forward:  scores = q @ k.mT * hs**-0.5
    Upstream: dscores (4, 2, 6, 6)
    """
    return dscores @ k * hs**-0.5


def dk(q, dscores, hs):
    """dk (4, 2, 6, 5): the gradient of the loss with respect to k.

    Forward:  scores = q @ k.mT * hs**-0.5
    Upstream: dscores (4, 2, 6, 6)
    """
    return dscores.mT @ q * hs**-0.5


def dqkv(dq, dk, dv, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
              k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
              v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    Upstream: dq (4, 2, 6, 5), dk (4, 2, 6, 5), dv (4, 2, 6, 5)
    Three blocks of channels that do not overlap.
    """
    blocks = [d.transpose(1, 2).reshape(B, T, nh * hs) for d in (dq, dk, dv)]
    return torch.cat(blocks, -1)


def dx(Wqkv, dqkv):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    The three ways through queries, keys and values add up inside of one matrix product.
    """
    return dqkv @ Wqkv.T


def dWqkv(x, dqkv):
    """dWqkv (10, 30): the gradient of the loss with respect to Wqkv.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    """
    return x.flatten(0, 1).T @ dqkv.flatten(0, 1)


def dbqkv(dqkv):
    """dbqkv (30,): the gradient of the loss with respect to bqkv.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    With what the network itself sends back its middle third, that of the keys' bias, is about 0: a constant
    added to every score of a row is lost in the softmax. It must be right all the same.
    """
    return dqkv.sum((0, 1))
