"""Supervised fine-tuning: no loss on the prompt.

Each row is a prompt and, after it, the answer that somebody wrote. The model should learn to give such
answers, not to invent such prompts: the prompt's tokens are read, but what is predicted there doesn't
count. `answer` is 1 where the label is a token of the answer, and 0 elsewhere.

The mean is taken over the tokens that count, and not over all B times T: otherwise the loss's size would
depend on the share of prompt tokens. So the number to divide by comes out of the data.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, V=9),
    "probe-1": dict(seed=1, B=4, T=6, V=9),
    "probe-2": dict(seed=2, B=3, T=5, V=7),
    "probe-3": dict(seed=3, B=2, T=8, V=5),
}


def inputs(g, B, T, V):
    """Logits, labels, and prompts of different lengths; the first token is always a prompt's."""
    prompt = torch.randint(1, T, (B, 1), generator=g)
    return {
        "logits": torch.randn((B, T, V), generator=g),
        "Yb": torch.randint(0, V, (B, T), generator=g),
        "answer": (torch.arange(T) >= prompt).float(),
    }


def forward(logits, Yb, answer):
    logprobs = F.log_softmax(logits, -1)
    # the log-probability of each label, and of these the ones that count
    labels = Yb.unsqueeze(2)
    picked = logprobs.gather(2, labels)
    kept = picked.squeeze(2) * answer
    loss = -kept.sum() / answer.sum()
    return loss


def dkept(kept, answer):
    """dkept (4, 6): the gradient of the loss with respect to kept.

    Forward:  loss = -kept.sum() / answer.sum()
    Upstream: none, the loss itself (its gradient is 1)
    """
    return -torch.ones_like(kept) / answer.sum()


def dpicked(answer, dkept):
    """dpicked (4, 6, 1): the gradient of the loss with respect to picked.

    Forward:  kept = picked.squeeze(2) * answer
    Upstream: dkept (4, 6)
    """
    return (dkept * answer).unsqueeze(2)


def dlogprobs(logprobs, labels, dpicked):
    """dlogprobs (4, 6, 9): the gradient of the loss with respect to logprobs.

    Forward:  picked = logprobs.gather(2, labels)
    Upstream: dpicked (4, 6, 1)
    One number of each row was picked.
    """
    return torch.zeros_like(logprobs).scatter(2, labels, dpicked)


def dlogits(logprobs, dlogprobs):
    """dlogits (4, 6, 9): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
    Upstream: dlogprobs (4, 6, 9)
    Rows of the prompt come out as zeros by themselves, since nothing arrives there.
    """
    return dlogprobs - logprobs.exp() * dlogprobs.sum(-1, keepdim=True)
