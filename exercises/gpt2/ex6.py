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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dv2: not written yet")


def dv1(p1, shrink, l2, dout):
    """dv1 (5, 4): the gradient of the loss with respect to v1.

    Forward:  the lines from y1 = p1 @ v1 down to out = y2 / l2
    Upstream: dout (6, 4)
    """
    raise NotImplementedError("dv1: not written yet")


def ds2(s2, m2, l2, v2, out, dout):
    """ds2 (6, 7): the gradient of the loss with respect to s2.

    Forward:  the lines from m2 down to out = y2 / l2
    Upstream: dout (6, 4)
    The second block's scores and values, m2, l2 and out are all it takes.
    """
    raise NotImplementedError("ds2: not written yet")


def ds1(s1, m2, l2, v1, out, dout):
    """ds1 (6, 5): the gradient of the loss with respect to s1.

    Forward:  the lines from m1 down to out = y2 / l2
    Upstream: dout (6, 4)
    The first block's scores and values, and the same m2, l2 and out as for the second.
    """
    raise NotImplementedError("ds1: not written yet")


def dq(k1, k2, ds1, ds2, hs):
    """dq (6, 4): the gradient of the loss with respect to q.

    Forward:  s1 = q @ k1.T * hs**-0.5
              s2 = q @ k2.T * hs**-0.5
    Upstream: ds1 (6, 5), ds2 (6, 7)
    A query looks at both blocks.
    """
    raise NotImplementedError("dq: not written yet")


def dk1(q, ds1, hs):
    """dk1 (5, 4): the gradient of the loss with respect to k1.

    Forward:  s1 = q @ k1.T * hs**-0.5
    Upstream: ds1 (6, 5)
    """
    raise NotImplementedError("dk1: not written yet")


def dk2(q, ds2, hs):
    """dk2 (7, 4): the gradient of the loss with respect to k2.

    Forward:  s2 = q @ k2.T * hs**-0.5
    Upstream: ds2 (6, 7)
    """
    raise NotImplementedError("dk2: not written yet")
