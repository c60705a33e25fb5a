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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("drq: not written yet")


def drk(rq, dscores, P):
    """drk (3, 5, 8): the gradient of the loss with respect to rk.

    Forward:  scores = rq @ rk.transpose(-2, -1) * (2 * P)**-0.5
    Upstream: dscores (3, 5, 5)
    """
    raise NotImplementedError("drk: not written yet")


def dpairs(pairs, drq):
    """dpairs (3, 5, 4, 2): the gradient of the loss with respect to pairs.

    Forward:  rq = pairs.flatten(2)
    Upstream: drq (3, 5, 8)
    """
    raise NotImplementedError("dpairs: not written yet")


def dr1(dpairs):
    """dr1 (3, 5, 4): the gradient of the loss with respect to r1.

    Forward:  pairs = torch.stack([r1, r2], -1)
    Upstream: dpairs (3, 5, 4, 2)
    """
    raise NotImplementedError("dr1: not written yet")


def dr2(dpairs):
    """dr2 (3, 5, 4): the gradient of the loss with respect to r2.

    Forward:  pairs = torch.stack([r1, r2], -1)
    Upstream: dpairs (3, 5, 4, 2)
    """
    raise NotImplementedError("dr2: not written yet")


def dq1(cos, sin, dr1, dr2):
    """dq1 (3, 5, 4): the gradient of the loss with respect to q1.

    Forward:  r1 = q1 * cos - q2 * sin
              r2 = q1 * sin + q2 * cos
    Upstream: dr1 (3, 5, 4), dr2 (3, 5, 4)
    """
    raise NotImplementedError("dq1: not written yet")


def dq2(cos, sin, dr1, dr2):
    """dq2 (3, 5, 4): the gradient of the loss with respect to q2.

    Forward:  r1 = q1 * cos - q2 * sin
              r2 = q1 * sin + q2 * cos
    Upstream: dr1 (3, 5, 4), dr2 (3, 5, 4)
    With dq1: the rotation back.
    """
    raise NotImplementedError("dq2: not written yet")


def dq(dq1, dq2):
    """dq (3, 5, 8): the gradient of the loss with respect to q.

    Forward:  q1 = q[:, :, ::2]
              q2 = q[:, :, 1::2]
    Upstream: dq1 (3, 5, 4), dq2 (3, 5, 4)
    """
    raise NotImplementedError("dq: not written yet")


def dk(cos, sin, drk):
    """dk (3, 5, 8): the gradient of the loss with respect to k.

    Forward:  rk = torch.stack([k[..., ::2] * cos - k[..., 1::2] * sin, k[..., ::2] * sin + k[..., 1::2] * cos], -1).flatten(2)
    Upstream: drk (3, 5, 8)
    Apart into pairs, rotated back, and side by side.
    """
    raise NotImplementedError("dk: not written yet")
