"""A tree of two levels as a dilated causal convolution.

The tree computes one vector for one context. To get one at every position of a long text, slide it
along: then a level is a convolution with a kernel of 2, causal since it looks only back, and dilated
since level 2 looks two steps back and not one. At the last position both give the same numbers; but
what the convolution computed for one position, the next ones use again. There are two levels here and no
batch norm, to keep to what is new.

In the forward pass a convolution is written out: past1 holds x one step later (zeros come in at the
start), and each half of the kernel is a matrix of its own. Walking back, what moved later in time
has to move earlier, and what fell off the end receives nothing.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=4, T=8, n_embd=5, n_hidden=7, vocab_size=9)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=3, T=6, n_embd=4, n_hidden=5, vocab_size=11),
    "probe-3": dict(seed=3, n=2, T=7, n_embd=8, n_hidden=3, vocab_size=6),
}


HINTS = {
    "dh1": {
        "concept": """
h1 is read by two lines, and the gradients that come back through them add up. In the line of a2 it is a factor
of a matrix product: what comes back is a product of da2 and the other factor, W2now.

The line of past2 moves h1 two positions later. So its gradient moves two positions earlier: position t of h1 gets
what arrives at position t + 2 of past2. The last two positions of h1 fell off the end, and get nothing this way;
what arrives at the first two of past2 belongs to before2.
"""
    },
    "dx": {
        "concept": """
x is read by two lines, and the gradients that come back through them add up. In the line of a1 it is a factor of
a matrix product: what comes back is a product of da1 and the other factor, W1now.

The line of past1 moves x one position later. So its gradient moves one position earlier: position t of x gets what
arrives at position t + 1 of past1. The last position of x fell off the end, and gets nothing this way.
"""
    },
}


def inputs(g, n, T, n_embd, n_hidden, vocab_size):
    """Embedded text, zeros for what was before its start, and two layers; drawn with the generator g."""
    return {
        "x": torch.randn((n, T, n_embd), generator=g),
        "before1": torch.zeros(n, 1, n_embd),
        "before2": torch.zeros(n, 2, n_hidden),
        "W1past": torch.randn((n_embd, n_hidden), generator=g) * n_embd**-0.5,
        "W1now": torch.randn((n_embd, n_hidden), generator=g) * n_embd**-0.5,
        "b1": torch.randn(n_hidden, generator=g) * 0.1,
        "W2past": torch.randn((n_hidden, vocab_size), generator=g) * n_hidden**-0.5,
        "W2now": torch.randn((n_hidden, vocab_size), generator=g) * n_hidden**-0.5,
        "b2": torch.randn(vocab_size, generator=g) * 0.1,
        "labels": torch.randint(0, vocab_size, (n * T,), generator=g),
    }


def forward(x, before1, before2, W1past, W1now, b1, W2past, W2now, b2, labels, n, T):
    # dilation 1: each position and the one before it
    past1 = torch.cat([before1, x], 1)[:, :T]
    a1 = past1 @ W1past + x @ W1now + b1
    h1 = torch.tanh(a1)
    # dilation 2: each position and the one two before it
    past2 = torch.cat([before2, h1], 1)[:, :T]
    a2 = past2 @ W2past + h1 @ W2now + b2
    # a prediction at every position
    logits = a2.view(n * T, -1)
    loss = F.cross_entropy(logits, labels)
    return loss


def dW2past(past2, da2):
    """dW2past (7, 9): the gradient of the loss with respect to W2past.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
    Upstream: da2 (4, 8, 9)
    The kernel's older half. One matrix for all examples and positions.
    """
    return (past2.transpose(-2, -1) @ da2).sum(0)


def dpast2(W2past, da2):
    """dpast2 (4, 8, 7): the gradient of the loss with respect to past2.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
    Upstream: da2 (4, 8, 9)
    """
    return da2 @ W2past.T


def dh1(W2now, da2, dpast2):
    """dh1 (4, 8, 7): the gradient of the loss with respect to h1.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
              past2 = torch.cat([before2, h1], 1)[:, :T]
    Upstream: da2 (4, 8, 9), dpast2 (4, 8, 7)
    Read by two lines. What stands at place t of past2 stood at place t - 2 of h1.
    """
    dh1 = da2 @ W2now.T
    dh1[:, :-2] += dpast2[:, 2:]
    return dh1


def da1(h1, dh1):
    """da1 (4, 8, 7): the gradient of the loss with respect to a1.

    Forward:  h1 = torch.tanh(a1)
    Upstream: dh1 (4, 8, 7)
    """
    return (1.0 - h1**2) * dh1


def db1(da1):
    """db1 (7,): the gradient of the loss with respect to b1.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    return da1.sum((0, 1))


def dW1now(x, da1):
    """dW1now (5, 7): the gradient of the loss with respect to W1now.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    return (x.transpose(-2, -1) @ da1).sum(0)


def dW1past(past1, da1):
    """dW1past (5, 7): the gradient of the loss with respect to W1past.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    return (past1.transpose(-2, -1) @ da1).sum(0)


def dpast1(W1past, da1):
    """dpast1 (4, 8, 5): the gradient of the loss with respect to past1.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    return da1 @ W1past.T


def dx(W1now, da1, dpast1):
    """dx (4, 8, 5): the gradient of the loss with respect to x.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
              past1 = torch.cat([before1, x], 1)[:, :T]
    Upstream: da1 (4, 8, 7), dpast1 (4, 8, 5)
    Read by two lines. The last position of x never gets into past1.
    """
    dx = da1 @ W1now.T
    dx[:, :-1] += dpast1[:, 1:]
    return dx
