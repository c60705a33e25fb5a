"""Rotary embedding: a position is an angle.

GPT-2 adds a vector for the position to the token's. Most models since rotate instead: a query's channels
are taken in P pairs, each pair is a point in a plane, and at position t the point is rotated by t times the
pair's own angle. Keys are rotated too. A product of a query and a key then depends on how far apart they
are, and on where they stand it doesn't.

There is nothing to learn in it: cos and sin (5, 4) are tables, a row for a position, a column for a pair.
In steps, for the queries (3, 5, 8): the first of each pair q1 (3, 5, 4) and the second q2; both rotated, r1
and r2; side by side again, pair by pair (3, 5, 4, 2), then flat, rq (3, 5, 8). The keys go the same way in
one line, for you to walk back in one go.

A rotation changes no length, and its transpose is the rotation back. Which way does a gradient go through
it? Some models pair a channel with the one P further on, not with its neighbour; then only the slices
differ.

Su et al., 2021, arXiv:2104.09864.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=3, T=5, P=4)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=2, T=4, P=3),
    "probe-3": dict(seed=3, B=4, T=3, P=5),
}

HINTS = {
    "dq": {
        "formula": """
    dq[b,t,2i] = dq1[b,t,i]
    dq[b,t,2i+1] = dq2[b,t,i]
""",
    },
    "dk": {
        "concept": """
The same as for the queries, in one line. rk[2i] and rk[2i+1] are the pair k[2i], k[2i+1], rotated by the angle of
its position: four products, and each channel of k stands in two of them. A rotation is a matrix,
cos and −sin over sin and cos; the gradient goes through its transpose, which is the rotation by the
same angle backwards.
""",
        "formula": """
    dk[b,t,2i]   = cos[t,i] · drk[b,t,2i] + sin[t,i] · drk[b,t,2i+1]
    dk[b,t,2i+1] = cos[t,i] · drk[b,t,2i+1] − sin[t,i] · drk[b,t,2i]
""",
    },
}


def inputs(g, B, T, P):
    """Queries and keys, the tables of cosines and sines, and for each query the place to find; drawn with g."""
    angle = torch.outer(torch.arange(T) + 1.0, 100 ** (-torch.arange(P) / P))
    return {
        "q": torch.randn((B, T, 2 * P), generator=g),
        "k": torch.randn((B, T, 2 * P), generator=g),
        "cos": angle.cos(),
        "sin": angle.sin(),
        "labels": torch.randint(0, T, (B * T,), generator=g),
    }


def forward(q, k, cos, sin, labels, T, P):
    # the queries, step by step: the first and the second of each pair
    q1 = q[:, :, ::2]
    q2 = q[:, :, 1::2]
    # rotated
    r1 = q1 * cos - q2 * sin
    r2 = q1 * sin + q2 * cos
    # and side by side again
    pairs = torch.stack([r1, r2], -1)
    rq = pairs.flatten(2)
    # the keys, in one line
    rk = torch.stack([k[..., ::2] * cos - k[..., 1::2] * sin, k[..., ::2] * sin + k[..., 1::2] * cos], -1).flatten(2)
    # which key each query finds
    scores = rq @ rk.transpose(-2, -1) * (2 * P)**-0.5
    loss = F.cross_entropy(scores.view(-1, T), labels)
    return loss


def drq(rk, dscores, P):
    """drq (3, 5, 8): the gradient of the loss with respect to rq.

    Forward:  scores = rq @ rk.transpose(-2, -1) * (2 * P)**-0.5
    Upstream: dscores (3, 5, 5)
    """
    return dscores @ rk * (2 * P)**-0.5


def drk(rq, dscores, P):
    """drk (3, 5, 8): the gradient of the loss with respect to rk.

    Forward:  scores = rq @ rk.transpose(-2, -1) * (2 * P)**-0.5
    Upstream: dscores (3, 5, 5)
    """
    return dscores.transpose(-2, -1) @ rq * (2 * P)**-0.5


def dpairs(pairs, drq):
    """dpairs (3, 5, 4, 2): the gradient of the loss with respect to pairs.

    Forward:  rq = pairs.flatten(2)
    Upstream: drq (3, 5, 8)
    """
    return drq.view(pairs.shape)


def dr1(dpairs):
    """dr1 (3, 5, 4): the gradient of the loss with respect to r1.

    Forward:  pairs = torch.stack([r1, r2], -1)
    Upstream: dpairs (3, 5, 4, 2)
    """
    return dpairs[..., 0]


def dr2(dpairs):
    """dr2 (3, 5, 4): the gradient of the loss with respect to r2.

    Forward:  pairs = torch.stack([r1, r2], -1)
    Upstream: dpairs (3, 5, 4, 2)
    """
    return dpairs[..., 1]


def dq1(cos, sin, dr1, dr2):
    """dq1 (3, 5, 4): the gradient of the loss with respect to q1.

    Forward:  r1 = q1 * cos - q2 * sin
              r2 = q1 * sin + q2 * cos
    Upstream: dr1 (3, 5, 4), dr2 (3, 5, 4)
    """
    return dr1 * cos + dr2 * sin


def dq2(cos, sin, dr1, dr2):
    """dq2 (3, 5, 4): the gradient of the loss with respect to q2.

    Forward:  r1 = q1 * cos - q2 * sin
              r2 = q1 * sin + q2 * cos
    Upstream: dr1 (3, 5, 4), dr2 (3, 5, 4)
    With dq1: the rotation back.
    """
    return dr2 * cos - dr1 * sin


def dq(dq1, dq2):
    """dq (3, 5, 8): the gradient of the loss with respect to q.

    Forward:  q1 = q[:, :, ::2]
              q2 = q[:, :, 1::2]
    Upstream: dq1 (3, 5, 4), dq2 (3, 5, 4)
    """
    return torch.stack([dq1, dq2], -1).flatten(2)


def dk(cos, sin, drk):
    """dk (3, 5, 8): the gradient of the loss with respect to k.

    Forward:  rk = torch.stack([k[..., ::2] * cos - k[..., 1::2] * sin, k[..., ::2] * sin + k[..., 1::2] * cos], -1).flatten(2)
    Upstream: drk (3, 5, 8)
    Apart into pairs, rotated back, and side by side.
    """
    r1, r2 = drk[..., ::2], drk[..., 1::2]
    return torch.stack([r1 * cos + r2 * sin, r2 * cos - r1 * sin], -1).flatten(2)
