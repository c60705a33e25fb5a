"""Around the table: pairs in a dict, numbers for letters, likelihood, and three letters for two.

The lecture begins with a dict, before there is any tensor; it numbers the letters, multiplies probabilities before it
adds their logarithms, and at the end draws words from the network's matrix as it drew them from the table. Then it
leaves exercises: a trigram model, which sees two letters, and a smoothing that is chosen on words that the model has
not seen. All of that is here.

Characters are numbered by their place in `chars`, which begins with the full stop. You are asked for fewer than 27.
"""

import math
import torch
import torch.nn.functional as F


def counted(words):
    """How often each pair of neighbours occurs in the words, as a dict from a pair to its count.

    A pair is a tuple of two characters; the full stop stands before each word and after it. Pairs come in the order in
    which they are first met: those of "emma" are .e, em, mm, ma and a. (each as a tuple).
    """
    raise NotImplementedError("counted: not written yet")


def ranked(counts):
    """The pairs of such a dict with their counts, the most frequent first: a list of tuples (pair, count).

    Pairs with equal counts stay in the order of the dict.
    """
    raise NotImplementedError("ranked: not written yet")


def numbered(words):
    """Two dicts (stoi, itos): from each character to its number, and from each number to its character.

    The characters are those of the words, in alphabetical order, numbered from 1; the full stop is 0 and comes first.
    """
    raise NotImplementedError("numbered: not written yet")


def likelihood(words, chars, probs):
    """How likely all the words are together: the product of their pairs' probabilities, a float.

    probs[i, j] is the probability of character j after character i; full stops are included. Of no words it is 1.
    """
    raise NotImplementedError("likelihood: not written yet")


def by_product(W, xs):
    """The rows of W for the numbers xs, as the product of one-hot rows and W: (n, k) for xs (n,) and W (V, k)."""
    raise NotImplementedError("by_product: not written yet")


def by_index(W, xs):
    """The same rows by an index."""
    raise NotImplementedError("by_index: not written yet")


def sample(W, chars, uniforms):
    """Words drawn from the network, one number of `uniforms` for each character; a list of words.

    W has a row of logits for each character. Begin at the full stop. With the next number u, between 0 and 1, the next
    character is the first whose probability, added to those of the characters before it, is more than u. A full stop
    ends a word, which may be "". Stop when the numbers are used up; a word that is not finished is left out.
    """
    raise NotImplementedError("sample: not written yet")


def trigrams(words, chars):
    """How often each character follows each two: a tensor of torch.int32 with three axes, one entry a character.

    N[i, j, k] is how often k comes after i and j. Two full stops stand before a word and one after it: emma has ..e,
    .em, emm, mma and ma. .
    """
    raise NotImplementedError("trigrams: not written yet")


def trigram_probs(counts, smoothing):
    """The probability of each character after each two: `smoothing` added to every count, over the sum.

    counts has three axes; the result is float32, of the same shape, and sums to 1 over its last axis.
    """
    raise NotImplementedError("trigram_probs: not written yet")


def trigram_nll(words, chars, probs):
    """The mean negative log likelihood of all trigrams of all the words, as a float.

    probs[i, j, k] is the probability of k after i and j. Infinity where one has probability 0.
    """
    raise NotImplementedError("trigram_nll: not written yet")


def best_smoothing(words, others, chars, smoothings):
    """Which of `smoothings` is best for a trigram model of `words`, measured on `others`: one of the list.

    Count the words, and for each smoothing take the mean negative log likelihood of the others. A smoothing of 0 may
    leave a row without any count: what comes out as NaN counts as infinite.
    """
    raise NotImplementedError("best_smoothing: not written yet")
