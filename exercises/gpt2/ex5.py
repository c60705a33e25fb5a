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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dlogits: not written yet")


def dx(wte, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ wte.T
    Upstream: dlogits (4, 6, 16)
    """
    raise NotImplementedError("dx: not written yet")


def dwpe(wpe, dx, T):
    """dwpe (8, 5): the gradient of the loss with respect to wpe.

    Forward:  x = wte[Xb] + wpe[:T]
    Upstream: dx (4, 6, 5)
    All examples share a position's row. Rows from T on were not used.
    """
    raise NotImplementedError("dwpe: not written yet")


def dwte(wte, Xb, x, dx, dlogits):
    """dwte (16, 5): the gradient of the loss with respect to wte.

    Forward:  x = wte[Xb] + wpe[:T]
              logits = x @ wte.T
    Upstream: dx (4, 6, 5), dlogits (4, 6, 16)
    Both uses count: that of the head reaches every row, that of the embedding the rows looked up.
    """
    raise NotImplementedError("dwte: not written yet")
