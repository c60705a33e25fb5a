"""Feed-forward, dropout and a residual connection.

After the tokens have talked, each thinks on its own: two linear layers with a ReLU between them.
Dropout then silences some of the numbers at random and scales up the rest; the mask that it drew is
saved, since the way back needs the same one. The result is added to what came in: y is x and
something more, and the gradient has a way around everything in between.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=3, T=5, C=4, n_hidden=11, vocab_size=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=2, T=4, C=5, n_hidden=9, vocab_size=8),
    "probe-3": dict(seed=3, B=4, T=3, C=6, n_hidden=8, vocab_size=5),
}


def inputs(g, B, T, C, n_hidden, vocab_size):
    """What the tokens hold, both layers, and the mask that dropout drew; drawn with the generator g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    drawn = {
        "x": torch.randn((B, T, C), generator=g),
        "W1": matrix(C, n_hidden),
        "b1": torch.randn(n_hidden, generator=g) * 0.1,
        "W2": matrix(n_hidden, C),
        "b2": torch.randn(C, generator=g) * 0.1,
        "keep": (torch.rand((B, T, C), generator=g) >= 0.2).float(),
        "W": matrix(C, vocab_size),
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }
    drawn["x"][1, 1], drawn["b1"][2] = 0, 0  # so that one of hidden's numbers is 0: nothing passes there
    return drawn


def forward(x, W1, b1, W2, b2, keep, W, labels, B, T):
    # each token on its own
    hidden = x @ W1 + b1
    act = torch.relu(hidden)
    proj = act @ W2 + b2
    # dropout with probability 0.2: keep is 0 where it struck, else 1
    dropped = proj * keep / 0.8
    # residual
    y = x + dropped
    logits = y @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def ddropped(dy):
    """ddropped (3, 5, 4): the gradient of the loss with respect to dropped.

    Forward:  y = x + dropped
    Upstream: dy (3, 5, 4)
    A sum hands its gradient on to each summand.
    """
    return dy


def dproj(keep, ddropped):
    """dproj (3, 5, 4): the gradient of the loss with respect to proj.

    Forward:  dropped = proj * keep / 0.8
    Upstream: ddropped (3, 5, 4)
    The same mask, and the same scale.
    """
    return ddropped * keep / 0.8


def dW2(act, dproj):
    """dW2 (11, 4): the gradient of the loss with respect to W2.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    return (act.transpose(-2, -1) @ dproj).sum(0)


def db2(dproj):
    """db2 (4,): the gradient of the loss with respect to b2.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    return dproj.sum((0, 1))


def dact(W2, dproj):
    """dact (3, 5, 11): the gradient of the loss with respect to act.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    return dproj @ W2.T


def dhidden(hidden, dact):
    """dhidden (3, 5, 11): the gradient of the loss with respect to hidden.

    Forward:  act = torch.relu(hidden)
    Upstream: dact (3, 5, 11)
    A gate: open where the input was positive.
    """
    return (hidden > 0) * dact


def dW1(x, dhidden):
    """dW1 (4, 11): the gradient of the loss with respect to W1.

    Forward:  hidden = x @ W1 + b1
    Upstream: dhidden (3, 5, 11)
    """
    return (x.transpose(-2, -1) @ dhidden).sum(0)


def db1(dhidden):
    """db1 (11,): the gradient of the loss with respect to b1.

    Forward:  hidden = x @ W1 + b1
    Upstream: dhidden (3, 5, 11)
    """
    return dhidden.sum((0, 1))


def dx(W1, dy, dhidden):
    """dx (3, 5, 4): the gradient of the loss with respect to x.

    Forward:  y = x + dropped
              hidden = x @ W1 + b1
    Upstream: dy (3, 5, 4), dhidden (3, 5, 11)
    Read by two lines: the layers, and the residual's own way around them.
    """
    return dy + dhidden @ W1.T
