"""The table as a network: one-hot rows, a softmax, and descent.

What counting gives in one go can be learnt step by step. The pairs become a data set of inputs and labels,
an input becomes a one-hot row, a matrix W makes logits of it, and the softmax of these is the row of
probabilities. At the end the network has come to the table of exercise 1, and it can be made larger, which
the table can't.
"""

import torch
import torch.nn.functional as F

from grader.lecture import bigrams, words_of

FIXTURES = {
    "lecture": dict(seed=2147483647, vocab_size=27, many=1, steps=3),
    "probe-1": dict(seed=2, vocab_size=27, many=1, steps=3),
    "probe-2": dict(seed=3, vocab_size=12, many=4, steps=2),
    "probe-3": dict(seed=4, vocab_size=14, many=3, steps=5),
}
OUTPUTS = {
    "pairs": "exact",
    "onehot": "exact",
    "probs": "approximate",
    "loss": "approximate",
    "losses": "approximate",
}
HINTS = {
    "pairs": {
        "concept": "The table of exercise 1 as a data set: for each pair the first character is the input, the "
        "second the label. A word of k letters gives k + 1 of them.",
        "shapes": "words is a list of strings, chars a string. pairs returns a tuple of two tensors of torch.int64, "
        "each with one entry for each pair.",
        "example": """
    >>> pairs(["ab", "b"], ".ab")
""",
        "formula": "For each word write 0, the numbers of its letters, 0. xs is all of that but the last, ys all "
        "but the first; word after word.",
    },
    "onehot": {
        "concept": "A number as a row that is 1 at its place and 0 elsewhere. A product with it picks a row of a "
        "matrix, which needs floats; and a character that does not occur needs its column too.",
        "example": """
    >>> onehot((torch.tensor([2, 0]), torch.tensor([0, 1])), 4)
""",
        "formula": "row i, column j: 1.0 where j = xs[i], else 0.0. F.one_hot with the number of classes, as "
        "float32.",
    },
    "probs": {
        "concept": "The product of a one-hot row and W is a row of W: the logits. Exponentials make them positive, "
        "like counts, and each row over its sum is the softmax.",
        "example": """
    >>> probs(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
""",
        "formula": "P[i, j] = exp(logits[i, j]) / Σ_k exp(logits[i, k]): the sum along the row, kept as a column.",
    },
    "loss": {
        "concept": "Of each row only the probability of its own label counts: pick one entry a row, not a column of "
        "them all. The regularisation pulls the weights towards 0, and with them the logits towards equal.",
        "shapes": "probs has a row for each pair, pairs is (xs, ys), W2 a tensor of any values, strength a float. "
        "loss returns a tensor without axes.",
        "example": """
    >>> P = torch.tensor([[0.5, 0.5], [0.75, 0.25]])
    >>> loss(P, (torch.tensor([0, 1]), torch.tensor([1, 0])), torch.tensor([[1.0, 3.0]]), 0.1)
""",
        "formula": "−(1/n) Σ_i ln P[i, ys[i]] + strength · mean(W2²). The mean of the squares, not their sum.",
    },
    "losses": {
        "concept": "Each round: forward, note the loss, then one step of W against its gradient. The loss that is "
        "noted is the one of before the step. Make a new W in each step; the one that is given stays.",
        "shapes": "onehot is a float tensor (n, vocab_size), pairs is (xs, ys), W a tensor (vocab_size, "
        "vocab_size), rate a float, steps an integer. losses returns a list of `steps` floats.",
        "example": """
    >>> rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> labels = torch.tensor([0, 1]), torch.tensor([1, 0])
    >>> losses(rows, labels, torch.zeros(2, 2), 1.0, 3)
""",
        "formula": "The gradient of the mean negative log likelihood for the logits is (P[i, j] − [j = ys[i]]) / n: "
        "the probabilities, less 1 at the label, over the number of pairs. That of W is the transposed one-hot "
        "rows times it. W ← W − rate · gradient.",
    },
}


def inputs(g, vocab_size, many, steps):
    """Weights, drawn first as in the lecture, and words: of all letters, the lecture's emma."""
    W = torch.randn((vocab_size, vocab_size), generator=g)
    chars, words = words_of(g, vocab_size, many)
    if vocab_size == 27:
        words = ["emma"]
    W2 = torch.randn((vocab_size, many + 2), generator=g)  # not square: a mean over rows is none
    xs, ys = bigrams(g, 6 + steps, vocab_size)  # of all letters emma and what follows
    rows = torch.eye(vocab_size)[xs]
    return dict(W=W, rows=rows, both=(xs, ys), chars=chars, words=words, strength=0.01 * len(words[0]), rate=0.1 * many, W2=W2)


def pairs(words, chars):
    """Two tensors of torch.int64: xs with the number of each pair's first character, ys of its second.

    In the order in which they stand, both full stops included: emma gives [0, 5, 13, 13, 1] and
    [5, 13, 13, 1, 0].
    """
    xs, ys = [], []
    for word in words:
        numbers = [0, *(chars.index(c) for c in word), 0]
        xs += numbers[:-1]
        ys += numbers[1:]
    return torch.tensor(xs), torch.tensor(ys)


def onehot(pairs, vocab_size):
    """The xs of `pairs` as one-hot rows: a float32 tensor with a row for each, and vocab_size columns.

    F.one_hot gives integers, which can't be multiplied with weights, and as many columns as the
    largest number needs unless it is told.
    """
    return F.one_hot(pairs[0], num_classes=vocab_size).float()


def probs(onehot, W):
    """The probabilities of every next character for each row: the softmax of the row's logits.

    The logits are the matrix product of the one-hot rows and W. Exponentiate them, and divide each row by
    its sum.
    """
    counts = (onehot @ W).exp()
    return counts / counts.sum(1, keepdim=True)


def loss(probs, pairs, W2, strength):
    """The mean negative log likelihood of the ys, and `strength` times the mean of the squares of W2.

    probs has a row for each pair; what counts is its probability of that pair's y. W2 stands for the network's
    weights; it is any matrix here, which need not be square. A tensor of no axes.
    """
    ys = pairs[1]
    return -probs[torch.arange(len(ys)), ys].log().mean() + strength * (W2**2).mean()


def losses(onehot, pairs, W, rate, steps):
    """The loss, without regularisation, before each of `steps` steps of gradient descent: a list of floats.

    A step subtracts `rate` times the gradient of the mean negative log likelihood from W. The gradient is yours
    to write by hand, or to copy from exercises 3 and 4, which lead to it. The W that you are given is to stay
    as it is.
    """
    ys = pairs[1]
    n = len(ys)
    found = []
    for _ in range(steps):
        counts = (onehot @ W).exp()
        probs = counts / counts.sum(1, keepdim=True)
        found.append(-probs[torch.arange(n), ys].log().mean().item())
        dlogits = probs - F.one_hot(ys, num_classes=W.shape[1])
        W = W - rate * (onehot.T @ dlogits) / n
    return found


def use_losses(losses, rows, both, W, rate, steps):
    """The loss, without regularisation, before each of some steps of gradient descent; and W afterwards.

    A step subtracts `rate` times the gradient of the mean negative log likelihood from W. The gradient is yours
    to write by hand, or to copy from exercises 3 and 4, which lead to it. The W that you are given is to stay
    as it is.
    """
    found = {}
    for many, by, n in ((steps, rate, 5), (steps + 2, rate * 3, len(rows))):
        given = W.clone()
        said = f"losses(onehot, pairs, W, {by:.6g}, {many})"
        found[said] = losses(rows[:n].clone(), tuple(p[:n].clone() for p in both), given, by, many)
        found[f"W after {said}"] = given
    return found
