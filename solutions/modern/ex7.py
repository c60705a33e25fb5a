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

LECTURE = dict(P=3, T=5, V=6)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, P=4, T=3, V=7),
    "probe-3": dict(seed=3, P=2, T=4, V=5),
}

HINTS = {
    "dmargin": {
        "formula": """
    dmargin[i] = −σ(−margin[i])/P
""",
    },
    "dlogprobsb": {
        "formula": """
    dlogprobsb[i,t,v] = [v = yb[i,t]] · dpickedb[i,t]

[…] is 1 where it holds, else 0.
""",
    },
    "dlogitsw": {
        "concept": """
The three steps of the better answer, in one line. At a token that the mask keeps, the line adds log p at yw, and
log p[yw] = l[yw] − log Σ_v exp(l[v]), with the token's logits l: the first part has a derivative at yw alone, the second
everywhere, and it is softmax. At a token that the mask leaves out nothing reaches the loss.
""",
        "shapes": """
dlogitsw has the shape of logitsw: 3×5×6.
dlogpw arrives as (3,), a number for each pair: it meets all 5 tokens, and with the mask it is 3×5. Another axis
behind it broadcasts over the 6 logits.
""",
        "formula": """
    dlogitsw[i,t,v] = dlogpw[i] · maskw[i,t] · ([v = yw[i,t]] − p[i,t,v])

p is the softmax of the logits along the last axis. […] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, P, T, V):
    """Logits, tokens and mask of both answers, and what the model before training gave each; drawn with g."""

    def answer():
        length = torch.randint(2, T + 1, (P, 1), generator=g)
        return (
            torch.randn((P, T, V), generator=g),
            torch.randint(0, V, (P, T), generator=g),
            (torch.arange(T) < length).float(),
            -2 * T * torch.rand(P, generator=g),
        )

    return dict(zip(("logitsb", "yb", "maskb", "refb", "logitsw", "yw", "maskw", "refw"), answer() + answer()))


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
    return -torch.sigmoid(-margin) / P


def dratiob(dmargin):
    """dratiob (3,): the gradient of the loss with respect to ratiob.

    Forward:  margin = 0.1 * (ratiob - ratiow)
    Upstream: dmargin (3,)
    """
    return 0.1 * dmargin


def dratiow(dmargin):
    """dratiow (3,): the gradient of the loss with respect to ratiow.

    Forward:  margin = 0.1 * (ratiob - ratiow)
    Upstream: dmargin (3,)
    """
    return -0.1 * dmargin


def dpickedb(maskb, dlogpb):
    """dpickedb (3, 5): the gradient of the loss with respect to pickedb.

    Forward:  logpb = (pickedb * maskb).sum(-1)
    Upstream: dlogpb (3,)
    """
    return maskb * dlogpb.unsqueeze(1)


def dlogprobsb(logprobsb, yb, dpickedb):
    """dlogprobsb (3, 5, 6): the gradient of the loss with respect to logprobsb.

    Forward:  pickedb = logprobsb.gather(-1, yb.unsqueeze(-1)).squeeze(-1)
    Upstream: dpickedb (3, 5)
    """
    return torch.zeros_like(logprobsb).scatter(-1, yb.unsqueeze(-1), dpickedb.unsqueeze(-1))


def dlogitsb(logprobsb, dlogprobsb):
    """dlogitsb (3, 5, 6): the gradient of the loss with respect to logitsb.

    Forward:  logprobsb = F.log_softmax(logitsb, -1)
    Upstream: dlogprobsb (3, 5, 6)
    """
    return dlogprobsb - logprobsb.exp() * dlogprobsb.sum(-1, keepdim=True)


def dlogitsw(logitsw, yw, maskw, dlogpw, V):
    """dlogitsw (3, 5, 6): the gradient of the loss with respect to logitsw.

    Forward:  logpw = (F.log_softmax(logitsw, -1).gather(-1, yw.unsqueeze(-1)).squeeze(-1) * maskw).sum(-1)
    Upstream: dlogpw (3,)
    The last three steps in one go: what is the derivative of one token's log probability?
    """
    dpicked = maskw * dlogpw.unsqueeze(1)
    return dpicked.unsqueeze(-1) * (F.one_hot(yw, V) - F.softmax(logitsw, -1))
