"""Counting pairs of letters: a language model that is a table.

A bigram model knows one letter and guesses the next. It counts how often each letter follows each other
one, and turns every row of the counts into probabilities. With them it can say how likely words are, and
it can make up new ones.

Characters are numbered by their place in `chars`, which begins with the full stop: 0 stands before the
first letter of a word, and after its last. The lecture has 27 characters; you are asked for fewer as well.
"""

import torch


def counts(words, chars):
    """How often each character follows each: a tensor of torch.int32, a row and a column a character.

    counts[i, j] is the number of times that character j follows character i. A word of k letters has k + 1
    pairs: emma has .e, em, mm, ma and a. (with the full stop before it and after it).
    """
    raise NotImplementedError("counts: not written yet")


def probs(counts, smoothing):
    """The probability of each next character: `smoothing` added to every count, each row over its sum.

    A float32 tensor of the shape of counts, whose rows sum to 1. Without keepdim the sums would stand beside
    the columns: then it is columns that are divided, and nothing tells you.
    """
    raise NotImplementedError("probs: not written yet")


def nll(words, chars, probs):
    """The mean negative log likelihood of the pairs of all the words, as a float.

    probs[i, j] is the probability of character j after character i. Take minus its natural logarithm for each
    pair there is, both full stops included, and the mean over all pairs: infinity where one has probability 0.
    """
    raise NotImplementedError("nll: not written yet")


def sample(probs, chars, uniforms):
    """Words drawn from the model, one number of `uniforms` for each character; a list of words.

    Begin at the full stop. With the next number u, between 0 and 1, the next character is the first whose
    probability, added to those of the characters before it, is more than u. A full stop ends a word and the next
    begins; one at the start of a word gives the empty word "". Stop when the numbers are used up; a word that is not
    finished is left out.
    """
    raise NotImplementedError("sample: not written yet")
