"""One head of self-attention, taken apart.

Each token emits a query (what it looks for), a key (what it holds) and a value (what it says to
those that find it). Scores are the products of queries and keys; they are scaled, the future is
masked, a softmax makes weights of each row, and the weights average the values.

Walk back through it. Three things are easily forgotten: the scale, the zeros of the mask, and that
x is read by three lines. Where a matrix is transposed, it is the last two axes that change places:
x.T of three axes is something else.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=4, T=8, C=9, head_size=5, vocab_size=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=5, C=6, head_size=4, vocab_size=8),
    "probe-3": dict(seed=3, B=2, T=6, C=5, head_size=3, vocab_size=9),
}


def inputs(g, B, T, C, head_size, vocab_size):
    """What the tokens hold, the head's three matrices and its mask; drawn with the generator g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wq": matrix(C, head_size),
        "Wk": matrix(C, head_size),
        "Wv": matrix(C, head_size),
        "W": matrix(head_size, vocab_size),
        "later": torch.tril(torch.ones(T, T)) == 0,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


def forward(x, Wq, Wk, Wv, W, later, labels, B, T, head_size):
    q = x @ Wq
    k = x @ Wk
    v = x @ Wv
    # how much each token wants of each other one
    scores = q @ k.transpose(-2, -1)
    scaled = scores * head_size**-0.5
    masked = scaled.masked_fill(later, float("-inf"))
    att = F.softmax(masked, -1)
    # the average of what they say
    out = att @ v
    logits = out @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dv(att, dout):
    """dv (4, 8, 5): the gradient of the loss with respect to v.

    Forward:  out = att @ v
    Upstream: dout (4, 8, 5)
    What was averaged by att comes back by att, transposed.
    """
    return att.transpose(-2, -1) @ dout


def datt(v, dout):
    """datt (4, 8, 8): the gradient of the loss with respect to att.

    Forward:  out = att @ v
    Upstream: dout (4, 8, 5)
    """
    return dout @ v.transpose(-2, -1)


def dmasked(att, datt):
    """dmasked (4, 8, 8): the gradient of the loss with respect to masked.

    Forward:  att = F.softmax(masked, -1)
    Upstream: datt (4, 8, 8)
    A softmax couples all scores of a row. Where the weight is 0, the gradient is 0.
    """
    return att * (datt - (att * datt).sum(-1, keepdim=True))


def dscaled(later, dmasked):
    """dscaled (4, 8, 8): the gradient of the loss with respect to scaled.

    Forward:  masked = scaled.masked_fill(later, float("-inf"))
    Upstream: dmasked (4, 8, 8)
    What was overwritten has no way to the loss.
    """
    return dmasked.masked_fill(later, 0.0)


def dscores(dscaled, head_size):
    """dscores (4, 8, 8): the gradient of the loss with respect to scores.

    Forward:  scaled = scores * head_size**-0.5
    Upstream: dscaled (4, 8, 8)
    """
    return dscaled * head_size**-0.5


def dq(k, dscores):
    """dq (4, 8, 5): the gradient of the loss with respect to q.

    Forward:  scores = q @ k.transpose(-2, -1)
    Upstream: dscores (4, 8, 8)
    """
    return dscores @ k


def dk(q, dscores):
    """dk (4, 8, 5): the gradient of the loss with respect to k.

    Forward:  scores = q @ k.transpose(-2, -1)
    Upstream: dscores (4, 8, 8)
    k stands in the product transposed.
    """
    return dscores.transpose(-2, -1) @ q


def dWv(x, dv):
    """dWv (9, 5): the gradient of the loss with respect to Wv.

    Forward:  v = x @ Wv
    Upstream: dv (4, 8, 5)
    """
    return (x.transpose(-2, -1) @ dv).sum(0)


def dWk(x, dk):
    """dWk (9, 5): the gradient of the loss with respect to Wk.

    Forward:  k = x @ Wk
    Upstream: dk (4, 8, 5)
    """
    return (x.transpose(-2, -1) @ dk).sum(0)


def dWq(x, dq):
    """dWq (9, 5): the gradient of the loss with respect to Wq.

    Forward:  q = x @ Wq
    Upstream: dq (4, 8, 5)
    """
    return (x.transpose(-2, -1) @ dq).sum(0)


def dx(Wq, Wk, Wv, dq, dk, dv):
    """dx (4, 8, 9): the gradient of the loss with respect to x.

    Forward:  q = x @ Wq
              k = x @ Wk
              v = x @ Wv
    Upstream: dq (4, 8, 5), dk (4, 8, 5), dv (4, 8, 5)
    Read by three lines: every token asks, is asked, and answers.
    """
    return dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
