"""Counting pairs of letters: a language model that is a table.

A bigram model knows one letter and guesses the next. It counts how often each letter follows each other
one, and turns every row of the counts into probabilities. With them it can say how likely words are, and
it can make up new ones.

Characters are numbered by their place in `chars`, which begins with the full stop: 0 stands before the
first letter of a word, and after its last. The lecture has 27 characters; you are asked for fewer as well.
"""

import math

import torch

from grader.lecture import calls, words_of

FIXTURES = {
    "lecture": dict(seed=1, vocab_size=27, many=20),
    "probe-1": dict(seed=2, vocab_size=27, many=20),
    "probe-2": dict(seed=3, vocab_size=13, many=17),
    "probe-3": dict(seed=4, vocab_size=16, many=11),
}
OUTPUTS = {"counts": "exact", "probs": "approximate", "nll": "approximate", "sample": "exact"}
HINTS = {
    "counts": {
        "concept": "Walk through each word with a full stop on either side, and take the letters two by two. Each "
        "pair is a row and a column of the table: add 1 there. Words don't run into one another.",
        "shapes": "words is a list of strings, chars a string or list whose first entry is the full stop. counts "
        "returns a tensor of torch.int32 with len(chars) rows and len(chars) columns.",
        "example": """
    >>> counts(["ab", "b"], ".ab")
""",
        "formula": "counts[i, j] = how many pairs have character i first and character j second, over '.word.' of "
        "every word. A word of k letters adds k + 1 to the sum of the table.",
    },
    "probs": {
        "concept": "A row holds the counts of all that followed one character; over their sum they are "
        "probabilities. The smoothing comes before the sum is taken, so that rows still sum to 1.",
        "example": """
    >>> probs(torch.tensor([[1, 3], [2, 0]]), 0)
    >>> probs(torch.tensor([[1, 3], [2, 0]]), 1)
""",
        "formula": "P[i, j] = (N[i, j] + smoothing) / Σ_k (N[i, k] + smoothing): the sum along the row, kept as a "
        "column (n, 1).",
    },
    "nll": {
        "concept": "Probabilities of many pairs multiply to something tiny; their logarithms add. Minus their sum "
        "is small where the model is right, and its mean doesn't grow with the text.",
        "shapes": "words is a list of strings, chars a string, probs a tensor of len(chars) rows and columns. nll "
        "returns a float.",
        "example": """
    >>> nll(["a"], ".a", torch.tensor([[0.5, 0.5], [0.75, 0.25]]))
    >>> nll(["a"], ".a", torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
""",
        "formula": "−(1/n) Σ ln P[first, second], over the n pairs of all words together, full stops included. Not "
        "the mean of the words' means. ln 0 is −∞.",
    },
    "sample": {
        "concept": "Lay the probabilities of the current row end to end between 0 and 1. The number u falls into "
        "one of these pieces, and that is the next character; its row is the next to draw from.",
        "shapes": "probs is a tensor of len(chars) rows and columns, chars a string, uniforms a list of floats. "
        "sample returns a list of strings, without full stops.",
        "example": """
    >>> P = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.0, 0.5], [0.75, 0.25, 0.0]])
    >>> sample(P, ".ab", [0.3, 0.9, 0.1, 0.2, 0.8])
""",
        "formula": "The next character is the smallest j with Σ_{k ≤ j} P[at, k] > u: larger, not equal. j = 0 ends "
        "the word, and the next one begins at row 0 again.",
    },
}


def inputs(g, vocab_size, many):
    """Names of the first letters of the alphabet, a smoothing, a table and numbers to draw letters with."""
    chars, words = words_of(g, vocab_size, many)
    smoothing = int(torch.randint(1, 4, (1,), generator=g))
    uniforms = torch.rand(60, generator=g).tolist()
    table = torch.rand((vocab_size, vocab_size), generator=g) ** 3
    table[:, 0] += 0.1 * table.sum(1)
    table /= table.sum(1, keepdim=True)
    tallies = torch.randint(0, 4, (vocab_size, vocab_size), generator=g, dtype=torch.int32)
    tallies[:, 1] += 1
    if vocab_size < 27:  # letters are numbered by their place in chars, and by nothing else
        chars = "." + "".join(chars[k + 1] for k in torch.randperm(vocab_size - 1, generator=g).tolist())
    return dict(
        chars=chars, words=words, smoothing=smoothing, uniforms=uniforms, table=table, tallies=tallies
    )


def counts(words, chars):
    """How often each character follows each: a tensor of torch.int32, a row and a column a character.

    counts[i, j] is the number of times that character j follows character i. A word of k letters has k + 1
    pairs: emma has .e, em, mm, ma and a. (with the full stop before it and after it).
    """
    N = torch.zeros((len(chars), len(chars)), dtype=torch.int32)
    for word in words:
        letters = "." + word + "."
        for first, second in zip(letters, letters[1:], strict=False):
            N[chars.index(first), chars.index(second)] += 1
    return N


def probs(counts, smoothing):
    """The probability of each next character: `smoothing` added to every count, each row over its sum.

    A float32 tensor of the shape of counts, whose rows sum to 1. Without keepdim the sums would stand beside
    the columns: then it is columns that are divided, and nothing tells you.
    """
    P = (counts + smoothing).float()
    return P / P.sum(1, keepdim=True)


def use_probs(probs, tallies, smoothing):
    """The probability of each next character, for several smoothings: with 0 too, where every row has a count."""
    found = {f"probs(counts, {by})": probs(tallies.clone(), by) for by in (smoothing, 0, smoothing + 3)}
    return {**found, "their type": str(probs(tallies.clone(), 1).dtype)}


def nll(words, chars, probs):
    """The mean negative log likelihood of the pairs of all the words, as a float.

    probs[i, j] is the probability of character j after character i. Take minus its natural logarithm for each
    pair there is, both full stops included, and the mean over all pairs: infinity where one has probability 0.
    """
    total, n = 0.0, 0
    for word in words:
        letters = "." + word + "."
        for first, second in zip(letters, letters[1:], strict=False):
            total -= probs[chars.index(first), chars.index(second)].log().item()
            n += 1
    return total / n


def use_nll(nll, words, chars, table):
    """The mean negative log likelihood of the words, as a float; infinite where a pair has the probability 0."""
    never = table.clone()
    never[0, chars.index(words[0][0])] = 0
    cases = {"": (words, table), " of the first word": (words[:1], table), " where a pair has 0": (words, never)}
    found = {}
    for said, (some, p) in cases.items():
        try:
            found[f"nll(words, chars, probs){said}"] = nll(list(some), chars, p.clone())
        except ValueError:  # math.log(0)
            found[f"nll(words, chars, probs){said}"] = math.inf
    return found


def sample(probs, chars, uniforms):
    """Words drawn from the model, one number of `uniforms` for each character; a list of words.

    Begin at the full stop. With the next number u, between 0 and 1, the next character is the first whose
    probability, added to those of the characters before it, is more than u. A full stop ends a word and the next
    begins; one at the start of a word gives the empty word "". Stop when the numbers are used up; a word that is not
    finished is left out.
    """
    words, word, at = [], "", 0
    for u in uniforms:
        at = int((probs[at].cumsum(0) > u).int().argmax())
        if at == 0:
            words.append(word)
            word = ""
        else:
            word += chars[at]
    return words


def use_sample(sample, table, chars, uniforms):
    """Words drawn from a table of probabilities, one number for each character.

    And from one of four characters that are equally likely, with numbers that the sums meet: 0.25 is not more
    than 0.25.
    """
    met = [0.25, 0.5, 0.75, 0.0, 0.5, 0.25, 0.0]
    equal = torch.full((4, 4), 0.25)
    return calls("sample", sample, (table, chars, uniforms), (table, chars, uniforms[7:]), (equal, chars[:4], met))
