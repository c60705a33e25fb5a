"""Two layers: the gradients of the weights and the biases.

The hidden layer is a tanh of a linear layer, and the logits are another linear layer of it. Every
layer of this kind has three gradients: that of its input, which goes on backwards, that of its
weights and that of its bias. Their shapes tell most of the formula. W1, b1, W2 and b2 are four of the five
parameters; the fifth is the embedding's table, in exercise 4.

The gradient of the logits arrives from exercise 2. On the probes every upstream gradient is random,
and the sizes are others: write no size as a number.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, b2, Xb, Yb, n):
    # embed the characters, and lay the context's vectors side by side
    embcat = C[Xb].view(n, -1)
    # hidden layer
    hpreact = embcat @ W1 + b1
    h = torch.tanh(hpreact)
    # output layer
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dW2(h, dlogits):
    """dW2 (12, 27): the gradient of the loss with respect to W2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (8, 27)
    """
    raise NotImplementedError("dW2: not written yet")


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (8, 27)
    The forward line adds the same bias to every row of the batch.
    """
    raise NotImplementedError("db2: not written yet")


def dh(W2, dlogits):
    """dh (8, 12): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (8, 27)
    """
    raise NotImplementedError("dh: not written yet")


def dhpreact(h, dh):
    """dhpreact (8, 12): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (8, 12)
    """
    raise NotImplementedError("dhpreact: not written yet")


def dW1(embcat, dhpreact):
    """dW1 (6, 12): the gradient of the loss with respect to W1.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhpreact):
    """db1 (12,): the gradient of the loss with respect to b1.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    raise NotImplementedError("db1: not written yet")


def dembcat(W1, dhpreact):
    """dembcat (8, 6): the gradient of the loss with respect to embcat.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    raise NotImplementedError("dembcat: not written yet")
