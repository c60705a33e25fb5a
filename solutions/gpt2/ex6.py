"""Softmax in pieces: attention that never holds a whole row of scores.

Flash attention reads keys and values block by block. It keeps for each query the maximum so far (m),
the sum of exponentials so far (l) and the weighted sum of values so far (y), all relative to m. When a
later block has a greater maximum, what was summed before is scaled down by `shrink`. At the end one
division gives exactly the softmax's average. Here there are two blocks, of S1 and S2 keys.

Backwards, nothing of the size of a row needs to have been kept either. The maxima are only there for the
exponentials to stay small: they cancel, and no gradient comes through them. With the final m and l each
block can compute its own attention again, and one number for each query, the sum of dout times out, stands
for what the softmax needs to know of the other block.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=1337, T=6, S1=5, S2=7, hs=4),
    "probe-1": dict(seed=1, T=6, S1=5, S2=7, hs=4),
    "probe-2": dict(seed=2, T=5, S1=2, S2=3, hs=6),
    "probe-3": dict(seed=3, T=3, S1=8, S2=4, hs=5),
}

HINTS = {
    "dv2": {
        "concept": """
out is an average of the values with weights that sum to 1 in each row. Those of the second block are p2/l2,
computed again from what was kept. With them in hand it is the gradient of a matrix product, as in ordinary
attention: a value gets something from every query that looks at it.
""",
        "formula": """
    dv2[j,d] = Σ_i p2[i,j]/l2[i,0] · dout[i,d]
""",
    },
    "dv1": {
        "concept": """
The same as for the second block, but what the first block has added up was scaled down later: its weights in
the average are p1, times shrink, over l2.
""",
        "formula": """
    dv1[j,d] = Σ_i p1[i,j] · shrink[i,0]/l2[i,0] · dout[i,d]
""",
    },
    "ds2": {
        "concept": """
Think of the softmax over both blocks as one, with w its weights: out does not know that it was computed
in pieces, nor which maximum was taken out. The gradient of a softmax's input is the weight, times what
arrives at it less the average of what arrives in its row. That average runs over both blocks; but the sum
over the keys of weight times what arrives is the same number as the sum over the channels of dout times
out. Write both out to see it.
""",
        "formula": """
    ds2[i,j] = w[i,j] · (Σ_d dout[i,d] · v2[j,d] − Σ_d dout[i,d] · out[i,d])

w[i,j] = exp(s2[i,j] − m2[i,0])/l2[i,0] is the weight of the second block's key j for query i.
""",
    },
    "ds1": {
        "concept": """
The same as for the second block, with the first one's scores and values, and with the final m2 and l2: the
maximum that was taken out first, m1, makes no difference in the end.
""",
        "formula": """
    ds1[i,j] = w[i,j] · (Σ_d dout[i,d] · v1[j,d] − Σ_d dout[i,d] · out[i,d])

w[i,j] = exp(s1[i,j] − m2[i,0])/l2[i,0] is the weight of the first block's key j for query i.
""",
    },
}


def inputs(g, T, S1, S2, hs):
    """Queries of one head, keys and values in two blocks, and what the output is wanted to be."""
    return {
        "q": torch.randn((T, hs), generator=g),
        "k1": torch.randn((S1, hs), generator=g),
        "v1": torch.randn((S1, hs), generator=g),
        "k2": torch.randn((S2, hs), generator=g),
        "v2": torch.randn((S2, hs), generator=g),
        "goal": torch.randn((T, hs), generator=g),
    }


def forward(q, k1, v1, k2, v2, goal, hs):
    # first block
    s1 = q @ k1.T * hs**-0.5
    m1 = s1.max(1, keepdim=True).values
    p1 = (s1 - m1).exp()
    l1 = p1.sum(1, keepdim=True)
    y1 = p1 @ v1
    # second block
    s2 = q @ k2.T * hs**-0.5
    m2 = torch.maximum(m1, s2.max(1, keepdim=True).values)
    shrink = (m1 - m2).exp()
    p2 = (s2 - m2).exp()
    l2 = shrink * l1 + p2.sum(1, keepdim=True)
    y2 = shrink * y1 + p2 @ v2
    # the average
    out = y2 / l2
    loss = ((out - goal) ** 2).mean()
    return loss


def dv2(p2, l2, dout):
    """dv2 (7, 4): the gradient of the loss with respect to v2.

    Forward:  y2 = shrink * y1 + p2 @ v2
              out = y2 / l2
    Upstream: dout (6, 4)
    """
    return (p2 / l2).T @ dout


def dv1(p1, shrink, l2, dout):
    """dv1 (5, 4): the gradient of the loss with respect to v1.

    Forward:  the lines from y1 = p1 @ v1 down to out = y2 / l2
    Upstream: dout (6, 4)
    """
    return (p1 * shrink / l2).T @ dout


def ds2(s2, m2, l2, v2, out, dout):
    """ds2 (6, 7): the gradient of the loss with respect to s2.

    Forward:  the lines from m2 down to out = y2 / l2
    Upstream: dout (6, 4)
    The second block's scores and values, m2, l2 and out are all it takes.
    """
    weights = (s2 - m2).exp() / l2
    return weights * (dout @ v2.T - (dout * out).sum(1, keepdim=True))


def ds1(s1, m2, l2, v1, out, dout):
    """ds1 (6, 5): the gradient of the loss with respect to s1.

    Forward:  the lines from m1 down to out = y2 / l2
    Upstream: dout (6, 4)
    The first block's scores and values, and the same m2, l2 and out as for the second.
    """
    weights = (s1 - m2).exp() / l2
    return weights * (dout @ v1.T - (dout * out).sum(1, keepdim=True))


def dq(k1, k2, ds1, ds2, hs):
    """dq (6, 4): the gradient of the loss with respect to q.

    Forward:  s1 = q @ k1.T * hs**-0.5
              s2 = q @ k2.T * hs**-0.5
    Upstream: ds1 (6, 5), ds2 (6, 7)
    A query looks at both blocks.
    """
    dq = ds1 @ k1
    dq += ds2 @ k2
    return dq * hs**-0.5


def dk1(q, ds1, hs):
    """dk1 (5, 4): the gradient of the loss with respect to k1.

    Forward:  s1 = q @ k1.T * hs**-0.5
    Upstream: ds1 (6, 5)
    """
    return ds1.T @ q * hs**-0.5


def dk2(q, ds2, hs):
    """dk2 (7, 4): the gradient of the loss with respect to k2.

    Forward:  s2 = q @ k2.T * hs**-0.5
    Upstream: ds2 (6, 7)
    """
    return ds2.T @ q * hs**-0.5
