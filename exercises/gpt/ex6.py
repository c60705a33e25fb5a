"""All heads at once, with the heads as a batch axis.

The second form of the same thing: one matrix makes the queries of all heads, a view cuts the
channels into heads, and a transpose moves the head's axis next to the batch. A matrix product works
on the last two axes and takes all others for batch axes, so every head is done at once. At the end
the heads are laid side by side again.

The new steps move numbers and change none. Take them back in the reverse order.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, Wq, Wk, Wv, Wproj, later, labels, B, T, n_head, head_size):
    # (B, T, C) becomes (B, n_head, T, head_size)
    q = x @ Wq
    k = x @ Wk
    v = x @ Wv
    qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    # every head at once
    scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    out = att @ vh
    # and side by side again
    joined = out.transpose(1, 2).reshape(B, T, -1)
    logits = joined @ Wproj
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dout(djoined, B, T, n_head, head_size):
    """dout (2, 4, 6, 3): the gradient of the loss with respect to out.

    Forward:  joined = out.transpose(1, 2).reshape(B, T, -1)
    Upstream: djoined (2, 6, 12)
    First the view back, then the transpose back.
    """
    raise NotImplementedError("dout: not written yet")


def dvh(att, dout):
    """dvh (2, 4, 6, 3): the gradient of the loss with respect to vh.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 6, 3)
    """
    raise NotImplementedError("dvh: not written yet")


def datt(vh, dout):
    """datt (2, 4, 6, 6): the gradient of the loss with respect to att.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 6, 3)
    """
    raise NotImplementedError("datt: not written yet")


def dscores(att, datt):
    """dscores (2, 4, 6, 6): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 4, 6, 6)
    Softmax and mask in one step.
    """
    raise NotImplementedError("dscores: not written yet")


def dqh(kh, dscores, head_size):
    """dqh (2, 4, 6, 3): the gradient of the loss with respect to qh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 6, 6)
    """
    raise NotImplementedError("dqh: not written yet")


def dkh(qh, dscores, head_size):
    """dkh (2, 4, 6, 3): the gradient of the loss with respect to kh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 6, 6)
    """
    raise NotImplementedError("dkh: not written yet")


def dq(q, dqh):
    """dq (2, 6, 12): the gradient of the loss with respect to q.

    Forward:  qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dqh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dq: not written yet")


def dk(k, dkh):
    """dk (2, 6, 12): the gradient of the loss with respect to k.

    Forward:  kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dkh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dk: not written yet")


def dv(v, dvh):
    """dv (2, 6, 12): the gradient of the loss with respect to v.

    Forward:  vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dvh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dv: not written yet")


def dx(Wq, Wk, Wv, dq, dk, dv):
    """dx (2, 6, 12): the gradient of the loss with respect to x.

    Forward:  q = x @ Wq
              k = x @ Wk
              v = x @ Wv
    Upstream: dq (2, 6, 12), dk (2, 6, 12), dv (2, 6, 12)
    Read by three lines.
    """
    raise NotImplementedError("dx: not written yet")
