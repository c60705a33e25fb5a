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

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, C=5, V=9),
    "probe-1": dict(seed=1, B=4, T=6, C=5, V=9),
    "probe-2": dict(seed=2, B=3, T=5, C=4, V=7),
    "probe-3": dict(seed=3, B=2, T=8, C=3, V=6),
}

HINTS = {
    "dlogits": {
        "concept": """
A row of logits reaches the loss through one number alone, the log-probability of the token that was
written: l[token] − log Σ_v exp(l[v]). Its derivative is that of the cross entropy with the sign changed,
and what arrives for the row multiplies all of it.
""",
        "formula": """
    dlogits[b,t,v] = ([v = tokens[b,t]] − p[b,t,v]) · dpicked[b,t,0]

p is the softmax of the logits along the last axis. […] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, B, T, C, V):
    """Activations, the tokens that were written, where the answers begin, and what they were worth."""
    prompt = torch.randint(1, T, (B, 1), generator=g)
    return {
        "x": torch.randn((B, T, C), generator=g),
        "W": torch.randn((C, V), generator=g) * C**-0.5,
        "tokens": torch.randint(0, V, (B, T), generator=g),
        "answer": (torch.arange(T) >= prompt).float(),
        "reward": torch.randn((B, 1), generator=g) * 2 + 1,
    }


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
    return -torch.ones_like(weighted) / answer.sum()


def dpicked(weight, dweighted):
    """dpicked (4, 6, 1): the gradient of the loss with respect to picked.

    Forward:  weighted = picked.squeeze(2) * weight
    Upstream: dweighted (4, 6)
    """
    return (dweighted * weight).unsqueeze(2)


def dlogits(logits, tokens, dpicked):
    """dlogits (4, 6, 9): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
              picked = logprobs.gather(2, tokens.unsqueeze(2))
    Upstream: dpicked (4, 6, 1)
    """
    return (F.one_hot(tokens, logits.shape[-1]) - F.softmax(logits, -1)) * dpicked


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    return dlogits @ W.T


def dW(x, dlogits):
    """dW (5, 9): the gradient of the loss with respect to W.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    return x.flatten(0, 1).T @ dlogits.flatten(0, 1)
