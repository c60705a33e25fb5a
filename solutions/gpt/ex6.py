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

LECTURE = dict(B=2, T=6, n_head=4, head_size=3, vocab_size=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=5, n_head=2, head_size=4, vocab_size=7),
    "probe-3": dict(seed=3, B=2, T=4, n_head=3, head_size=5, vocab_size=8),
}


def inputs(g, B, T, n_head, head_size, vocab_size):
    """What the tokens hold in n_head * head_size channels, and the matrices; drawn with the generator g."""
    C = n_head * head_size

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wq": matrix(C, C),
        "Wk": matrix(C, C),
        "Wv": matrix(C, C),
        "Wproj": matrix(C, vocab_size),
        "later": torch.tril(torch.ones(T, T)) == 0,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


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
    return djoined.view(B, T, n_head, head_size).transpose(1, 2)


def dvh(att, dout):
    """dvh (2, 4, 6, 3): the gradient of the loss with respect to vh.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 6, 3)
    """
    return att.transpose(-2, -1) @ dout


def datt(vh, dout):
    """datt (2, 4, 6, 6): the gradient of the loss with respect to att.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 6, 3)
    """
    return dout @ vh.transpose(-2, -1)


def dscores(att, datt):
    """dscores (2, 4, 6, 6): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 4, 6, 6)
    Softmax and mask in one step.
    """
    return att * (datt - (att * datt).sum(-1, keepdim=True))


def dqh(kh, dscores, head_size):
    """dqh (2, 4, 6, 3): the gradient of the loss with respect to qh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 6, 6)
    """
    return dscores @ kh * head_size**-0.5


def dkh(qh, dscores, head_size):
    """dkh (2, 4, 6, 3): the gradient of the loss with respect to kh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 6, 6)
    """
    return dscores.transpose(-2, -1) @ qh * head_size**-0.5


def dq(q, dqh):
    """dq (2, 6, 12): the gradient of the loss with respect to q.

    Forward:  qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dqh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dqh.transpose(1, 2).reshape(q.shape)


def dk(k, dkh):
    """dk (2, 6, 12): the gradient of the loss with respect to k.

    Forward:  kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dkh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dkh.transpose(1, 2).reshape(k.shape)


def dv(v, dvh):
    """dv (2, 6, 12): the gradient of the loss with respect to v.

    Forward:  vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dvh (2, 4, 6, 3)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dvh.transpose(1, 2).reshape(v.shape)


def dx(Wq, Wk, Wv, dq, dk, dv):
    """dx (2, 6, 12): the gradient of the loss with respect to x.

    Forward:  q = x @ Wq
              k = x @ Wk
              v = x @ Wv
    Upstream: dq (2, 6, 12), dk (2, 6, 12), dv (2, 6, 12)
    Read by three lines.
    """
    return dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
