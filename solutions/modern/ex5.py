"""Mixture of experts: a gate that says whose word counts.

In place of one feed-forward layer a mixture has several, the experts, and a small layer, the gate, that
weighs them for each token anew. Large models let only the two or so with the highest weight work, which
saves time; here the gate is soft: every expert works, and what they say is added up, weighted. That is the
part that has a gradient, with few experts kept or with all.

In steps, for n = 6 tokens and E = 3 experts: scores (6, 3), softmax of them gate (6, 3); each expert's layer, all
at once, h (6, 3, 4), and what it says after a ReLU, said (6, 3, 4); their weighted sum y (6, 4).

A gate left alone soon sends everything to one expert. So the loss has a second part: load (3,), each
expert's mean weight over the tokens, is squared and summed, which is smallest where all have the same. The
gate is read by both parts, and x by gate and experts.

Shazeer et al., 2017, arXiv:1701.06538; the even load as in Fedus et al., 2021, arXiv:2101.03961.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=6, C=5, E=3, M=4)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, C=4, E=2, M=5),
    "probe-3": dict(seed=3, n=5, C=6, E=4, M=3),
}


def inputs(g, n, C, E, M):
    """Tokens, the gate's matrix, a matrix for each expert, and what is to come out; drawn with the generator g."""
    return {
        "x": torch.randn((n, C), generator=g),
        "Wgate": torch.randn((C, E), generator=g) * C**-0.5,
        "W": torch.randn((E, C, M), generator=g) * C**-0.5,
        "target": torch.randn((n, M), generator=g),
    }


def forward(x, Wgate, W, target, E):
    # whose word counts
    scores = x @ Wgate
    gate = F.softmax(scores, -1)
    # what each expert says
    h = torch.einsum("nc,ecm->nem", x, W)
    said = torch.relu(h)
    y = torch.einsum("ne,nem->nm", gate, said)
    # nobody is to have all the work
    load = gate.mean(0)
    balance = E * (load**2).sum()
    loss = F.mse_loss(y, target) + 0.1 * balance
    return loss


def dsaid(gate, dy):
    """dsaid (6, 3, 4): the gradient of the loss with respect to said.

    Forward:  y = torch.einsum("ne,nem->nm", gate, said)
    Upstream: dy (6, 4)
    """
    return torch.einsum("ne,nm->nem", gate, dy)


def dh(h, dsaid):
    """dh (6, 3, 4): the gradient of the loss with respect to h.

    Forward:  said = torch.relu(h)
    Upstream: dsaid (6, 3, 4)
    """
    return dsaid * (h > 0)


def dW(x, dh):
    """dW (3, 5, 4): the gradient of the loss with respect to W.

    Forward:  h = torch.einsum("nc,ecm->nem", x, W)
    Upstream: dh (6, 3, 4)
    A matrix for each expert.
    """
    return torch.einsum("nc,nem->ecm", x, dh)


def dload(load, dbalance, E):
    """dload (3,): the gradient of the loss with respect to load.

    Forward:  balance = E * (load**2).sum()
    Upstream: dbalance ()
    """
    return 2 * E * load * dbalance


def dgate(said, dy, dload, n):
    """dgate (6, 3): the gradient of the loss with respect to gate.

    Forward:  y = torch.einsum("ne,nem->nm", gate, said)
              load = gate.mean(0)
    Upstream: dy (6, 4), dload (3,)
    One way asks how well each expert did for each token, the other how busy it is.
    """
    return torch.einsum("nem,nm->ne", said, dy) + dload / n


def dscores(gate, dgate):
    """dscores (6, 3): the gradient of the loss with respect to scores.

    Forward:  gate = F.softmax(scores, -1)
    Upstream: dgate (6, 3)
    """
    return gate * (dgate - (gate * dgate).sum(1, keepdim=True))


def dWgate(x, dscores):
    """dWgate (5, 3): the gradient of the loss with respect to Wgate.

    Forward:  scores = x @ Wgate
    Upstream: dscores (6, 3)
    """
    return x.T @ dscores


def dx(Wgate, W, dscores, dh):
    """dx (6, 5): the gradient of the loss with respect to x.

    Forward:  scores = x @ Wgate
              h = torch.einsum("nc,ecm->nem", x, W)
    Upstream: dscores (6, 3), dh (6, 3, 4)
    The gate reads x, and so does every expert.
    """
    return dscores @ Wgate.T + torch.einsum("nem,ecm->nc", dh, W)
