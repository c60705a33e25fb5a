"""A stack of linear layers is one linear layer.

Take the activations out of a deep network and it collapses: x @ Wa @ Wb @ Wc is x @ W, with W the product of
the three. More layers than one give no more functions, whatever their widths. Yet they are trained
separately, and each factor has a gradient of its own, which is the gradient of the whole W seen through the
other factors. How large these are depends on the others' gains: this is why deep stacks need
careful scales.

Write the gradient of W first, then go back through the two products.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=8, fan_in=6, n_hidden=10, n_squeeze=4, vocab_size=5)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, fan_in=5, n_hidden=13, n_squeeze=3, vocab_size=11),
    "probe-3": dict(seed=3, n=9, fan_in=4, n_hidden=8, n_squeeze=5, vocab_size=6),
}


def inputs(g, n, fan_in, n_hidden, n_squeeze, vocab_size):
    """A batch, its labels, and three layers with weights of standard deviation 1 over the root of fan-in."""

    def layer(rows, columns):
        return torch.randn((rows, columns), generator=g) / rows**0.5

    return {
        "x": torch.randn((n, fan_in), generator=g),
        "Yb": torch.randint(0, vocab_size, (n,), generator=g),
        "Wa": layer(fan_in, n_hidden),
        "Wb": layer(n_hidden, n_squeeze),
        "Wc": layer(n_squeeze, vocab_size),
    }


def forward(x, Wa, Wb, Wc, Yb):
    # three layers without an activation in between
    Wab = Wa @ Wb
    W = Wab @ Wc
    logits = x @ W
    loss = F.cross_entropy(logits, Yb)
    return loss


def dW(x, dlogits):
    """dW (6, 5): the gradient of the loss with respect to W.

    Forward:  logits = x @ W
    Upstream: dlogits (8, 5)
    """
    return x.T @ dlogits


def dWc(Wab, dW):
    """dWc (4, 5): the gradient of the loss with respect to Wc.

    Forward:  W = Wab @ Wc
    Upstream: dW (6, 5)
    """
    return Wab.T @ dW


def dWab(Wc, dW):
    """dWab (6, 4): the gradient of the loss with respect to Wab.

    Forward:  W = Wab @ Wc
    Upstream: dW (6, 5)
    """
    return dW @ Wc.T


def dWb(Wa, dWab):
    """dWb (10, 4): the gradient of the loss with respect to Wb.

    Forward:  Wab = Wa @ Wb
    Upstream: dWab (6, 4)
    """
    return Wa.T @ dWab


def dWa(Wb, dWab):
    """dWa (6, 10): the gradient of the loss with respect to Wa.

    Forward:  Wab = Wa @ Wb
    Upstream: dWab (6, 4)
    """
    return dWab @ Wb.T
