"""Rankings, rewards and a policy that may not move too far.

What the reward model and the reinforcement learning after it are made of, as values: where a reward is read off, the
loss over all pairs of a ranking, the weights that a reward or an advantage gives to tokens, and PPO's two ways of
keeping the new policy near the old one, a clipped ratio and a penalty by the KL divergence.
"""

import torch
import torch.nn.functional as F


def with_readout(prompt, answer, readout, T):
    """A prompt and its answer as one row of T tokens for a reward model: a pair (row, at).

    The row is the prompt, the answer, the readout token, and zeros up to T tokens; `at` is the place of the readout
    token. Lists of numbers that fit.
    """
    raise NotImplementedError("with_readout: not written yet")


def readout(rewards, tokens, token):
    """The reward of each row where its readout token stands: a tensor (B,).

    rewards (B, T) has a number at every place, tokens (B, T) the tokens, among which each row holds `token` once.
    """
    raise NotImplementedError("readout: not written yet")


def ranking_pairs(ranking):
    """Every comparison that a ranking makes: a list of pairs (better, worse).

    ranking has the numbers of the answers, the best first. The pairs come by the better one in the order of the ranking,
    and for each by the worse one: [2, 0, 1] gives (2, 0), (2, 1), (0, 1).
    """
    raise NotImplementedError("ranking_pairs: not written yet")


def ranking_loss(rewards, ranking):
    """The mean over all pairs of a ranking of -log of the sigmoid of the better's reward minus the worse's.

    rewards (K,) are those of the answers 0 to K - 1; a tensor of no axes. Rewards may be far apart.
    """
    raise NotImplementedError("ranking_loss: not written yet")


def by_reward(logprobs, mask, rewards):
    """The loss that weighs the tokens of each answer by its reward, as the talk has it: a tensor of no axes.

    logprobs (B, T) are those of the tokens written, mask (B, T) is 1 where a token belongs to the answer, else 0, rewards
    (B,). Minus the mean, over the tokens of all answers together, of reward times log probability.
    """
    raise NotImplementedError("by_reward: not written yet")


def advantages(rewards, values, eps):
    """How much better each answer was than expected, on a common scale: a tensor like rewards (B,).

    rewards minus values; then their mean is subtracted, and they are divided by their standard deviation (over one less
    than there are) plus eps.
    """
    raise NotImplementedError("advantages: not written yet")


def ratios(new, old):
    """How much more likely each token is under the new policy than under the old one, from log probabilities."""
    raise NotImplementedError("ratios: not written yet")


def clipped(ratio, advantage, eps):
    """PPO's clipped loss, a tensor of no axes, for ratios and advantages of one shape.

    Of each token the smaller one of ratio · advantage and of the same with the ratio clamped to 1 - eps … 1 + eps; minus
    the mean of these.
    """
    raise NotImplementedError("clipped: not written yet")


def kl(new_logits, old_logits):
    """The KL divergence KL(new ‖ old) for each row: Σ p · (log p - log q), a tensor (B,).

    p are the new policy's probabilities, q the old one's, each the softmax of logits (B, V). In nats.
    """
    raise NotImplementedError("kl: not written yet")


def penalised(rewards, new, old, mask, beta):
    """The reward of each answer (B,), less beta times how much likelier its tokens have become.

    new and old (B, T) are log probabilities of the tokens written, whose difference is summed where mask is 1.
    """
    raise NotImplementedError("penalised: not written yet")
