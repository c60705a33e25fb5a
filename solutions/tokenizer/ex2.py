"""Training, and the way from text to tokens and back.

Training merges the most frequent pair of a text again and again, and keeps what it merged, in order: that list
is the whole tokenizer. To encode another text, the same merges are made in the same order; to decode, each
number is taken apart into its bytes. Texts here are ordinary strings, tokens are integers: 0 to 255 are
the bytes, and each merge gets the next number from 256 on.

The functions stats and merge are those of tokenizer.ex1: put yours in their places. Where minbpe has a
BasicTokenizer with train, encode and decode, functions are asked for here, which are given the merges; and
`count` is the number of merges, not the size of the vocabulary.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, words=24, count=20),
    "probe-1": dict(seed=2, words=24, count=20),
    "probe-2": dict(seed=3, words=17, count=12),
    "probe-3": dict(seed=4, words=30, count=15),
}
CARRIED = ("stats", "merge")
OUTPUTS = {
    "train": "exact",
    "short": "exact",
    "vocab": "exact",
    "decode": "exact",
    "encode": "exact",
    "round_trip": "exact",
}
HINTS = {
    "train": {
        "concept": "Each round counts the pairs of the list as it is now, merges the most frequent one, and notes which it was. "
        "The new number may be part of the next pair.",
        "shapes": "text is a string, count an integer. train returns a dict from tuples of two integers to integers, in the "
        "order of the merges.",
        "example": """
    >>> train("aaabdaaabac", 3)
""",
        "formula": "For k = 0 … count − 1: the pair with the largest count, of several the first in stats; merges[pair] = 256 "
        "+ k; ids = ids with the pair merged. Out of the loop where there is no pair.",
    },
    "short": {
        "concept": "A short text is soon one token. Then there is no pair, and the largest of no counts is an error: training "
        "ends with fewer merges than asked for.",
        "shapes": "text is a string, count an integer. train returns a dict, {} where there was nothing to merge.",
        "example": """
    >>> train("aab", 5)
    >>> train("z", 5)
""",
        "formula": "Leave the loop where stats gives an empty dict.",
    },
    "vocab": {
        "concept": "A single byte stands for itself; a merged token is the bytes of its left part and then of its right part. "
        "Both are known already when the merges are taken in their order.",
        "shapes": "merges is a dict from tuples of two integers to integers. vocab returns a dict from integers to `bytes`, "
        "256 of them and one for each merge.",
        "example": """
    >>> known = vocab({(97, 98): 256, (256, 99): 257})
    >>> known[97], known[256], known[257]
    >>> len(known)
""",
        "formula": "bytes of k = the one byte k, for k < 256; bytes of a merge = bytes of its left + bytes of its right.",
    },
    "decode": {
        "concept": "Join first, decode then: one character's bytes may lie in two tokens. And not every sequence of bytes is "
        "text, so say what becomes of the rest.",
        "shapes": "ids is a list of integers, known a dict from integers to `bytes`. decode returns a string.",
        "example": """
    >>> decode([97, 256, 97], {97: b"a", 256: b"b!"})
    >>> decode([195, 169], {195: bytes([195]), 169: bytes([169])})
    >>> decode([128], {128: bytes([128])})
""",
        "formula": "Join known[k] for all k with b''.join, then decode it as UTF-8 with errors='replace'.",
    },
    "encode": {
        "concept": "Training made the merges in an order, and a later one may need what an earlier one made. So of the pairs "
        "that are there, the earliest merge comes first, however often another occurs.",
        "shapes": "text is a string, merges a dict from tuples of two integers to integers. encode returns a list of integers.",
        "example": """
    >>> encode("abcab", {(98, 99): 256, (97, 98): 257, (97, 256): 258})
    >>> encode("", {(97, 98): 256})
""",
        "formula": "While there are two tokens or more: of the pairs in ids take the one whose number in merges is the "
        "smallest, a pair that is not there counting as infinite. If even that one is not in merges, stop.",
    },
    "round_trip": {
        "concept": "Nothing to write: what train learned from one text must encode another one, and decode must give it back. "
        "Every text comes back, since every byte has a number.",
        "shapes": "train gets a text and a number of merges, encode a text and the merges, decode a list of tokens and "
        "vocab's dict.",
        "example": """
    >>> merges = train("aaabdaaabac", 3)
    >>> ids = encode("bad aaab", merges)
    >>> ids
    >>> decode(ids, vocab(merges))
""",
        "formula": "decode(encode(t)) = t for every text t. Where it fails and the four are right, one of them changes what it "
        "is given.",
    },
}

WORDS = ["a", "banana", "in", "Panama", "·", "naïve", "café,", "ééé,", "ßß,", "日本日本,", "🙂🙂🙂", "ana"]


def inputs(g, words, count):
    """A text of real words; a table of merges that no training made, and texts of the few letters in it."""
    chosen = torch.randint(len(WORDS), (words,), generator=g).tolist()
    tokens, merges = [97, 98, 99], {}
    while len(merges) < count:
        left, right = (tokens[k] for k in torch.randint(len(tokens), (2,), generator=g).tolist())
        if (left, right) not in merges:
            merges[left, right] = 256 + len(merges)
            tokens.append(256 + len(merges) - 1)
    drawn = ["".join("abc"[k] for k in row) for row in torch.randint(3, (12, 9), generator=g).tolist()]
    known = {97: b"a", 128: b"\x80", 169: b"\xa9", 195: b"\xc3", 256: b"\xf0\x9f", 257: b"\x99\x82"}
    ids = [97, 195, 169, 128, 97, 256, 257, 195, 195]
    ids += [list(known)[k] for k in torch.randint(len(known), (count,), generator=g).tolist()]
    return dict(
        text=" ".join(WORDS[k] for k in chosen),
        scrap="aab" * (words % 3 + 1),
        merges=merges,
        known=known,
        ids=ids,
        texts=["", "c", " ab ", "né", "🙂ab·", *(a + b for a in "abc" for b in "abc"), *drawn],
    )


def stats(ids):
    """How often each pair of neighbours stands in `ids`: yours of tokenizer.ex1."""
    counts = {}
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    out = []
    for number in ids:
        if out and (out[-1], number) == tuple(pair):
            out[-1] = idx
        else:
            out.append(number)
    return out


def train(text, count):
    """`count` merges of the text's bytes: a dict from each pair merged, a tuple, to its new number.

    The numbers are 256, 257 and so on. Each time the most frequent pair is merged; of several, the
    one that comes first in the list, which is the first in a dict that counts from left to right. Where no
    pair is left, there are fewer merges.
    """
    ids = list(text.encode("utf-8"))
    merges = {}
    for k in range(count):
        counts = stats(ids)
        if not counts:
            break
        pair = max(counts, key=counts.get)
        merges[pair] = 256 + k
        ids = merge(ids, pair, 256 + k)
    return merges


def use_train(train, text, count):
    return calls("train", train, (text, count), (text[::2], count - 3), ("xyzw", 3), (text, 1))


def use_short(train, scrap, count):
    """The same for texts that are soon one token, or none: training ends when no pair is left."""
    return calls("train", train, (scrap, count), ("é", count), ("z", count), ("", count))


def vocab(merges):
    """The bytes of every token: a dict from its number to a `bytes`, for 0 to 255 and for each merge.

    A merged token's bytes are those of its left part and then those of its right part. `merges` is in the
    order of training, so that both parts are known when they are asked for.
    """
    found = {k: bytes([k]) for k in range(256)}
    for (left, right), idx in merges.items():
        found[idx] = found[left] + found[right]
    return found


def decode(ids, known):
    """The text of a list of tokens. `known` is a dict from a token to its bytes, as vocab gives it.

    Not every list of tokens is UTF-8: 128 can't begin a character. What is invalid becomes the replacement
    character U+FFFD. One character may lie in several tokens, so join the bytes before you decode.
    """
    return b"".join(known[k] for k in ids).decode("utf-8", errors="replace")


def encode(text, merges):
    """The tokens of a text, a list of integers, by the merges of a training.

    Of all the pairs that stand in the list, merge the one whose number in `merges` is the lowest, everywhere;
    and again, until no pair is in `merges`. A text of fewer than two bytes has no pair at all.
    """
    ids = list(text.encode("utf-8"))
    while len(ids) >= 2:
        pair = min(stats(ids), key=lambda p: merges.get(p, float("inf")))
        if pair not in merges:
            break
        ids = merge(ids, pair, merges[pair])
    return ids


def use_encode(encode, texts, merges):
    return calls("encode", encode, *((text, merges) for text in texts))


def use_round_trip(train, vocab, encode, decode, text, count):
    """Trained on one text, another one is encoded and decoded again: it must come back as it was.

    Nothing to write: this calls all of yours, on the text read backwards, and gives both results.
    """
    merges = train(text, count)
    if isinstance(merges, dict) and [*merges.values()] != [*range(256, 256 + len(merges))]:
        return {"the merges": merges}  # with other numbers there is nothing to go on with
    ids = encode(text[::-1], merges)
    return {"the merges": merges, "the tokens": ids, "the text again": decode(ids, vocab(merges))}
