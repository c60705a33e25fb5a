"""Contexts of letters, and a table of vectors.

The network looks at the last few letters, three in the lecture, and guesses the next. Each letter is a row of
a small table C, and the rows of the context, laid side by side, are what the first layer reads. This is
the way from words to the hidden layer, and the softmax at the other end.

Characters are numbered by their place in `chars`, which begins with the full stop. You are asked with
other context lengths and other widths: write no 3, 6 or 27 where a size is meant.
"""

import torch
import torch.nn.functional as F


def dataset(words, chars, block_size):
    """Two tensors of torch.int64: X, a row of block_size letters for each label, and Y, the labels.

    A context begins as full stops, and moves on by one letter: with block_size 3, emma gives the contexts
    ..., ..e, .em, emm, mma with the labels e, m, m, a and the full stop. Each word begins anew.
    """
    raise NotImplementedError("dataset: not written yet")


def by_index(C, X):
    """The rows of C that X names: a tensor with the axes of X, and one more of C's width.

    Use X as an index.
    """
    raise NotImplementedError("by_index: not written yet")


def by_product(C, X):
    """The same as by_index, without an index: a matrix product of one-hot rows and C.

    One-hot rows of integers can't be multiplied with C.
    """
    raise NotImplementedError("by_product: not written yet")


def by_cat(emb):
    """The vectors of each context side by side: torch.cat of the places, one after another.

    emb has the axes example, place, width; the result has example, and place times width.
    """
    raise NotImplementedError("by_cat: not written yet")


def by_unbind(emb):
    """The same with torch.unbind, which takes an axis apart."""
    raise NotImplementedError("by_unbind: not written yet")


def by_view(emb):
    """The same with view, which moves no number at all."""
    raise NotImplementedError("by_view: not written yet")


def hidden(C, X, W1, b1):
    """The hidden layer for every context: tanh of the joined vectors times W1, plus b1.

    X has a row of characters for each context. The result has a row for every context, and a column for every
    neuron.
    """
    raise NotImplementedError("hidden: not written yet")


def softmax(logits):
    """Each row's probabilities, without overflow: logits of 500 are among them, and exp(500) is infinite.

    Rows sum to 1. torch's own softmax may be used. By hand: subtracting one number from a whole row changes none of
    its probabilities.
    """
    raise NotImplementedError("softmax: not written yet")


def loss(logits, labels):
    """The cross entropy: the mean over the rows of minus the log of the label's probability.

    A tensor of no axes. F.cross_entropy and logsumexp may be used. Logits of 500 occur: subtract each row's
    largest logit first. Take the logarithm apart, as in log p = logit - log of the sum of the exponentials,
    so that a probability too small for a float is no infinity.
    """
    raise NotImplementedError("loss: not written yet")
