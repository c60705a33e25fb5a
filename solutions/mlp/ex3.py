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

from grader.lecture import minibatch, mlp_parameters

LECTURE = dict(n=8, block_size=3, vocab_size=27, n_embd=2, n_hidden=12)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters, drawn with the generator g."""
    return {
        **minibatch(g, n, block_size, vocab_size),
        **mlp_parameters(g, block_size, vocab_size, n_embd, n_hidden),
    }


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
    return h.T @ dlogits


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (8, 27)
    The forward line adds the same bias to every row of the batch.
    """
    return dlogits.sum(0)


def dh(W2, dlogits):
    """dh (8, 12): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (8, 27)
    """
    return dlogits @ W2.T


def dhpreact(h, dh):
    """dhpreact (8, 12): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (8, 12)
    """
    return (1.0 - h**2) * dh


def dW1(embcat, dhpreact):
    """dW1 (6, 12): the gradient of the loss with respect to W1.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    return embcat.T @ dhpreact


def db1(dhpreact):
    """db1 (12,): the gradient of the loss with respect to b1.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    return dhpreact.sum(0)


def dembcat(W1, dhpreact):
    """dembcat (8, 6): the gradient of the loss with respect to embcat.

    Forward:  hpreact = embcat @ W1 + b1
    Upstream: dhpreact (8, 12)
    """
    return dhpreact @ W1.T
