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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dWproj: not written yet")


def dbproj(dy):
    """dbproj (9,): the gradient of the loss with respect to bproj.

    Forward:  y = joined @ Wproj + bproj
    Upstream: dy (4, 6, 9)
    """
    raise NotImplementedError("dbproj: not written yet")


def djoined(Wproj, dy):
    """djoined (4, 6, 10): the gradient of the loss with respect to joined.

    Forward:  y = joined @ Wproj + bproj
    Upstream: dy (4, 6, 9)
    """
    raise NotImplementedError("djoined: not written yet")


def dout1(djoined, head_size):
    """dout1 (4, 6, 5): the gradient of the loss with respect to out1.

    Forward:  joined = torch.cat([out1, out2], -1)
    Upstream: djoined (4, 6, 10)
    The first half of the channels.
    """
    raise NotImplementedError("dout1: not written yet")


def dout2(djoined, head_size):
    """dout2 (4, 6, 5): the gradient of the loss with respect to out2.

    Forward:  joined = torch.cat([out1, out2], -1)
    Upstream: djoined (4, 6, 10)
    The second half of the channels.
    """
    raise NotImplementedError("dout2: not written yet")


def datt1(v1, dout1):
    """datt1 (4, 6, 6): the gradient of the loss with respect to att1.

    Forward:  out1 = att1 @ v1
    Upstream: dout1 (4, 6, 5)
    """
    raise NotImplementedError("datt1: not written yet")


def dscores1(att1, datt1):
    """dscores1 (4, 6, 6): the gradient of the loss with respect to scores1.

    Forward:  att1 = F.softmax(scores1.masked_fill(later, float("-inf")), -1)
    Upstream: datt1 (4, 6, 6)
    Softmax and mask in one step: where att1 is 0, what does the mask still have to do?
    """
    raise NotImplementedError("dscores1: not written yet")


def dq1(k1, dscores1, head_size):
    """dq1 (4, 6, 5): the gradient of the loss with respect to q1.

    Forward:  scores1 = q1 @ k1.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores1 (4, 6, 6)
    Don't forget the scale.
    """
    raise NotImplementedError("dq1: not written yet")


def dk1(q1, dscores1, head_size):
    """dk1 (4, 6, 5): the gradient of the loss with respect to k1.

    Forward:  scores1 = q1 @ k1.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores1 (4, 6, 6)
    """
    raise NotImplementedError("dk1: not written yet")


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
    raise NotImplementedError("dx: not written yet")
