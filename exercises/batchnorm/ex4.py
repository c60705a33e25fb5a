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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dW: not written yet")


def dWc(Wab, dW):
    """dWc (4, 5): the gradient of the loss with respect to Wc.

    Forward:  W = Wab @ Wc
    Upstream: dW (6, 5)
    """
    raise NotImplementedError("dWc: not written yet")


def dWab(Wc, dW):
    """dWab (6, 4): the gradient of the loss with respect to Wab.

    Forward:  W = Wab @ Wc
    Upstream: dW (6, 5)
    """
    raise NotImplementedError("dWab: not written yet")


def dWb(Wa, dWab):
    """dWb (10, 4): the gradient of the loss with respect to Wb.

    Forward:  Wab = Wa @ Wb
    Upstream: dWab (6, 4)
    """
    raise NotImplementedError("dWb: not written yet")


def dWa(Wb, dWab):
    """dWa (6, 10): the gradient of the loss with respect to Wa.

    Forward:  Wab = Wa @ Wb
    Upstream: dWab (6, 4)
    """
    raise NotImplementedError("dWa: not written yet")
