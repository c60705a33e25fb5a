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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("ddropped: not written yet")


def dproj(keep, ddropped):
    """dproj (3, 5, 4): the gradient of the loss with respect to proj.

    Forward:  dropped = proj * keep / 0.8
    Upstream: ddropped (3, 5, 4)
    The same mask, and the same scale.
    """
    raise NotImplementedError("dproj: not written yet")


def dW2(act, dproj):
    """dW2 (11, 4): the gradient of the loss with respect to W2.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    raise NotImplementedError("dW2: not written yet")


def db2(dproj):
    """db2 (4,): the gradient of the loss with respect to b2.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    raise NotImplementedError("db2: not written yet")


def dact(W2, dproj):
    """dact (3, 5, 11): the gradient of the loss with respect to act.

    Forward:  proj = act @ W2 + b2
    Upstream: dproj (3, 5, 4)
    """
    raise NotImplementedError("dact: not written yet")


def dhidden(hidden, dact):
    """dhidden (3, 5, 11): the gradient of the loss with respect to hidden.

    Forward:  act = torch.relu(hidden)
    Upstream: dact (3, 5, 11)
    A gate: open where the input was positive.
    """
    raise NotImplementedError("dhidden: not written yet")


def dW1(x, dhidden):
    """dW1 (4, 11): the gradient of the loss with respect to W1.

    Forward:  hidden = x @ W1 + b1
    Upstream: dhidden (3, 5, 11)
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhidden):
    """db1 (11,): the gradient of the loss with respect to b1.

    Forward:  hidden = x @ W1 + b1
    Upstream: dhidden (3, 5, 11)
    """
    raise NotImplementedError("db1: not written yet")


def dx(W1, dy, dhidden):
    """dx (3, 5, 4): the gradient of the loss with respect to x.

    Forward:  y = x + dropped
              hidden = x @ W1 + b1
    Upstream: dy (3, 5, 4), dhidden (3, 5, 11)
    Read by two lines: the layers, and the residual's own way around them.
    """
    raise NotImplementedError("dx: not written yet")
