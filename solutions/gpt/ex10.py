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

LECTURE = dict(B=2, T=5, n_head=4, head_size=2, vocab_size=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=4, n_head=2, head_size=5, vocab_size=7),
    "probe-3": dict(seed=3, B=4, T=7, n_head=3, head_size=2, vocab_size=5),
}

HINTS = {
    "dx1": {
        "concept": """
x1 is read by the second LayerNorm and by the residual sum around the feed-forward, so two gradients
meet. The residual's part is the upstream gradient as it is. Through the LayerNorm it is the step of
gpt.ex8: back through gamma2 to xhat2, then take out the mean over the channels, and xhat2 times the
mean of the product with xhat2.
""",
        "formula": """
    dx1[i,j,k] = dx2[i,j,k] + inv2[i,j,0] · (g[i,j,k] − s[i,j] − xhat2[i,j,k] · t[i,j])

g[i,j,k] = gamma2[k] · dn2[i,j,k]. s[i,j] is the mean of g[i,j,l] over the channels l, and t[i,j] the mean of
g[i,j,l] · xhat2[i,j,l].
""",
    },
    "dscores": {
        "concept": """
A softmax over each row in which the later positions are masked. Go back through the softmax first:
every weight of a row depends on every score of it, through the sum that normalises, so there is a sum
over the row. Then the mask: what it overwrote gets 0. Look at att where the mask is set before you
write that step.
""",
        "formula": """
    dscores[i,h,j,k] = att[i,h,j,k] · (datt[i,h,j,k] − Σ_l att[i,h,j,l] · datt[i,h,j,l])

Where the mask is set att is 0, and so is this.
""",
    },
    "dout": {
        "concept": """
joined holds the heads' results side by side. It was made by a transpose and a view; take them back in
the reverse order. No number changes.
""",
        "formula": """
    dout[i,h,j,k] = djoined[i,j,h · head_size + k]
""",
    },
    "dx": {
        "concept": """
x is read by the first LayerNorm and by the residual sum around the attention, so two gradients meet: the
upstream gradient of the sum as it is, and what comes back through the LayerNorm.
""",
        "formula": """
    dx[i,j,k] = dx1[i,j,k] + inv1[i,j,0] · (g[i,j,k] − s[i,j] − xhat1[i,j,k] · t[i,j])

g[i,j,k] = gamma1[k] · dn1[i,j,k]. s[i,j] is the mean of g[i,j,l] over the channels l, and t[i,j] the mean of
g[i,j,l] · xhat1[i,j,l].
""",
    },
}


def inputs(g, B, T, n_head, head_size, vocab_size):
    """The residual stream with n_head * head_size channels, and a block's weights; drawn with g."""
    C = n_head * head_size

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    def small(size):
        return torch.randn(size, generator=g) * 0.1

    return {
        "x": torch.randn((B, T, C), generator=g),
        "gamma1": small(C) + 1.0,
        "beta1": small(C),
        "Wq": matrix(C, C),
        "Wk": matrix(C, C),
        "Wv": matrix(C, C),
        "Wproj": matrix(C, C),
        "bproj": small(C),
        "gamma2": small(C) + 1.0,
        "beta2": small(C),
        "W1": matrix(C, 4 * C),
        "b1": small(4 * C),
        "W2": matrix(4 * C, C),
        "b2": small(C),
        "W": matrix(C, vocab_size),
        "later": torch.tril(torch.ones(T, T)) == 0,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


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
    return (act.transpose(-2, -1) @ dx2).sum(0)


def db2(dx2):
    """db2 (8,): the gradient of the loss with respect to b2.

    Forward:  x2 = x1 + act @ W2 + b2
    Upstream: dx2 (2, 5, 8)
    """
    return dx2.sum((0, 1))


def dact(W2, dx2):
    """dact (2, 5, 32): the gradient of the loss with respect to act.

    Forward:  x2 = x1 + act @ W2 + b2
    Upstream: dx2 (2, 5, 8)
    """
    return dx2 @ W2.T


def dhidden(hidden, dact):
    """dhidden (2, 5, 32): the gradient of the loss with respect to hidden.

    Forward:  act = torch.relu(hidden)
    Upstream: dact (2, 5, 32)
    """
    return (hidden > 0) * dact


def dW1(n2, dhidden):
    """dW1 (8, 32): the gradient of the loss with respect to W1.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    return (n2.transpose(-2, -1) @ dhidden).sum(0)


def db1(dhidden):
    """db1 (32,): the gradient of the loss with respect to b1.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    return dhidden.sum((0, 1))


def dn2(W1, dhidden):
    """dn2 (2, 5, 8): the gradient of the loss with respect to n2.

    Forward:  hidden = n2 @ W1 + b1
    Upstream: dhidden (2, 5, 32)
    """
    return dhidden @ W1.T


def dgamma2(xhat2, dn2):
    """dgamma2 (8,): the gradient of the loss with respect to gamma2.

    Forward:  n2 = gamma2 * xhat2 + beta2
    Upstream: dn2 (2, 5, 8)
    """
    return (xhat2 * dn2).sum((0, 1))


def dbeta2(dn2):
    """dbeta2 (8,): the gradient of the loss with respect to beta2.

    Forward:  n2 = gamma2 * xhat2 + beta2
    Upstream: dn2 (2, 5, 8)
    """
    return dn2.sum((0, 1))


def dx1(gamma2, inv2, xhat2, dx2, dn2):
    """dx1 (2, 5, 8): the gradient of the loss with respect to x1.

    Forward:  x2 = x1 + act @ W2 + b2
              n2 = gamma2 * xhat2 + beta2
    Upstream: dx2 (2, 5, 8), dn2 (2, 5, 8)
    The lines from inv2 down to n2, the LayerNorm, in one step, and the residual's own term.
    """
    dxhat2 = gamma2 * dn2
    shift = dxhat2.mean(-1, keepdim=True)
    scale = (dxhat2 * xhat2).mean(-1, keepdim=True)
    return dx2 + inv2 * (dxhat2 - shift - xhat2 * scale)


def dWproj(joined, dx1):
    """dWproj (8, 8): the gradient of the loss with respect to Wproj.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    return (joined.transpose(-2, -1) @ dx1).sum(0)


def dbproj(dx1):
    """dbproj (8,): the gradient of the loss with respect to bproj.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    return dx1.sum((0, 1))


def djoined(Wproj, dx1):
    """djoined (2, 5, 8): the gradient of the loss with respect to joined.

    Forward:  x1 = x + joined @ Wproj + bproj
    Upstream: dx1 (2, 5, 8)
    """
    return dx1 @ Wproj.T


def dout(djoined, B, T, n_head, head_size):
    """dout (2, 4, 5, 2): the gradient of the loss with respect to out.

    Forward:  joined = out.transpose(1, 2).reshape(B, T, -1)
    Upstream: djoined (2, 5, 8)
    """
    return djoined.view(B, T, n_head, head_size).transpose(1, 2)


def datt(vh, dout):
    """datt (2, 4, 5, 5): the gradient of the loss with respect to att.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 5, 2)
    """
    return dout @ vh.transpose(-2, -1)


def dvh(att, dout):
    """dvh (2, 4, 5, 2): the gradient of the loss with respect to vh.

    Forward:  out = att @ vh
    Upstream: dout (2, 4, 5, 2)
    """
    return att.transpose(-2, -1) @ dout


def dscores(att, datt):
    """dscores (2, 4, 5, 5): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 4, 5, 5)
    Softmax and mask in one step.
    """
    return att * (datt - (att * datt).sum(-1, keepdim=True))


def dqh(kh, dscores, head_size):
    """dqh (2, 4, 5, 2): the gradient of the loss with respect to qh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 5, 5)
    """
    return dscores @ kh * head_size**-0.5


def dkh(qh, dscores, head_size):
    """dkh (2, 4, 5, 2): the gradient of the loss with respect to kh.

    Forward:  scores = qh @ kh.transpose(-2, -1) * head_size**-0.5
    Upstream: dscores (2, 4, 5, 5)
    """
    return dscores.transpose(-2, -1) @ qh * head_size**-0.5


def dq(q, dqh):
    """dq (2, 5, 8): the gradient of the loss with respect to q.

    Forward:  qh = q.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dqh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dqh.transpose(1, 2).reshape(q.shape)


def dk(k, dkh):
    """dk (2, 5, 8): the gradient of the loss with respect to k.

    Forward:  kh = k.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dkh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dkh.transpose(1, 2).reshape(k.shape)


def dv(v, dvh):
    """dv (2, 5, 8): the gradient of the loss with respect to v.

    Forward:  vh = v.view(B, T, n_head, head_size).transpose(1, 2)
    Upstream: dvh (2, 4, 5, 2)
    The transpose back, then the shape back with reshape: view refuses a transposed tensor.
    """
    return dvh.transpose(1, 2).reshape(v.shape)


def dWq(n1, dq):
    """dWq (8, 8): the gradient of the loss with respect to Wq.

    Forward:  q = n1 @ Wq
    Upstream: dq (2, 5, 8)
    """
    return (n1.transpose(-2, -1) @ dq).sum(0)


def dWk(n1, dk):
    """dWk (8, 8): the gradient of the loss with respect to Wk.

    Forward:  k = n1 @ Wk
    Upstream: dk (2, 5, 8)
    """
    return (n1.transpose(-2, -1) @ dk).sum(0)


def dWv(n1, dv):
    """dWv (8, 8): the gradient of the loss with respect to Wv.

    Forward:  v = n1 @ Wv
    Upstream: dv (2, 5, 8)
    """
    return (n1.transpose(-2, -1) @ dv).sum(0)


def dn1(Wq, Wk, Wv, dq, dk, dv):
    """dn1 (2, 5, 8): the gradient of the loss with respect to n1.

    Forward:  q = n1 @ Wq
              k = n1 @ Wk
              v = n1 @ Wv
    Upstream: dq (2, 5, 8), dk (2, 5, 8), dv (2, 5, 8)
    Read by three lines.
    """
    return dq @ Wq.T + dk @ Wk.T + dv @ Wv.T


def dgamma1(xhat1, dn1):
    """dgamma1 (8,): the gradient of the loss with respect to gamma1.

    Forward:  n1 = gamma1 * xhat1 + beta1
    Upstream: dn1 (2, 5, 8)
    """
    return (xhat1 * dn1).sum((0, 1))


def dbeta1(dn1):
    """dbeta1 (8,): the gradient of the loss with respect to beta1.

    Forward:  n1 = gamma1 * xhat1 + beta1
    Upstream: dn1 (2, 5, 8)
    """
    return dn1.sum((0, 1))


def dx(gamma1, inv1, xhat1, dx1, dn1):
    """dx (2, 5, 8): the gradient of the loss with respect to x.

    Forward:  x1 = x + joined @ Wproj + bproj
              n1 = gamma1 * xhat1 + beta1
    Upstream: dx1 (2, 5, 8), dn1 (2, 5, 8)
    The lines from inv1 down to n1, the LayerNorm, in one step, and the residual's own term.
    """
    dxhat1 = gamma1 * dn1
    shift = dxhat1.mean(-1, keepdim=True)
    scale = (dxhat1 * xhat1).mean(-1, keepdim=True)
    return dx1 + inv1 * (dxhat1 - shift - xhat1 * scale)
