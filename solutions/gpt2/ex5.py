"""Embeddings and head: one matrix used twice, and a vocabulary with rows to spare.

GPT-2 looks its tokens up in wte, and with the same wte it turns the last activations into logits: two
tokens that mean the same should be near each other in both places. 30% of the model's parameters are
saved, and the gradient of wte comes from both ends of the network. Between the two ends stand the blocks;
here they are left out.

The vocabulary of 50257 is padded to 50304, a number with many factors of two, which is faster. No token
has one of the spare rows. In the lecture their logits take part in the loss and are trained down; here, as in
llm.c, the loss leaves them out. Positions have a table too, wpe, with a row
for each of the max_T positions that a context may have; a shorter one uses the first T.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, max_T=8, V=11, Vp=16, C=5),
    "probe-1": dict(seed=1, B=4, T=6, max_T=8, V=11, Vp=16, C=5),
    "probe-2": dict(seed=2, B=3, T=5, max_T=11, V=8, Vp=10, C=4),
    "probe-3": dict(seed=3, B=2, T=4, max_T=5, V=7, Vp=8, C=3),
}

HINTS = {
    "dlogits": {
        "concept": """
The loss is a mean over all positions, B times T of them. For one position it is −log p at the label,
where p is the softmax over the first V logits alone. Write it out as −l[label] + log Σ_v exp(l[v]) with v
below V: both parts have a short derivative. A logit of a spare row stands in neither, so a small change
of it does nothing.
""",
        "shapes": """
dlogits has the shape of logits: 4×6×16.
Only 4×6×11 of it have to do with the loss; the last 5 of each row are there all the same.
""",
        "formula": """
    dlogits[b,t,v] = (p[v] − [v = Yb[b,t]])/(B · T)  where v < V, else 0

p[v] = exp(logits[b,t,v]) / Σ_w exp(logits[b,t,w]), with w below V as well. […] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, B, T, max_T, V, Vp, C):
    """Tokens and labels, of which some occur more than once, and the two tables."""
    if Vp < V or max_T <= T:
        raise ValueError("the tables are as long as what is looked up in them, wpe is longer")
    return {
        "wte": torch.randn((Vp, C), generator=g) * 0.5,
        "wpe": torch.randn((max_T, C), generator=g) * 0.5,
        "Xb": torch.randint(0, V, (B, T), generator=g),
        "Yb": torch.randint(0, V, (B, T), generator=g),
    }


def forward(wte, wpe, Xb, Yb, T, V):
    # tokens and their positions
    x = wte[Xb] + wpe[:T]
    # the head: the same matrix, transposed
    logits = x @ wte.T
    # cross entropy over the true vocabulary
    loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    return loss


def dlogits(logits, Yb, B, T, V):
    """dlogits (4, 6, 16): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    Upstream: none, the loss itself (its gradient is 1)
    The padding gets exactly 0. The mean runs over all positions.
    """
    kept = F.softmax(logits[:, :, :V], -1) - F.one_hot(Yb, V)
    dlogits = torch.zeros_like(logits)
    dlogits[:, :, :V] = kept / (B * T)
    return dlogits


def dx(wte, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ wte.T
    Upstream: dlogits (4, 6, 16)
    """
    return dlogits @ wte


def dwpe(wpe, dx, T):
    """dwpe (8, 5): the gradient of the loss with respect to wpe.

    Forward:  x = wte[Xb] + wpe[:T]
    Upstream: dx (4, 6, 5)
    All examples share a position's row. Rows from T on were not used.
    """
    dwpe = torch.zeros_like(wpe)
    dwpe[:T] = dx.sum(0)
    return dwpe


def dwte(wte, Xb, x, dx, dlogits):
    """dwte (16, 5): the gradient of the loss with respect to wte.

    Forward:  x = wte[Xb] + wpe[:T]
              logits = x @ wte.T
    Upstream: dx (4, 6, 5), dlogits (4, 6, 16)
    Both uses count: that of the head reaches every row, that of the embedding the rows looked up.
    """
    dwte = dlogits.flatten(0, 1).T @ x.flatten(0, 1)
    dwte.index_add_(0, Xb.flatten(), dx.flatten(0, 1))
    return dwte
