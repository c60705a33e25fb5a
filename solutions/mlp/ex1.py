"""Contexts of letters, and a table of vectors.

The network looks at the last few letters, three in the lecture, and guesses the next. Each letter is a row of
a small table C, and the rows of the context, laid side by side, are what the first layer reads. This is
the way from words to the hidden layer, and the softmax at the other end.

Characters are numbered by their place in `chars`, which begins with the full stop. You are asked with
other context lengths and other widths: write no 3, 6 or 27 where a size is meant.
"""

import torch
import torch.nn.functional as F

from grader.lecture import words_of

FIXTURES = {
    "lecture": dict(seed=2147483647, vocab_size=27, many=3, block_size=3, n_embd=2, n_hidden=10),
    "probe-1": dict(seed=2, vocab_size=27, many=4, block_size=3, n_embd=2, n_hidden=10),
    "probe-2": dict(seed=3, vocab_size=12, many=4, block_size=2, n_embd=5, n_hidden=7),
    "probe-3": dict(seed=4, vocab_size=14, many=5, block_size=4, n_embd=3, n_hidden=9),
}
OUTPUTS = {
    "dataset": "exact",
    "lookup": "approximate",
    "joined": "approximate",
    "hidden": "approximate",
    "softmax": "approximate",
    "loss": "approximate",
}


def inputs(g, vocab_size, many, block_size, n_embd, n_hidden):
    """Names of the first letters, the network's first tensors, and logits of which some are large."""
    chars, words = words_of(g, vocab_size, many)
    logits = 3 * torch.randn((n_hidden, vocab_size), generator=g)
    logits[1] += 500
    logits[2] -= 500
    logits[0, :5] = torch.tensor([-2.0, 3.0, -3.0, 0.0, 5.0])
    labels = torch.randint(vocab_size, (n_hidden,), generator=g)
    logits[3, labels[3]] -= 150  # a probability that is 0 in a float
    return dict(
        chars=chars,
        words=words,
        X=torch.randint(vocab_size, (n_hidden + 1, block_size), generator=g),
        C=torch.randn((vocab_size, n_embd), generator=g),
        W1=torch.randn((block_size * n_embd, n_hidden), generator=g),
        b1=torch.randn(n_hidden, generator=g),
        logits=logits,
        labels=labels,
    )


def dataset(words, chars, block_size):
    """Two tensors of torch.int64: X, a row of block_size letters for each label, and Y, the labels.

    A context begins as full stops, and moves on by one letter: with block_size 3, emma gives the contexts
    ..., ..e, .em, emm, mma with the labels e, m, m, a and the full stop. Each word begins anew.
    """
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for letter in word + ".":
            number = chars.index(letter)
            X.append(context)
            Y.append(number)
            context = context[1:] + [number]
    return torch.tensor(X), torch.tensor(Y)


def by_index(C, X):
    """The rows of C that X names: a tensor with the axes of X, and one more of C's width.

    Use X as an index.
    """
    return C[X]


def by_product(C, X):
    """The same as by_index, without an index: a matrix product of one-hot rows and C.

    One-hot rows of whole numbers can't be multiplied with C.
    """
    return F.one_hot(X, num_classes=C.shape[0]).float() @ C


def use_lookup(by_index, by_product, C, X):
    """The rows of C for every context in X, in two ways.

    by_index uses the contexts as an index; by_product multiplies one-hot rows with C. Both give a tensor with
    an axis for the examples, one for the places of the context, and one of C's width.
    """
    return {"by_index(C, X)": by_index(C.clone(), X.clone()), "by_product(C, X)": by_product(C.clone(), X.clone())}


def by_cat(emb):
    """The vectors of each context side by side: torch.cat of the places, one after another.

    emb has the axes example, place, width; the result has example, and place times width.
    """
    return torch.cat([emb[:, k] for k in range(emb.shape[1])], 1)


def by_unbind(emb):
    """The same with torch.unbind, which takes an axis apart."""
    return torch.cat(torch.unbind(emb, 1), 1)


def by_view(emb):
    """The same with view, which moves no number at all."""
    return emb.view(emb.shape[0], -1)


def use_joined(by_cat, by_unbind, by_view, C, X):
    """The vectors of each context side by side, in three ways that give the same.

    by_cat takes the places one after another, by_unbind takes the axis apart, by_view only gives the numbers
    another shape. Each gives a row for every example, as wide as the context's vectors together.
    """
    emb = C[X]
    ways = {"by_cat": by_cat, "by_unbind": by_unbind, "by_view": by_view}
    return {f"{name}(emb)": way(emb.clone()) for name, way in ways.items()}


def hidden(C, X, W1, b1):
    """The hidden layer for every context: tanh of the joined vectors times W1, plus b1.

    X has a row of characters for each context. The result has a row for every context, and a column for every
    neuron.
    """
    return torch.tanh(C[X].view(X.shape[0], -1) @ W1 + b1)


def softmax(logits):
    """Each row's probabilities, without overflow: logits of 500 are among them, and exp(500) is infinite.

    torch's own softmax may be used. Subtracting one number from a whole row changes nothing of its probabilities. Rows sum to 1.
    """
    counts = (logits - logits.max(1, keepdim=True).values).exp()
    return counts / counts.sum(1, keepdim=True)


def loss(logits, labels):
    """The cross entropy: the mean over the rows of minus the log of the label's probability.

    A tensor of no axes. F.cross_entropy and logsumexp may be used. Logits of 500 occur: subtract each row's
    largest logit first. Take the logarithm apart, as in log p = logit - log of the sum of the exponentials,
    so that a probability too small for a float is no infinity.
    """
    shifted = logits - logits.max(1, keepdim=True).values
    logprobs = shifted - shifted.exp().sum(1, keepdim=True).log()
    return -logprobs[torch.arange(logits.shape[0]), labels].mean()
