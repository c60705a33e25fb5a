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

from grader.lecture import calls, words_of

FIXTURES = {
    "lecture": dict(seed=1, vocab_size=27, many=12, n=6),
    "probe-1": dict(seed=2, vocab_size=27, many=12, n=6),
    "probe-2": dict(seed=3, vocab_size=9, many=11, n=5),
    "probe-3": dict(seed=4, vocab_size=12, many=15, n=8),
}
OUTPUTS = {
    "counted": "exact",
    "ranked": "exact",
    "numbered": "exact",
    "likelihood": "approximate",
    "rows": "approximate",
    "sample": "exact",
    "trigrams": "exact",
    "trigram_probs": "approximate",
    "trigram_nll": "approximate",
    "best_smoothing": "exact",
}
HINTS = {
    "counted": {
        "example": """
    >>> counted(["ab", "b"])
""",
        "concept": "zip of a word and the same word one letter further on gives its pairs. A dict holds what it has been "
        "told; get says what a pair that is not there yet counts as.",
        "formula": "For each pair of neighbours, full stops included: its count so far, or 0, plus 1.",
    },
    "ranked": {
        "example": """
    >>> ranked({("a", "b"): 1, ("b", "."): 2, (".", "a"): 1})
""",
        "concept": "sorted keeps the order of what its key finds equal. So what is to be decided by the order of the dict "
        "needs nothing more than the count itself.",
        "formula": "sorted, of the items, with a key that is minus the count.",
    },
    "numbered": {
        "example": """
    >>> numbered(["bad", "ad"])
""",
        "concept": "The set of all letters has no order: sort it. The full stop, which is no letter of any word, gets 0, and "
        "the way back is the same dict with keys and values exchanged.",
        "formula": "The full stop and then the sorted set of all letters; {c: i} and {i: c} over enumerate of them.",
    },
    "likelihood": {
        "example": """
    >>> likelihood(["a"], ".a", torch.tensor([[0.5, 0.5], [0.75, 0.25]]))
""",
        "concept": "The model takes each pair to be independent of all others, given the letter before it: so their "
        "probabilities multiply. The product is tiny, which is why one takes logarithms.",
        "formula": "Π P[first, second] over all pairs of all words, full stops included.",
    },
    "rows": {
        "example": """
    >>> W = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> by_product(W, torch.tensor([2, 0]))
    >>> by_index(W, torch.tensor([2, 0]))
""",
        "concept": "A one-hot row has a single 1; in the matrix product every other row of W is multiplied with 0. So the "
        "product looks a row up, and an index does the same without any multiplication.",
        "formula": "rows[i, :] = Σ_k [xs[i] = k] · W[k, :], which is W[xs[i], :]. One-hot rows are integers until they are made floats.",
    },
    "sample": {
        "example": """
    >>> W = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.0001, 0.4999], [0.75, 0.125, 0.125]]).log()
    >>> sample(W, ".ab", [0.3, 0.9, 0.1, 0.2, 0.8])
""",
        "concept": "The network's row for a letter is logits. Exponentiated and normalised they are what a row of the "
        "table was, and drawing goes on as with the table.",
        "formula": "p = softmax(W[at]); the next character is the first whose running sum is more than u.",
    },
    "trigrams": {
        "example": """
    >>> N = trigrams(["a"], ".a")
    >>> N[0, 0, 1], N[0, 1, 0], N.sum()
""",
        "concept": "Two letters before, one after: three axes. Two full stops begin a word, so that its first letter has "
        "two before it as well.",
        "formula": "N[i, j, k] += 1 for each trigram, with two full stops before the word and one after it.",
    },
    "trigram_probs": {
        "example": """
    >>> trigram_probs(torch.tensor([[[1, 3]]]), 0)
    >>> trigram_probs(torch.tensor([[[1, 3]]]), 1)
""",
        "concept": "For each two letters there is one distribution over the third: it is the last axis that sums to 1.",
        "formula": "(N + smoothing) / the sum over the last axis, with keepdim.",
    },
    "trigram_nll": {
        "example": """
    >>> P = torch.full((2, 2, 2), 0.5)
    >>> trigram_nll(["a", ""], ".a", P)
""",
        "concept": "The same measure as for pairs, so that the two models can be compared. A word has as many trigrams as it "
        "has pairs.",
        "formula": "−(1/n) Σ ln P[i, j, k] over the n trigrams of all words.",
    },
    "best_smoothing": {
        "example": """
    >>> best_smoothing(["ab"], ["ab"], ".ab", [10, 0.1])
    >>> best_smoothing(["ab"], ["ba"], ".ab", [0, 10])
""",
        "concept": "On the words it was counted on, a model is best without smoothing. What smoothing is worth shows on "
        "others: without it a trigram that was never seen costs infinitely much there.",
        "shapes": "words, others and chars are lists of strings, smoothings is a list of numbers. best_smoothing returns one of "
        "smoothings.",
        "formula": "For each smoothing: trigram_nll of the other words under trigram_probs; the smoothing with the least, NaN counting as infinite.",
    },
}


def inputs(g, vocab_size, many, n):
    """Names of the first letters, tables of probabilities, weights, numbers to draw letters with."""
    chars, words = words_of(g, vocab_size, many)
    table = torch.rand((vocab_size, vocab_size), generator=g) + 0.05
    table /= table.sum(1, keepdim=True)
    tallies = torch.randint(0, 4, (n, n, n), generator=g, dtype=torch.int32)
    tallies[:, :, 1] += 1
    few, seen = words_of(g, 9, many)
    triples = torch.rand((9, 9, 9), generator=g) + 0.01
    triples /= triples.sum(2, keepdim=True)
    return dict(
        chars=chars,
        words=words,
        table=table,
        W=torch.randn((vocab_size, vocab_size), generator=g),
        xs=torch.randint(vocab_size - 1, (n,), generator=g),
        uniforms=torch.rand(30, generator=g).tolist(),
        tallies=tallies,
        triples=triples,
        few=list(few),
        seen=seen,
        others=[*seen[::2], seen[0], seen[0]],
        smoothing=n / 4,
    )


def counted(words):
    """How often each pair of neighbours occurs in the words, as a dict from a pair to its count.

    A pair is a tuple of two characters; the full stop stands before each word and after it. Pairs come in the order in
    which they are first met: those of "emma" are .e, em, mm, ma and a. (each as a tuple).
    """
    counts = {}
    for word in words:
        letters = "." + word + "."
        for pair in zip(letters, letters[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def ranked(counts):
    """The pairs of such a dict with their counts, the most frequent first: a list of tuples (pair, count).

    Pairs with equal counts stay in the order of the dict.
    """
    return sorted(counts.items(), key=lambda item: -item[1])


def numbered(words):
    """Two dicts (stoi, itos): from each character to its number, and from each number to its character.

    The characters are those of the words, in alphabetical order, numbered from 1; the full stop is 0 and comes first.
    """
    chars = [".", *sorted(set("".join(words)))]
    return {c: i for i, c in enumerate(chars)}, dict(enumerate(chars))


def likelihood(words, chars, probs):
    """How likely all the words are together: the product of their pairs' probabilities, a float.

    probs[i, j] is the probability of character j after character i; full stops are included. Of no words it is 1.
    """
    product = 1.0
    for word in words:
        letters = "." + word + "."
        for first, second in zip(letters, letters[1:]):
            product *= float(probs[chars.index(first), chars.index(second)])
    return product


def by_product(W, xs):
    """The rows of W for the numbers xs, as the product of one-hot rows and W: (n, k) for xs (n,) and W (V, k)."""
    return F.one_hot(xs, num_classes=W.shape[0]).float() @ W


def by_index(W, xs):
    """The same rows by an index."""
    return W[xs]


def sample(W, chars, uniforms):
    """Words drawn from the network, one number of `uniforms` for each character; a list of words.

    W has a row of logits for each character. Begin at the full stop. With the next number u, between 0 and 1, the next
    character is the first whose probability, added to those of the characters before it, is more than u. A full stop
    ends a word, which may be "". Stop when the numbers are used up; a word that is not finished is left out.
    """
    words, word, at = [], "", 0
    for u in uniforms:
        p = F.softmax(W[at], 0)
        at = int((p.cumsum(0) > u).int().argmax())
        if at == 0:
            words.append(word)
            word = ""
        else:
            word += chars[at]
    return words


def trigrams(words, chars):
    """How often each character follows each two: a tensor of torch.int32 with three axes, one entry a character.

    N[i, j, k] is how often k comes after i and j. Two full stops stand before a word and one after it: emma has ..e,
    .em, emm, mma and ma. .
    """
    N = torch.zeros((len(chars),) * 3, dtype=torch.int32)
    for word in words:
        numbers = [0, 0, *(chars.index(c) for c in word), 0]
        for i, j, k in zip(numbers, numbers[1:], numbers[2:]):
            N[i, j, k] += 1
    return N


def trigram_probs(counts, smoothing):
    """The probability of each character after each two: `smoothing` added to every count, over the sum.

    counts has three axes; the result is float32, of the same shape, and sums to 1 over its last axis.
    """
    P = (counts + smoothing).float()
    return P / P.sum(2, keepdim=True)


def trigram_nll(words, chars, probs):
    """The mean negative log likelihood of all trigrams of all the words, as a float.

    probs[i, j, k] is the probability of k after i and j. Infinity where one has probability 0.
    """
    losses = []
    for word in words:
        numbers = [0, 0, *(chars.index(c) for c in word), 0]
        for i, j, k in zip(numbers, numbers[1:], numbers[2:]):
            losses.append(-probs[i, j, k].log().item())
    return sum(losses) / len(losses)


def best_smoothing(words, others, chars, smoothings):
    """Which of `smoothings` is best for a trigram model of `words`, measured on `others`: one of the list.

    Count the words, and for each smoothing take the mean negative log likelihood of the others. A smoothing of 0 may
    leave a row without any count: what comes out as NaN counts as infinite.
    """
    N = trigrams(words, chars)
    losses = [trigram_nll(others, chars, trigram_probs(N, by)) for by in smoothings]
    losses = [math.inf if loss != loss else loss for loss in losses]
    return smoothings[losses.index(min(losses))]


def use_counted(counted, words):
    """Pairs and their counts, for several lists of words; and the order in which the pairs stand."""
    found = calls("counted", counted, (words,), (words[:2],), (["emma"],), ([],), (["a", "aa"],))
    return {said: list(counts.items()) for said, counts in found.items()}


def use_ranked(ranked, words):
    """Pairs by their counts, with ties."""
    counts = {}
    for word in words:
        for pair in zip(word[:5], word[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    some = {("b", "a"): 2, ("a", "z"): 2, ("c", "c"): 7, ("a", "b"): 2, (".", "x"): 1}
    found = calls("ranked", ranked, (counts,), (some,), ({},))
    return {said: [(tuple(pair), count) for pair, count in rows] for said, rows in found.items()}


def use_numbered(numbered, words):
    """stoi and itos of several lists of words, and the order of their keys."""
    found = calls("numbered", numbered, (words,), (words[:1],), (["zoe", "ann"],))
    return {
        said: {"stoi": list(stoi.items()), "itos": list(itos.items())} for said, (stoi, itos) in found.items()
    }


def use_likelihood(likelihood, words, chars, table):
    """The likelihood of a word, and of few short ones of two letters, which is not too small to be compared."""
    few = table[:3, :3] / table[:3, :3].sum(1, keepdim=True)
    cases = [(some, few, chars[:3]) for some in (["ab"], ["b"], ["ab", "b"], ["a", "ba", "a"], [], [""])]
    cases.append((words[:1], table, chars))
    return {f"likelihood({some}, chars, probs)": likelihood(list(some), c, p.clone()) for some, p, c in cases}


def use_rows(by_product, by_index, W, xs):
    """The rows of W for some numbers, by a product and by an index."""
    ways = {"by_product": by_product, "by_index": by_index}
    return {
        f"{name}(W of {tuple(M.shape)}, {some.tolist()})": way(M.clone(), some.clone())
        for name, way in ways.items()
        for M, some in ((W, xs), (W[:, 2:6], xs[1:3]))
    }


def use_sample(sample, W, chars, uniforms):
    """Words drawn from the network's logits, and from a row of equal ones, with numbers that the sums meet."""
    met = [0.25, 0.5, 0.75, 0.0, 0.5, 0.25, 0.0]
    equal = torch.full((4, 4), 3.0)
    biased = W.clone()
    biased[:, 0] += 2
    return calls("sample", sample, (W, chars, uniforms), (biased, chars, uniforms[3:]), (equal, chars[:4], met))


def use_trigrams(trigrams, seen, few):
    """The counts of all trigrams, of words of nine characters; and their number."""
    found = {}
    for some in (seen, seen[:1], [few[1] * 4], []):
        N = trigrams(list(some), list(few))
        found[f"trigrams({some}, chars)"] = N
        found[f"its sum, of {some}"] = int(N.sum())
    return found


def use_trigram_probs(trigram_probs, tallies, smoothing):
    """The probabilities of some counts, for several smoothings, also 0, where every row has a count."""
    found = {f"trigram_probs(counts, {by})": trigram_probs(tallies.clone(), by) for by in (smoothing, 0, smoothing + 2)}
    return {**found, "their type": str(trigram_probs(tallies.clone(), 1).dtype)}


def use_trigram_nll(trigram_nll, seen, few, triples):
    """The mean negative log likelihood of words; infinite where a trigram has the probability 0."""
    never = triples.clone()
    never[0, 0, few.index(seen[0][0])] = 0
    cases = {"": (seen, triples), " of two words": (seen[:2], triples), " where a trigram has 0": (seen, never)}
    found = {}
    for said, (some, p) in cases.items():
        try:
            found[f"trigram_nll(words, chars, probs){said}"] = trigram_nll(list(some), list(few), p.clone())
        except ValueError:  # math.log(0)
            found[f"trigram_nll(words, chars, probs){said}"] = math.inf
    return found


def use_best_smoothing(best_smoothing, seen, others, few):
    """The best smoothing for the words themselves, for others, and where 0 is among them."""
    cases = [
        (seen, seen, [10, 0.01, 1]),
        (seen[:3], seen, [0, 0.01, 0.5, 30]),
        (seen[:2], others, [100, 0, 1000]),
        (seen, seen[:1], [3, 0]),
        (["ab", "aab"], ["aaab"], [0, 0.5, 30]),
        (["a"] * 30, ["b"], [0.01, 100]),
    ]
    return calls("best_smoothing", best_smoothing, *((a, b, few, by) for a, b, by in cases))
