"""Reinforcement: cross entropy, weighted by the reward.

The model has written an answer to each of B prompts, and the reward model has judged it. Now the model is
trained on its own tokens as if they were labels, but each answer counts by its reward: above 0, its
tokens become more likely; below 0, less likely. Rewards are compared with their mean over the batch
first, so that about half of the answers count against; the talk weighs by the reward itself.

`reward` is a given number for each answer, and `weight` is made of it: nothing flows back into them here.
As in fine-tuning, tokens of the prompt take no part, and the mean is over the tokens that do.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, W, tokens, answer, reward):
    logits = x @ W
    logprobs = F.log_softmax(logits, -1)
    picked = logprobs.gather(2, tokens.unsqueeze(2))
    # better than the others, or worse
    weight = (reward - reward.mean()) * answer
    weighted = picked.squeeze(2) * weight
    loss = -weighted.sum() / answer.sum()
    return loss


def dweighted(weighted, answer):
    """dweighted (4, 6): the gradient of the loss with respect to weighted.

    Forward:  loss = -weighted.sum() / answer.sum()
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dweighted: not written yet")


def dpicked(weight, dweighted):
    """dpicked (4, 6, 1): the gradient of the loss with respect to picked.

    Forward:  weighted = picked.squeeze(2) * weight
    Upstream: dweighted (4, 6)
    """
    raise NotImplementedError("dpicked: not written yet")


def dlogits(logits, tokens, dpicked):
    """dlogits (4, 6, 9): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
              picked = logprobs.gather(2, tokens.unsqueeze(2))
    Upstream: dpicked (4, 6, 1)
    """
    raise NotImplementedError("dlogits: not written yet")


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    raise NotImplementedError("dx: not written yet")


def dW(x, dlogits):
    """dW (5, 9): the gradient of the loss with respect to W.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    raise NotImplementedError("dW: not written yet")
