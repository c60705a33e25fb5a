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
HINTS = {
    "dataset": {
        "concept": "A window of block_size characters slides over each word. It begins full of full stops; each "
        "letter is the label once, and then the last of the window. The full stop at the end is a label only.",
        "shapes": "words is a list of strings, chars a string, block_size an integer. dataset returns a tuple of two "
        "tensors of torch.int64: X with block_size columns, Y with one entry for each row of X.",
        "example": """
    >>> dataset(["ab"], ".ab", 2)
""",
        "formula": "For each word: context = block_size zeros; for each character of the word and the full stop: "
        "append context to X and its number to Y, then drop the context's first and append that number.",
    },
    "lookup": {
        "concept": "Two ways to the same rows: an index, and a product of one-hot rows with C, which picks by "
        "multiplying with 0 and 1.",
        "shapes": "C is a float tensor (vocab_size, width), X an int64 tensor (n, block_size). Both functions return a "
        "float tensor (n, block_size, width).",
        "example": """
    >>> C = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> by_index(C, torch.tensor([[2, 0]]))
    >>> by_product(C, torch.tensor([[2, 0]]))
""",
        "formula": "by_index: result[i, k] = row X[i, k] of C. by_product: one-hot of X, with as many classes as C "
        "has rows and as floats, matrix-multiplied with C.",
    },
    "joined": {
        "concept": "emb has the places of the context on axis 1. Side by side means that axis is gone: place 0's "
        "vector, then place 1's, and so on, in one row. In memory they lie that way already.",
        "shapes": "emb is a float tensor (n, block_size, width). Each function returns one of (n, block_size · width).",
        "example": """
    >>> emb = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    >>> by_cat(emb)
    >>> by_view(emb)
""",
        "formula": "result[i, place · width + k] = emb[i, place, k]. by_cat and by_unbind: the slices of axis 1, "
        "concatenated along axis 1. by_view: n rows, and −1 for the rest.",
    },
    "hidden": {
        "concept": "Embedding, joining, a linear layer, tanh: the first half of the network in one line. The bias "
        "has one number for each neuron and is added to every row.",
        "example": """
    >>> C = torch.tensor([[0.0], [0.5], [1.0]])
    >>> W1 = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    >>> hidden(C, torch.tensor([[1, 2], [2, 1]]), W1, torch.tensor([0.0, -1.0]))
""",
        "formula": "h = tanh(e · W1 + b1), where row i of e is the vectors of row i of X side by side, (n, "
        "block_size · width).",
    },
    "softmax": {
        "concept": "exp of a large logit overflows, but only differences between a row's logits matter: subtract "
        "the row's largest first, and the largest exponential is 1.",
        "example": """
    >>> softmax(torch.tensor([[500.0, 500.0, 499.0], [0.0, 0.0, -500.0]]))
""",
        "formula": "P[i, j] = exp(x[i, j] − m[i]) / Σ_k exp(x[i, k] − m[i]), with m[i] the largest of row i.",
    },
    "loss": {
        "concept": "The log of a softmax needs no probability: log p is the logit less the log of the sum of all "
        "exponentials. So a probability too small for a float costs a finite loss.",
        "shapes": "logits is a float tensor (n, classes), labels an int64 tensor of n. loss returns a tensor without "
        "axes.",
        "example": """
    >>> loss(torch.tensor([[0.0, 0.0], [500.0, 300.0]]), torch.tensor([0, 1]))
""",
        "formula": "With s = x − the row's largest: the mean over i of ln Σ_k exp(s[i, k]) − s[i, labels[i]].",
    },
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

    One-hot rows of integers can't be multiplied with C.
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

    Rows sum to 1. torch's own softmax may be used. By hand: subtracting one number from a whole row changes none of
    its probabilities.
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
