"""Supervised fine-tuning: no loss on the prompt.

Each row is a prompt and, after it, the answer that somebody wrote. The model should learn to give such
answers, not to invent such prompts: the prompt's tokens are read, but what is predicted there doesn't
count. `answer` is 1 where the label is a token of the answer, and 0 elsewhere.

The mean is taken over the tokens that count, and not over all B times T: otherwise the loss's size would
depend on the share of prompt tokens. So the number to divide by comes out of the data.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dkept: not written yet")


def dpicked(answer, dkept):
    """dpicked (4, 6, 1): the gradient of the loss with respect to picked.

    Forward:  kept = picked.squeeze(2) * answer
    Upstream: dkept (4, 6)
    """
    raise NotImplementedError("dpicked: not written yet")


def dlogprobs(logprobs, labels, dpicked):
    """dlogprobs (4, 6, 9): the gradient of the loss with respect to logprobs.

    Forward:  picked = logprobs.gather(2, labels)
    Upstream: dpicked (4, 6, 1)
    One number of each row was picked.
    """
    raise NotImplementedError("dlogprobs: not written yet")


def dlogits(logprobs, dlogprobs):
    """dlogits (4, 6, 9): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
    Upstream: dlogprobs (4, 6, 9)
    Rows of the prompt come out as zeros by themselves, since nothing arrives there.
    """
    raise NotImplementedError("dlogits: not written yet")
