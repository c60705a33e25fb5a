"""DPO: preferences without a reward model.

People say which of two answers is better. Instead of a reward model and reinforcement learning on it (see
training-losses), direct preference optimisation trains the model on the pairs themselves. An answer's log
probability is the sum over its tokens; how much more the model likes an answer than it did before training,
its ratio, is the reward; and the better answer's is to be the higher one.

In steps, for P = 3 pairs of answers with up to T = 5 tokens of V = 6: log probabilities (3, 5, 6) of all
tokens, of them picked (3, 5) at the answer's tokens, summed where the mask is 1 to logpb (3,); less refb (3,), what
the model before training gave; margin (3,), 0.1 times better less worse; the loss is the mean of −log
σ(margin). The better answer goes the way in steps, b at the end of each name, the worse in one line.

The gradient says how DPO learns: what each pair weighs is σ(−margin), which is near 0 where the model has
them the right way round already. It pulls one answer's tokens up and pushes the other's down with the same
force.

Rafailov et al., 2023, arXiv:2305.18290.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(logitsb, yb, maskb, refb, logitsw, yw, maskw, refw):
    # the better answer, step by step
    logprobsb = F.log_softmax(logitsb, -1)
    pickedb = logprobsb.gather(-1, yb.unsqueeze(-1)).squeeze(-1)
    logpb = (pickedb * maskb).sum(-1)
    # the worse, in one line
    logpw = (F.log_softmax(logitsw, -1).gather(-1, yw.unsqueeze(-1)).squeeze(-1) * maskw).sum(-1)
    # how much more each is liked than before
    ratiob = logpb - refb
    ratiow = logpw - refw
    margin = 0.1 * (ratiob - ratiow)
    loss = -F.logsigmoid(margin).mean()
    return loss


def dmargin(margin, P):
    """dmargin (3,): the gradient of the loss with respect to margin.

    Forward:  loss = -F.logsigmoid(margin).mean()
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dmargin: not written yet")


def dratiob(dmargin):
    """dratiob (3,): the gradient of the loss with respect to ratiob.

    Forward:  margin = 0.1 * (ratiob - ratiow)
    Upstream: dmargin (3,)
    """
    raise NotImplementedError("dratiob: not written yet")


def dratiow(dmargin):
    """dratiow (3,): the gradient of the loss with respect to ratiow.

    Forward:  margin = 0.1 * (ratiob - ratiow)
    Upstream: dmargin (3,)
    """
    raise NotImplementedError("dratiow: not written yet")


def dpickedb(maskb, dlogpb):
    """dpickedb (3, 5): the gradient of the loss with respect to pickedb.

    Forward:  logpb = (pickedb * maskb).sum(-1)
    Upstream: dlogpb (3,)
    """
    raise NotImplementedError("dpickedb: not written yet")


def dlogprobsb(logprobsb, yb, dpickedb):
    """dlogprobsb (3, 5, 6): the gradient of the loss with respect to logprobsb.

    Forward:  pickedb = logprobsb.gather(-1, yb.unsqueeze(-1)).squeeze(-1)
    Upstream: dpickedb (3, 5)
    """
    raise NotImplementedError("dlogprobsb: not written yet")


def dlogitsb(logprobsb, dlogprobsb):
    """dlogitsb (3, 5, 6): the gradient of the loss with respect to logitsb.

    Forward:  logprobsb = F.log_softmax(logitsb, -1)
    Upstream: dlogprobsb (3, 5, 6)
    """
    raise NotImplementedError("dlogitsb: not written yet")


def dlogitsw(logitsw, yw, maskw, dlogpw, V):
    """dlogitsw (3, 5, 6): the gradient of the loss with respect to logitsw.

    Forward:  logpw = (F.log_softmax(logitsw, -1).gather(-1, yw.unsqueeze(-1)).squeeze(-1) * maskw).sum(-1)
    Upstream: dlogpw (3,)
    The last three steps in one go: what is the derivative of one token's log probability?
    """
    raise NotImplementedError("dlogitsw: not written yet")
