"""A whole block of the transformer.

Communication, then computation: attention and feed-forward, each behind a LayerNorm and each added
to the residual stream. You have met every part; here they stand together. Keep an eye on the stream:
x and x1 are each read twice, once by a LayerNorm and once by the sum that goes around it. The number
of channels C is n_head * head_size.

A part that took many lines before takes one or two here, so some steps span a whole part.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(
    x, gamma1, beta1, Wq, Wk, Wv, Wproj, bproj, gamma2, beta2, W1, b1, W2, b2, W, later, labels,
    B, T, n_head, head_size,
):  # fmt: skip
    # communication
    inv1 = (x.var(-1, keepdim=True, unbiased=False) + 1e-5)**-0.5
    xhat1 = (x - x.mean(-1, keepdim=True)) * inv1
    n1 = gamma1 * xhat1 + beta1
    q = n1 @ Wq
    k = n1 @ Wk
    v = n1 @ Wv
    qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    out = att @ vh
    joined = out.transpose(1, 2).reshape(B, T, -1)
    x1 = x + joined @ Wproj + bproj
    # computation
    inv2 = (x1.var(-1, keepdim=True, unbiased=False) + 1e-5)**-0.5
    xhat2 = (x1 - x1.mean(-1, keepdim=True)) * inv2
    n2 = gamma2 * xhat2 + beta2
    hidden = n2 @ W1 + b1
    act = torch.relu(hidden)
    x2 = x1 + act @ W2 + b2
    # what is made of it
    logits = x2 @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dW2(act, dx2):
    """dW2 (32, 8): the gradient of the loss with respect to W2.

    Forward:  x2 = x1 + act @ W2 + b2
    Upstream: dx2 (2, 5, 8)
    """
    raise NotImplementedError("dW2: not written yet")


def db2(dx2):
    """db2 (8,): the gradient of the loss with respect to b2.

    Forward:  x2 = x1 + act @ W2 + b2
    Upstream: dx2 (2, 5, 8)
    """
    raise NotImplementedError("db2: not written yet")


def dact(W2, dx2):
    """dact (2, 5, 32): the gradient of the loss with respect to act.

    Forward:  x2 = x1 + act @ W2 + b2
    Upstream: dx2 (2, 5, 8)
    """
    raise NotImplementedError("dact: not written yet")


def dhidden(hidden, dact):
    """dhidden (2, 5, 32): the gradient of the loss with respect to hidden.

    Forward:  act = torch.relu(hidden)
    Upstream: dact (2, 5, 32)
    """
    raise NotImplementedError("dhidden: not written yet")


def dW1(n2, dhidden):
    """dW1 (8, 32): the gradient of the loss with respect to W1.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhidden):
    """db1 (32,): the gradient of the loss with respect to b1.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    raise NotImplementedError("db1: not written yet")


def dn2(W1, dhidden):
    """dn2 (2, 5, 8): the gradient of the loss with respect to n2.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    raise NotImplementedError("dn2: not written yet")


def dgamma2(xhat2, dn2):
    """dgamma2 (8,): the gradient of the loss with respect to gamma2.

    Forward:  n2 = gamma2 * xhat2 + beta2
    Upstream: dn2 (2, 5, 8)
    """
    raise NotImplementedError("dgamma2: not written yet")


def dbeta2(dn2):
    """dbeta2 (8,): the gradient of the loss with respect to beta2.

    Forward:  n2 = gamma2 * xhat2 + beta2
    Upstream: dn2 (2, 5, 8)
    """
    raise NotImplementedError("dbeta2: not written yet")


def dx1(gamma2, inv2, xhat2, dx2, dn2):
    """dx1 (2, 5, 8): the gradient of the loss with respect to x1.

    Forward:  x2 = x1 + act @ W2 + b2
              n2 = gamma2 * xhat2 + beta2
    Upstream: dx2 (2, 5, 8), dn2 (2, 5, 8)
    The lines from inv2 down to n2, the LayerNorm, in one step, and the residual's own term.
    """
    raise NotImplementedError("dx1: not written yet")


def dWproj(joined, dx1):
    """dWproj (8, 8): the gradient of the loss with respect to Wproj.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    raise NotImplementedError("dWproj: not written yet")


def dbproj(dx1):
    """dbproj (8,): the gradient of the loss with respect to bproj.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    raise NotImplementedError("dbproj: not written yet")


def djoined(Wproj, dx1):
    """djoined (2, 5, 8): the gradient of the loss with respect to joined.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    raise NotImplementedError("djoined: not written yet")


def dout(djoined, B, T, n_head, head_size):
    """dout (2, 4, 5, 2): the gradient of the loss with respect to out.

    Forward:  joined = out.transpose(1, 2).reshape(B, T, -1)
    Upstream: djoined (2, 5, 8)
    """
    raise NotImplementedError("dout: not written yet")


def datt(vh, dout):
    """datt (2, 4, 5, 5): the gradient of the loss with respect to att.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 5, 2)
    """
    raise NotImplementedError("datt: not written yet")


def dvh(att, dout):
    """dvh (2, 4, 5, 2): the gradient of the loss with respect to vh.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 5, 2)
    """
    raise NotImplementedError("dvh: not written yet")


def dscores(att, datt):
    """dscores (2, 4, 5, 5): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 4, 5, 5)
    Softmax and mask in one step.
    """
    raise NotImplementedError("dscores: not written yet")


def dqh(kh, dscores, head_size):
    """dqh (2, 4, 5, 2): the gradient of the loss with respect to qh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 5, 5)
    """
    raise NotImplementedError("dqh: not written yet")


def dkh(qh, dscores, head_size):
    """dkh (2, 4, 5, 2): the gradient of the loss with respect to kh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 5, 5)
    """
    raise NotImplementedError("dkh: not written yet")


def dq(q, dqh):
    """dq (2, 5, 8): the gradient of the loss with respect to q.

    Forward:  qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dqh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dq: not written yet")


def dk(k, dkh):
    """dk (2, 5, 8): the gradient of the loss with respect to k.

    Forward:  kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dkh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dk: not written yet")


def dv(v, dvh):
    """dv (2, 5, 8): the gradient of the loss with respect to v.

    Forward:  vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dvh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    raise NotImplementedError("dv: not written yet")


def dWq(n1, dq):
    """dWq (8, 8): the gradient of the loss with respect to Wq.

    Forward:  q = n1 @ Wq
    Upstream: dq (2, 5, 8)
    """
    raise NotImplementedError("dWq: not written yet")


def dWk(n1, dk):
    """dWk (8, 8): the gradient of the loss with respect to Wk.

    Forward:  k = n1 @ Wk
    Upstream: dk (2, 5, 8)
    """
    raise NotImplementedError("dWk: not written yet")


def dWv(n1, dv):
    """dWv (8, 8): the gradient of the loss with respect to Wv.

    Forward:  v = n1 @ Wv
    Upstream: dv (2, 5, 8)
    """
    raise NotImplementedError("dWv: not written yet")


def dn1(Wq, Wk, Wv, dq, dk, dv):
    """dn1 (2, 5, 8): the gradient of the loss with respect to n1.

    Forward:  q = n1 @ Wq
              k = n1 @ Wk
              v = n1 @ Wv
    Upstream: dq (2, 5, 8), dk (2, 5, 8), dv (2, 5, 8)
    Read by three lines.
    """
    raise NotImplementedError("dn1: not written yet")


def dgamma1(xhat1, dn1):
    """dgamma1 (8,): the gradient of the loss with respect to gamma1.

    Forward:  n1 = gamma1 * xhat1 + beta1
    Upstream: dn1 (2, 5, 8)
    """
    raise NotImplementedError("dgamma1: not written yet")


def dbeta1(dn1):
    """dbeta1 (8,): the gradient of the loss with respect to beta1.

    Forward:  n1 = gamma1 * xhat1 + beta1
    Upstream: dn1 (2, 5, 8)
    """
    raise NotImplementedError("dbeta1: not written yet")


def dx(gamma1, inv1, xhat1, dx1, dn1):
    """dx (2, 5, 8): the gradient of the loss with respect to x.

    Forward:  x1 = x + joined @ Wproj + bproj
              n1 = gamma1 * xhat1 + beta1
    Upstream: dx1 (2, 5, 8), dn1 (2, 5, 8)
    The lines from inv1 down to n1, the LayerNorm, in one step, and the residual's own term.
    """
    raise NotImplementedError("dx: not written yet")
