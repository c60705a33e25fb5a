"""Rankings, rewards and a policy that may not move too far.

What the reward model and the reinforcement learning after it are made of, as values: where a reward is read off, the
loss over all pairs of a ranking, the weights that a reward or an advantage gives to tokens, and PPO's two ways of
keeping the new policy near the old one, a clipped ratio and a penalty by the KL divergence.
"""

import torch
import torch.nn.functional as F

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, B=3, T=5, V=7, K=4),
    "probe-1": dict(seed=2, B=3, T=5, V=7, K=4),
    "probe-2": dict(seed=3, B=4, T=6, V=5, K=3),
    "probe-3": dict(seed=4, B=2, T=8, V=9, K=5),
}
OUTPUTS = {
    "with_readout": "exact",
    "readout": "exact",
    "ranking_pairs": "exact",
    "ranking_loss": "approximate",
    "by_reward": "approximate",
    "advantages": "approximate",
    "ratios": "approximate",
    "clipped": "approximate",
    "kl": "approximate",
    "penalised": "approximate",
}
HINTS = {
    "with_readout": {
        "example": """
    >>> with_readout([3, 4], [5], 9, 6)
""",
        "concept": "A token of its own stands at the end of each answer, and what the network says there is the reward. It has "
        "seen everything before it.",
        "formula": "prompt + answer + [readout] + zeros up to T; at = len(prompt) + len(answer).",
    },
    "readout": {
        "example": """
    >>> readout(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[7, 9], [9, 7]]), 9)
""",
        "concept": "Answers are of different lengths, so that the place differs from row to row: an index for each row.",
        "formula": "rewards[b, at[b]], with at[b] the place of the readout token in row b.",
    },
    "ranking_pairs": {
        "example": """
    >>> ranking_pairs([2, 0, 1])
""",
        "concept": "A ranking of K answers says of every two of them which is better: K(K − 1)/2 comparisons out of one.",
        "formula": "All (better, worse) with better standing before worse in the ranking.",
    },
    "ranking_loss": {
        "example": """
    >>> ranking_loss(torch.tensor([0.0, 1.0]), [1, 0])
""",
        "concept": "For each two answers the better one's reward is to be larger. A difference that is large enough costs almost "
        "nothing; the mean is over all pairs.",
        "formula": "The mean of −log σ(r_better − r_worse). F.logsigmoid doesn't overflow.",
    },
    "by_reward": {
        "example": """
    >>> by_reward(torch.tensor([[-1.0, -2.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([0.5]))
""",
        "concept": "The tokens of a well rewarded answer are made more likely, in proportion to the reward. Prompt tokens are not "
        "the policy's doing and are left out.",
        "formula": "−Σ reward[b] · logprob[b, t] · mask[b, t] / Σ mask.",
    },
    "advantages": {
        "example": """
    >>> advantages(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0]), 0.0)
""",
        "concept": "If all rewards are large, all answers would be made more likely. What counts is how much better than expected "
        "an answer was.",
        "formula": "reward − value, then minus the mean and over the standard deviation plus eps.",
    },
    "ratios": {
        "example": """
    >>> ratios(torch.tensor([-1.0, -2.0]), torch.tensor([-1.0, -1.0]))
""",
        "concept": "Probabilities are kept as logarithms, so that their ratio is the exponential of a difference.",
        "formula": "p_new / p_old = e^(log p_new − log p_old).",
    },
    "clipped": {
        "example": """
    >>> clipped(torch.tensor([1.5, 0.5]), torch.tensor([1.0, 1.0]), 0.2)
""",
        "concept": "Within the limits the ratio counts as it is. Beyond them a further gain is worth nothing; a loss still counts: "
        "that is what the minimum is for.",
        "formula": "−mean(min(ratio · A, clamp(ratio, 1 − eps, 1 + eps) · A)).",
    },
    "kl": {
        "example": """
    >>> kl(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
""",
        "concept": "How many nats more the old policy would need to describe what the new one does. It is 0 where they agree, and "
        "never negative.",
        "formula": "Σ_v p(v) · (log p(v) − log q(v)) for each row, p of the new and q of the old logits.",
    },
    "penalised": {
        "example": """
    >>> penalised(torch.tensor([1.0]), torch.tensor([[-1.0, -1.0]]), torch.tensor([[-2.0, -3.0]]), torch.tensor([[1.0, 0.0]]), 0.5)
""",
        "concept": "The reward model knows only what the old policy wrote. The penalty keeps the new one where it can be trusted.",
        "formula": "reward − beta · Σ_t (new − old) · mask, for each row.",
    },
}


def inputs(g, B, T, V, K):
    """Prompts and answers, rewards, rankings, log probabilities of two policies, a mask, logits of both."""

    def draw(*shape):
        return torch.randn(shape, generator=g)

    old = -draw(B, T).abs() - 0.1
    lengths = torch.randint(1, T - 2, (B,), generator=g).tolist()
    rows = [torch.randint(2, 50, (n + 1,), generator=g).tolist() for n in lengths]
    mask = (torch.rand((B, T), generator=g) > 0.4).float()
    mask[0, 1] = 1.0
    return dict(
        rows=[(row[:1], row[1:]) for row in rows],
        size=T + 1,
        token=50 + K,
        scores=draw(B, T),
        tokens=torch.stack([torch.randperm(T, generator=g) for _ in range(B)]),
        rewards=draw(K) * 3,
        ranking=torch.randperm(K, generator=g).tolist(),
        earned=draw(B) * 2,
        values=draw(B),
        old=old,
        new=old + 0.4 * draw(B, T),
        mask=mask,
        advantage=draw(B, T),
        eps=0.1 + 0.02 * K,
        beta=0.05 * B,
        p_logits=draw(B, V) * 2,
        q_logits=draw(B, V) * 2,
    )


def with_readout(prompt, answer, readout, T):
    """A prompt and its answer as one row of T tokens for a reward model: a pair (row, at).

    The row is the prompt, the answer, the readout token, and zeros up to T tokens; `at` is the place of the readout
    token. Lists of numbers that fit.
    """
    row = [*prompt, *answer, readout]
    return row + [0] * (T - len(row)), len(row) - 1


def readout(rewards, tokens, token):
    """The reward of each row where its readout token stands: a tensor (B,).

    rewards (B, T) has a number at every place, tokens (B, T) the tokens, among which each row holds `token` once.
    """
    return rewards[tokens == token]


def ranking_pairs(ranking):
    """Every comparison that a ranking makes: a list of pairs (better, worse).

    ranking has the numbers of the answers, the best first. The pairs come by the better one in the order of the ranking,
    and for each by the worse one: [2, 0, 1] gives (2, 0), (2, 1), (0, 1).
    """
    return [(a, b) for k, a in enumerate(ranking) for b in ranking[k + 1 :]]


def ranking_loss(rewards, ranking):
    """The mean over all pairs of a ranking of -log of the sigmoid of the better's reward minus the worse's.

    rewards (K,) are those of the answers 0 to K - 1; a tensor of no axes. Rewards may be far apart.
    """
    pairs = ranking_pairs(ranking)
    better = torch.tensor([a for a, _ in pairs])
    worse = torch.tensor([b for _, b in pairs])
    return -F.logsigmoid(rewards[better] - rewards[worse]).mean()


def by_reward(logprobs, mask, rewards):
    """The loss that weighs the tokens of each answer by its reward, as the talk has it: a tensor of no axes.

    logprobs (B, T) are those of the tokens written, mask (B, T) is 1 where a token belongs to the answer, else 0, rewards
    (B,). Minus the mean, over the tokens of all answers together, of reward times log probability.
    """
    return -(rewards[:, None] * logprobs * mask).sum() / mask.sum()


def advantages(rewards, values, eps):
    """How much better each answer was than expected, on a common scale: a tensor like rewards (B,).

    rewards minus values; then their mean is subtracted, and they are divided by their standard deviation (over one less
    than there are) plus eps.
    """
    a = rewards - values
    return (a - a.mean()) / (a.std() + eps)


def ratios(new, old):
    """How much more likely each token is under the new policy than under the old one, from log probabilities."""
    return (new - old).exp()


def clipped(ratio, advantage, eps):
    """PPO's clipped loss, a tensor of no axes, for ratios and advantages of one shape.

    Of each token the smaller one of ratio · advantage and of the same with the ratio clamped to 1 - eps … 1 + eps; minus
    the mean of these.
    """
    limited = ratio.clamp(1 - eps, 1 + eps) * advantage
    return -torch.minimum(ratio * advantage, limited).mean()


def kl(new_logits, old_logits):
    """The KL divergence KL(new ‖ old) for each row: Σ p · (log p - log q), a tensor (B,).

    p are the new policy's probabilities, q the old one's, each the softmax of logits (B, V). In nats.
    """
    logp, logq = new_logits.log_softmax(1), old_logits.log_softmax(1)
    return (logp.exp() * (logp - logq)).sum(1)


def penalised(rewards, new, old, mask, beta):
    """The reward of each answer (B,), less beta times how much likelier its tokens have become.

    new and old (B, T) are log probabilities of the tokens written, whose difference is summed where mask is 1.
    """
    return rewards - beta * ((new - old) * mask).sum(1)


def use_with_readout(with_readout, rows, token, size):
    cases = [(prompt, answer, token, size) for prompt, answer in rows]
    return calls("with_readout", with_readout, *cases, ([3, 4], [5], 9, 4), ([3], [], 9, 6), ([9, 3], [9], 9, 6))


def use_readout(readout, scores, tokens):
    """The rewards at the readout tokens, for two tokens that may be it."""
    found = {}
    for token in (0, scores.shape[1] - 1):
        found[f"readout(rewards, tokens, {token})"] = readout(scores.clone(), tokens.clone(), token)
    return found


def use_ranking_pairs(ranking_pairs, ranking):
    return calls("ranking_pairs", ranking_pairs, (ranking,), ([2, 0, 1],), (ranking[:1],), (ranking[::-1],))


def use_ranking_loss(ranking_loss, rewards, ranking):
    """The loss of rankings, of rewards that are far apart too."""
    cases = {"": (rewards, ranking), " backwards": (rewards, ranking[::-1]), " of two": (rewards, ranking[:2])}
    cases[" of rewards 200 times as large"] = (200 * rewards, ranking)
    return {f"ranking_loss{said}": ranking_loss(r.clone(), list(order)) for said, (r, order) in cases.items()}


def use_by_reward(by_reward, new, mask, earned):
    """The loss of all rows, and of the first one."""
    return {
        "by_reward(logprobs, mask, rewards)": by_reward(new.clone(), mask.clone(), earned.clone()),
        "of the first row": by_reward(new[:1].clone(), mask[:1].clone(), earned[:1].clone()),
    }


def use_advantages(advantages, earned, values):
    """The advantages, for two eps, and where all are alike."""
    cases = {"0.001": (earned, values, 0.001), "0.5": (earned, values, 0.5), "1, all alike": (values + 2, values, 1)}
    return {f"advantages, eps {said}": advantages(r.clone(), v.clone(), eps) for said, (r, v, eps) in cases.items()}


def use_ratios(ratios, new, old):
    return {"ratios(new, old)": ratios(new.clone(), old.clone()), "ratios(old, new)": ratios(old.clone(), new.clone())}


def use_clipped(clipped, new, old, advantage, eps):
    """The clipped loss, for two eps, and for advantages of one sign."""
    r = torch.exp(new - old)
    cases = {"": (r, advantage, eps), " with a small eps": (r, advantage, eps / 4)}
    cases |= {" of gains alone": (r, advantage.abs(), eps), " of losses alone": (r, -advantage.abs(), eps)}
    return {f"clipped{said}": clipped(a.clone(), b.clone(), by) for said, (a, b, by) in cases.items()}


def use_kl(kl, p_logits, q_logits):
    """The divergence both ways round, and of logits that are far apart."""
    cases = {"new, old": (p_logits, q_logits), "old, new": (q_logits, p_logits)}
    cases["new, 30 old"] = (p_logits, 30 * q_logits)
    return {f"kl({said})": kl(a.clone(), b.clone()) for said, (a, b) in cases.items()}


def use_penalised(penalised, earned, new, old, mask, beta):
    """The rewards with a penalty, for two betas."""
    return {
        f"penalised(…, {by:.6g})": penalised(earned.clone(), new.clone(), old.clone(), mask.clone(), by)
        for by in (beta, 4 * beta)
    }
