"""Several heads side by side.

Several small heads see more than one large head. In the lecture's first form each head is a module
of its own, their results are joined along the channels, and a projection mixes them. Two heads
stand here; each is cut into few lines, so that what is new is what you write: the join and its way
back, the projection, and how the two heads' gradients meet at x.

A head's scores, mask and scale are in one line now: datt1 arrives, and dscores1 takes the softmax
in one go.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=4, T=6, C=9, head_size=5, vocab_size=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=5, C=6, head_size=4, vocab_size=7),
    "probe-3": dict(seed=3, B=2, T=4, C=5, head_size=3, vocab_size=8),
}


def inputs(g, B, T, C, head_size, vocab_size):
    """What the tokens hold, two heads and a projection back to C channels; drawn with the generator g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    heads = {f"W{role}{h}": matrix(C, head_size) for h in (1, 2) for role in "qkv"}
    return {
        "x": torch.randn((B, T, C), generator=g),
        **heads,
        "Wproj": matrix(2 * head_size, C),
        "bproj": torch.randn(C, generator=g) * 0.1,
        "W": matrix(C, vocab_size),
        "later": torch.tril(torch.ones(T, T)) == 0,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


def forward(x, Wq1, Wk1, Wv1, Wq2, Wk2, Wv2, Wproj, bproj, W, later, labels, B, T, head_size):
    # the first head
    q1 = x @ Wq1
    k1 = x @ Wk1
    v1 = x @ Wv1
    scores1 = q1 @ k1.transpose(-2, -1) * head_size**-0.5
    att1 = F.softmax(scores1.masked_fill(later, float("-inf")), -1)
    out1 = att1 @ v1
    # the second head
    q2 = x @ Wq2
    k2 = x @ Wk2
    v2 = x @ Wv2
    scores2 = q2 @ k2.transpose(-2, -1) * head_size**-0.5
    att2 = F.softmax(scores2.masked_fill(later, float("-inf")), -1)
    out2 = att2 @ v2
    # side by side, then mixed
    joined = torch.cat([out1, out2], -1)
    y = joined @ Wproj + bproj
    logits = y @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dWproj(joined, dy):
    """dWproj (10, 9): the gradient of the loss with respect to Wproj.

    Forward:  y = joined @ Wproj + bproj
    Upstream: dy (4, 6, 9)
    """
    return (joined.transpose(-2, -1) @ dy).sum(0)


def dbproj(dy):
    """dbproj (9,): the gradient of the loss with respect to bproj.

    Forward:  y = joined @ Wproj + bproj
    Upstream: dy (4, 6, 9)
    """
    return dy.sum((0, 1))


def djoined(Wproj, dy):
    """djoined (4, 6, 10): the gradient of the loss with respect to joined.

    Forward:  y = joined @ Wproj + bproj
    Upstream: dy (4, 6, 9)
    """
    return dy @ Wproj.T


def dout1(djoined, head_size):
    """dout1 (4, 6, 5): the gradient of the loss with respect to out1.

    Forward:  joined = torch.cat([out1, out2], -1)
    Upstream: djoined (4, 6, 10)
    The first half of the channels.
    """
    return djoined[:, :, :head_size]


def dout2(djoined, head_size):
    """dout2 (4, 6, 5): the gradient of the loss with respect to out2.

    Forward:  joined = torch.cat([out1, out2], -1)
    Upstream: djoined (4, 6, 10)
    The second half of the channels.
    """
    return djoined[:, :, head_size:]


def datt1(v1, dout1):
    """datt1 (4, 6, 6): the gradient of the loss with respect to att1.

    Forward:  out1 = att1 @ v1
    Upstream: dout1 (4, 6, 5)
    """
    return dout1 @ v1.transpose(-2, -1)


def dscores1(att1, datt1):
    """dscores1 (4, 6, 6): the gradient of the loss with respect to scores1.

    Forward:  att1 = F.softmax(scores1.masked_fill(later, float("-inf")), -1)
    Upstream: datt1 (4, 6, 6)
    Softmax and mask in one step: where att1 is 0, what does the mask still have to do?
    """
    return att1 * (datt1 - (att1 * datt1).sum(-1, keepdim=True))


def dq1(k1, dscores1, head_size):
    """dq1 (4, 6, 5): the gradient of the loss with respect to q1.

    Forward:  scores1 = q1 @ k1.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores1 (4, 6, 6)
    Don't forget the scale.
    """
    return dscores1 @ k1 * head_size**-0.5


def dk1(q1, dscores1, head_size):
    """dk1 (4, 6, 5): the gradient of the loss with respect to k1.

    Forward:  scores1 = q1 @ k1.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores1 (4, 6, 6)
    """
    return dscores1.transpose(-2, -1) @ q1 * head_size**-0.5


def dx(Wq1, Wk1, Wv1, Wq2, Wk2, Wv2, dq1, dk1, dv1, dq2, dk2, dv2):
    """dx (4, 6, 9): the gradient of the loss with respect to x.

    Forward:  q1 = x @ Wq1
              k1 = x @ Wk1
              v1 = x @ Wv1
              q2 = x @ Wq2
              k2 = x @ Wk2
              v2 = x @ Wv2
    Upstream: dq1 (4, 6, 5), dk1 (4, 6, 5), dv1 (4, 6, 5), dq2 (4, 6, 5), dk2 (4, 6, 5), dv2 (4, 6, 5)
    Three ways into each head, and two heads.
    """
    return dq1 @ Wq1.T + dk1 @ Wk1.T + dv1 @ Wv1.T + dq2 @ Wq2.T + dk2 @ Wk2.T + dv2 @ Wv2.T
