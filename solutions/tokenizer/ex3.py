"""Chunks: the text is cut into words before anything is merged.

A tokenizer that may merge anything makes tokens like "dog." and "dog!", and wastes numbers on them. So GPT-2
cuts the text with a regular expression first, and no merge goes across a cut: letters stay with letters,
digits with digits, and a space belongs to the word that follows it. GPT-4 changed the expression. What minbpe's
RegexTokenizer has as methods are functions here, which are given the chunks.

Both were written for the package regex, where \\p{L} is any letter and \\p{N} any number. It may be used, and
the patterns as they were published pass; the hints are written for Python's own re: a letter is [^\\W\\d_],
what is of a word and no digit and no underscore; a digit is \\d. The two differ at numbers that are no decimal
digits, as ½, ² and Ⅷ, which are of \\p{N}: for re they are letters. With `cut`, which is given, they are digits, and
re.findall will do until the item that asks for them. And they differ at four rare control characters, which no text
here has.
"""

import re
import unicodedata

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, words=14, count=10),
    "probe-1": dict(seed=2, words=14, count=10),
    "probe-2": dict(seed=3, words=19, count=7),
    "probe-3": dict(seed=4, words=18, count=12),
}
PROVIDED = ("cut",)
CARRIED = ("merge",)
OUTPUTS = {
    "gpt2_chunks": "exact",
    "gpt4_chunks": "exact",
    "numbers": "exact",
    "stats": "exact",
    "train": "exact",
    "encode": "exact",
}
HINTS = {
    "gpt2_chunks": {
        "concept": "One regular expression with alternatives, tried in their order at each place. What no alternative before takes "
        "is left for the next, so that every character ends up in a chunk.",
        "example": """
    >>> gpt2_chunks("Hello've world123  you!")
    >>> gpt2_chunks("snake_case\\n\\n")
""",
        "formula": "cut, or re.findall, with one alternative after the other, parted by |. Letters are [^\\W\\d_]+, an optional space "
        "before them ' ?'; what is neither "
        "space nor of a word, or the underscore, is (?:[^\\s\\w]|_); the spaces that leave one for the word are \\s+(?!\\S).",
    },
    "gpt4_chunks": {
        "concept": "As for GPT-2, with other alternatives: contractions in capitals too, any one punctuation mark may lead a "
        "word, three digits at most, and line ends stay with what they end.",
        "example": """
    >>> gpt4_chunks("Hello'VE (world) 12345")
    >>> gpt4_chunks("Stop!\\n\\n  now")
""",
        "formula": "As for GPT-2. (?i:…) holds for small and capital letters alike; \\d{1,3} is one to three digits; the optional "
        "character before letters is (?:[^\\r\\n\\w]|_)?; line ends behind punctuation are [\\r\\n]*, white space that ends in one "
        "\\s*[\\r\\n].",
    },
    "numbers": {
        "concept": "Unicode, not the keyboard, decides what a number is: ½, ² and Ⅷ are numbers, as 1 is, though \\d has only the "
        "decimal digits, 0 to 9 in every script. re counts the others among \\w, so that [^\\W\\d_] takes them for letters.",
        "shapes": "text is a string. gpt4_chunks and gpt2_chunks return lists of strings.",
        "example": """
    >>> gpt2_chunks("x² ½a"), gpt4_chunks("12½3")
""",
        "formula": "cut(pattern, text) in the place of re.findall(pattern, text); or \\p{N} and \\p{L} with the package regex.",
    },
    "stats": {
        "concept": "One dict for all chunks, but pairs only within a chunk: go through each list by itself and go on counting in "
        "the same dict.",
        "shapes": "lists is a list of lists of integers. stats returns a dict from tuples of two integers to integers.",
        "example": """
    >>> stats([[1, 2, 3], [1, 2], [7]])
""",
        "formula": "For each list and each i: count[(ids[i], ids[i + 1])] += 1. A new pair comes last in the dict.",
    },
    "train": {
        "concept": "As in tokenizer.ex2, with a list of lists in the place of the one list: counts are over all chunks, the "
        "merge is made in each of them.",
        "shapes": "chunks is a list of strings, count an integer. train returns a dict from tuples of two integers to integers.",
        "example": """
    >>> train(["ab", " ab", " b"], 2)
    >>> train(["a", "b"], 2)
""",
        "formula": "lists = each chunk's bytes. For k = 0 … count − 1: the first of the most frequent pairs; merges[pair] = 256 "
        "+ k; every list with that pair merged. Out of the loop where there is no pair.",
    },
    "encode": {
        "concept": "Each chunk is a text of its own: merge in it as in tokenizer.ex2, then put its tokens at the end of the "
        "result.",
        "shapes": "chunks is a list of strings, merges a dict from tuples of two integers to integers. encode returns one flat "
        "list of integers.",
        "example": """
    >>> encode(["ab", "b", "abb"], {(97, 98): 256, (98, 98): 257})
""",
        "formula": "For each chunk: its bytes; while a pair of them is in merges, merge the one with the smallest number; then "
        "append all to the result. No pair reaches into the next chunk.",
    },
}

PIECES = [
    "Hello", "world", "HOW'S", "it's", "we're", "I'VE", "you'll", "she'd", "I'm", "don't", "O'Neill", "'tis",
    "2023", "12345", "x1y22", "naïve", "日本", "🙂🙂", "snake_case", "__init__", "...", "!?", "f(x)", "a-b",
    "€5", "_x", "'Re", "'S", "#1",
]  # fmt: skip
NUMBERS = ["½", "x²", "3½", "Ⅷ", "H₂O", "1²34", "٣٤", " ½", "  Ⅳ", "㉛!", "a", " b", "¾c", "'²s", "日", "\n½", "_¼", " 5⅓7 "]
SPACES = [" ", " ", "  ", "   ", "\n", "\n\n", " \n", "\n  ", "\t", "\r\n", "!\n", "", ".\r\n\n "]


def inputs(g, words, count):
    """A text with all that the expressions tell apart, and chunks in which pairs come again."""

    def draw(many, upto):
        return torch.randint(upto, (many,), generator=g).tolist()

    pieces = [PIECES[k] for k in draw(words, len(PIECES))] + ["I'll", "HE'LL", "we've", "I'd", "12345"]
    text = "".join(p + SPACES[k] for p, k in zip(pieces, draw(len(pieces), len(SPACES))))
    text += " it'sa We'REd I'vex he'LLo A'Dx a'mb c'Tx x1y2"
    chunks = ["".join("abn"[k] for k in draw(1 + size, 3)) for size in draw(words, 5)]
    pairs = [(97, 97), (97, 98), (110, 97), (98, 256), (257, 110), (256, 256), (258, 98), (98, 97)]
    return dict(
        text=text + " it's  'S\r\n\n  ",
        lists=[list(chunk.encode()) for chunk in chunks],
        chunks=chunks + ["a", "", "é"],
        merges={pair: 256 + k for k, pair in enumerate(pairs)},
        odd=["".join(NUMBERS[k] for k in draw(words, len(NUMBERS))) for _ in range(3)],
    )


def cut(pattern, text):
    """What re.findall(pattern, text) gives where each number of `text` is taken for a digit, ½, ² and Ⅷ too."""
    digits = "".join("0" if unicodedata.category(c)[0] == "N" else c for c in text)
    return [text[found.start() : found.end()] for found in re.finditer(pattern, digits)]


def gpt2_chunks(text):
    """The text cut into a list of pieces as GPT-2 does it; joined, they are the text again.

    At each place the first of these that fits is taken, as long as it can be:

        an apostrophe with s, t, re, ve, m, ll or d, in small letters
        letters, with one space before them if there is one
        digits, or other numbers as ½, with one space before them if there is one
        what is neither a letter, a digit nor white space, with one space before it if there is one
        white space that is followed by white space or by the end: all of it but the last before a word
        white space

    "Hello've world123  you!" is "Hello", "'ve", " world", "123", " ", " you", "!".
    """
    return cut(
        r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+",
        text,
    )


def gpt4_chunks(text):
    """The text cut into a list of pieces as GPT-4 does it.

    At each place the first of these that fits is taken, as long as it can be:

        an apostrophe with s, t, re, ve, m, ll or d, in small or in large letters
        letters, with one character before them if there is one that is no line end, letter or digit: a space,
            a tab, a punctuation mark
        one to three digits, or other numbers as ½, without a space
        what is neither a letter, a digit nor white space, with one space before it if there is one, and
            with the line ends, \\r and \\n, that follow it
        white space that ends in a line end
        white space that is followed by white space or by the end
        white space
    """
    return cut(
        r"'(?i:s|t|re|ve|m|ll|d)|(?:[^\r\n\w]|_)?[^\W\d_]+|\d{1,3}| ?(?:[^\s\w]|_)+[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+",
        text,
    )


def use_numbers(gpt4_chunks, gpt2_chunks, odd):
    """Texts in which numbers stand that are no decimal digits, as ½, ² and Ⅷ: both ways of cutting them."""
    some = [(text,) for text in (*odd, "½", "x² 3½", "12½3", "a½b", "Ⅷth")]
    return {**calls("gpt4_chunks", gpt4_chunks, *some), **calls("gpt2_chunks", gpt2_chunks, *some)}


def stats(lists):
    """How often each pair of neighbours occurs in all of `lists` together, one list of numbers a chunk.

    A dict from the pair, a tuple, to its count, first seen first. The last number of a chunk and the first
    one of the next are no pair.
    """
    counts = {}
    for ids in lists:
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def use_stats(stats, lists):
    found = calls("stats", stats, (lists,), (lists[2:],), ([[7]],), ([],))
    ordered = {f"the order of the keys of {said}": list(c) if isinstance(c, dict) else c for said, c in found.items()}
    return {**found, **ordered}


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    out = []
    for number in ids:
        if out and (out[-1], number) == tuple(pair):
            out[-1] = idx
        else:
            out.append(number)
    return out


def train(chunks, count):
    """`count` merges of a text that is cut into `chunks`, a list of texts: a dict from pair to number.

    As in tokenizer.ex2, with the first of the most frequent pairs each time and numbers from 256 on; but pairs
    are counted and merged within chunks only. Where no pair is left, there are fewer merges.
    """
    lists = [list(chunk.encode("utf-8")) for chunk in chunks]
    merges = {}
    for k in range(count):
        counts = stats(lists)
        if not counts:
            break
        pair = max(counts, key=counts.get)
        merges[pair] = 256 + k
        lists = [merge(ids, pair, 256 + k) for ids in lists]
    return merges


def use_train(train, chunks, count):
    # Training on chunks: on many, and on so few that the pairs run out.
    return calls("train", train, (chunks, count), (chunks[-3:] + ["xyz"], count), ([], count), (chunks, 2))


def encode(chunks, merges):
    """The tokens of a text that is cut into `chunks`: each chunk by itself, then one list of them all.

    In each chunk the pair with the lowest number in `merges` is merged first, until none of its pairs is
    there.
    """
    out = []
    for chunk in chunks:
        ids = list(chunk.encode("utf-8"))
        while len(ids) >= 2:
            pair = min(zip(ids, ids[1:]), key=lambda p: merges.get(p, float("inf")))
            if pair not in merges:
                break
            ids = merge(ids, pair, merges[pair])
        out += ids
    return out


def use_encode(encode, chunks, merges):
    return calls("encode", encode, (chunks, merges), *(([chunk], merges) for chunk in chunks[:5]), ([], merges))
