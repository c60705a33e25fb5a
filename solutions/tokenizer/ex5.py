"""GPT-4's own merges, recovered.

What is published of GPT-4's tokenizer is no list of merges but a table of ranks: the bytes of each token, and
its number. Two things have to be found out before one's own encode gives the same numbers. First, the single
bytes do not have their own values as numbers, but stand in another order. Second, the table doesn't say of
which two parts a token was made; it can be worked out, since the token's bytes, merged by all that was there
before it, end up as exactly these two. The table here is a small one of the same kind, without most bytes.

minbpe's `recover_merges` is `merges` here, and its `bpe`, stopped before the last merge, is `parts`.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, size=18, which=0),
    "probe-1": dict(seed=2, size=18, which=0),
    "probe-2": dict(seed=3, size=15, which=1),
    "probe-3": dict(seed=4, size=16, which=2),
}
OUTPUTS = {"order": "exact", "parts": "exact", "merges": "exact", "encode": "exact", "decode": "exact"}
HINTS = {
    "order": {
        "concept": "Among all tokens the ones of a single byte; each is a key, its rank the value. A `bytes` of length one has its "
        "byte, an integer, at place 0.",
        "example": """
    >>> order({b"b": 0, b"a": 1, b"ab": 2})
""",
        "formula": "For each token of length 1: result[its byte] = its rank.",
    },
    "parts": {
        "concept": "Encode the token itself with all that is in the table, but stop before the last step, which would make the "
        "whole: the two parts that are left are what it was made of.",
        "shapes": "token is a `bytes` of two or more, ranks a dict from `bytes` to integers. parts returns a tuple of two `bytes`.",
        "example": """
    >>> parts(b"abc", {b"a": 0, b"b": 1, b"c": 2, b"bc": 3, b"ab": 4, b"abc": 5})
    >>> parts(b"ab", {b"a": 0, b"b": 1, b"ab": 2})
""",
        "formula": "Begin with the single bytes, a list of `bytes`. While there are more than two: of all neighbours take the two "
        "that, joined, have the lowest rank, and put what they make in their place.",
    },
    "merges": {
        "concept": "Every token of several bytes was made by one merge. Its parts are bytes; the pair is their numbers.",
        "example": """
    >>> merges({b"b": 0, b"a": 1, b"ab": 2, b"abb": 3})
""",
        "formula": "For each token of two bytes or more, with (left, right) its parts: merges[(rank of left, rank of right)] = rank "
        "of the token.",
    },
    "encode": {
        "concept": "As in tokenizer.ex2, except that a byte's number is not the byte: translate each byte first.",
        "example": """
    >>> encode("abb", {(1, 0): 2, (2, 0): 3}, {98: 0, 97: 1})
    >>> encode("ba", {(1, 0): 2, (2, 0): 3}, {98: 0, 97: 1})
""",
        "formula": "ids = order of each byte. While some pair of neighbours is in merges: merge the one with the smallest number "
        "there, the leftmost first.",
    },
    "decode": {
        "concept": "Build the bytes of every number: order read backwards, from number to byte, gives the single bytes, and merges, in their order, the "
        "rest. Then join and decode as ever.",
        "example": """
    >>> decode([3, 1], {(1, 0): 2, (2, 0): 3}, {98: 0, 97: 1})
""",
        "formula": "bytes of order[b] = the one byte b; bytes of merges[(l, r)] = bytes of l + bytes of r. All of ids joined, as "
        "UTF-8 text with errors='replace'.",
    },
}

# Tokens of several bytes, in the order in which a training on a line of text made them. Some can be cut in
# several ways into tokens: "abc" was made of "ab" and "c", since "bc" came later, and "aaa" of "aa" and "a".
TABLES = [
    ["an", " b", "ana", "ab", "ra", " ban", "abra", " banana", "abrac", "abraca", "abracad", "abracadabra"]
    + [" ba", " bar", "bc", "abc", "aa", "aaa"],
    ["mp", "mpl", "mple", "te", " c", " co", " i", " is", " b", " be", " bet", " bette", " better", " t"]
    + ["pl", "ss", "sss"],
    ["aa", "na", " a", "nna", "aaaa", "bb", "bba", " anna", " na", " aaaa", " nanna", " annan", " nana"]
    + ["ba", "an", "aaa"],
]
BYTES = [*b" abcdeilmnoprst", 195, 169, 128, 200]


def inputs(g, size, which):
    """A table of ranks, the single bytes in a random order; a text of its tokens, and a list of numbers."""
    shuffled = [BYTES[k] for k in torch.randperm(len(BYTES), generator=g).tolist()]
    tokens = TABLES[which][:size]
    ranks = {bytes([b]): rank for rank, b in enumerate(shuffled)}
    if which:  # a byte that no token has comes last: a rank is no place among the single bytes
        del ranks[b"\xc8"]
        ranks = {token: rank for rank, token in enumerate(ranks)}
    ranks |= {token.encode(): len(ranks) + k for k, token in enumerate(tokens)}
    ranks.setdefault(b"\xc8", len(ranks))
    choice = torch.randint(len(tokens), (9,), generator=g).tolist()
    text = "".join(tokens[k] + "né a"[k % 4] for k in choice) + tokens[-1][::-1] + tokens[0] * 2 + "aaasss"
    ids = torch.randint(len(ranks), (12,), generator=g).tolist()
    return dict(ranks=ranks, text=text, ids=[*ids, ranks[b"\xc3"], ranks[b"\xa9"], ranks[b"\x80"]])


def order(ranks):
    """The number of each single byte: a dict from the byte, an integer, to its rank.

    `ranks` is a dict from a token's bytes, a `bytes`, to its number. Tokens of several bytes don't count.
    """
    return {token[0]: rank for token, rank in ranks.items() if len(token) == 1}


def parts(token, ranks):
    """The two parts, a tuple of two `bytes`, of which a token of several bytes was made in training.

    Cut the token into single bytes, and merge as encode would, the lowest rank first, the leftmost of equal
    ones. When two parts are left, the next merge would make the token itself: these are the two.
    """
    pieces = [bytes([b]) for b in token]
    while len(pieces) > 2:
        joined = [left + right for left, right in zip(pieces, pieces[1:])]
        at = min(range(len(joined)), key=lambda k: ranks.get(joined[k], float("inf")))
        pieces[at : at + 2] = [joined[at]]
    return tuple(pieces)


def use_parts(parts, ranks):
    # The parts of every token of two bytes or more.
    return calls("parts", parts, *((token, ranks) for token in ranks if len(token) > 1))


def merges(ranks):
    """The merges of the training: a dict from the pair of the parts' numbers, a tuple, to the token's number.

    For every token of several bytes. In which order they are in the dict is not asked.
    """
    found = {}
    for token, rank in ranks.items():
        if len(token) >= 2:
            left, right = parts(token, ranks)
            found[ranks[left], ranks[right]] = rank
    return found


def encode(text, merges, order):
    """The tokens of a text, a list of integers, the same that the table's owner gets.

    Each byte of the text becomes its number in `order`, and then the pair that has the lowest number in
    `merges` is merged, again and again, until there is none.
    """
    ids = [order[b] for b in text.encode("utf-8")]
    while pairs := [pair for pair in zip(ids, ids[1:]) if pair in merges]:
        pair = min(pairs, key=merges.get)
        at = list(zip(ids, ids[1:])).index(pair)
        ids[at : at + 2] = [merges[pair]]
    return ids


def decode(ids, merges, order):
    """The text of a list of tokens, with U+FFFD for what is not UTF-8.

    The way back: each number that `order` gives is a byte again, and a merged one the bytes of its parts.
    """
    known = {number: bytes([b]) for b, number in order.items()}
    for (left, right), number in merges.items():
        known[number] = known[left] + known[right]
    return b"".join(known[k] for k in ids).decode("utf-8", errors="replace")
