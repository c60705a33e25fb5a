"""Text as bytes, and the most frequent pair.

A tokenizer of the byte-pair kind starts from the bytes of a text in UTF-8, which are integers from 0
to 255. It then looks for the pair of neighbours that occurs most often, gives it a number of its own, and
puts that number in the place of the pair wherever it stands. Done again and again, this makes a long list
of small numbers into a short list of larger ones. Each function here is one step of it; all answers are compared exactly. minbpe's
`get_stats` is `stats` here: `grader check --rename names.toml` takes a table of other names.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, words=8, pieces=24),
    "probe-1": dict(seed=2, words=8, pieces=24),
    "probe-2": dict(seed=3, words=5, pieces=17),
    "probe-3": dict(seed=4, words=11, pieces=30),
}
OUTPUTS = {"encoded": "exact", "stats": "exact", "best": "exact", "merge": "exact", "shorter": "exact"}
HINTS = {
    "encoded": {
        "concept": "A string is code points; what a tokenizer begins with is bytes, of which UTF-8 takes one to four for "
        "each. A `bytes` is a sequence of integers already.",
        "example": """
    >>> encoded("né")
    >>> encoded("🙂")
""",
        "formula": "Encode the text as UTF-8, which gives a `bytes`; as a list it is integers from 0 to 255.",
    },
    "stats": {
        "concept": "Put the list beside itself, shifted by one: every two that stand together are a pair of neighbours. Count "
        "them in a dict.",
        "shapes": "ids is a list of integers. stats returns a dict from tuples of two integers to integers.",
        "example": """
    >>> stats([1, 2, 1, 2, 2])
    >>> stats([7])
""",
        "formula": "count[(ids[i], ids[i + 1])] += 1 for every i from 0 to len(ids) − 2, from 0 where it is new.",
    },
    "best": {
        "concept": "Look for the largest count, and give its key. A dict remembers the order in which keys came, and of equal "
        "counts the first key wins.",
        "shapes": "stats is a dict from tuples of two integers to integers. best returns one of its keys.",
        "example": """
    >>> best({(5, 6): 2, (9, 9): 3, (1, 2): 3})
""",
        "formula": "The first key whose count is the maximum of all counts: not the largest key, and not the last one.",
    },
    "merge": {
        "concept": "Go through the list with a place of your own. Where the pair stands, put the new number and move on by "
        "two; else copy the number and move on by one. The given list stays as it is.",
        "shapes": "ids is a list of integers, pair a tuple of two, idx an integer. merge returns a new list of integers.",
        "example": """
    >>> merge([5, 6, 6, 7, 9, 1], (6, 7), 99)
    >>> merge([1, 1, 1], (1, 1), 9)
""",
        "formula": "At place i: if i + 1 is still in the list and (ids[i], ids[i + 1]) is the pair, append idx and i += 2; "
        "else append ids[i] and i += 1.",
    },
    "shorter": {
        "concept": "Nothing to write: your stats finds the most frequent pair, your merge puts a number in its place. The "
        "ratio of the lengths is how much shorter the list has become.",
        "shapes": "stats gets a list of integers and returns a dict, merge gets the list, a pair and a number and returns a "
        "list.",
        "example": """
    >>> ids = [1, 2, 1, 2, 2]
    >>> merge(ids, best(stats(ids)), 256)
""",
        "formula": "The ratio is the length before over the length afterwards. Where this fails, so does stats or merge: "
        "fix that first.",
    },
}

WORDS = ["a", "banana", "in", "Panama", "·", "naïve", "café,", "ééé,", "ßß,", "日本日本,", "🙂🙂🙂"]
WORDS += ["ana", "nan", "aaaa"]


def inputs(g, words, pieces):
    """A text of real words, numbers in which pairs come again, pairs of them, a new number; counts of pairs."""
    chosen = torch.randint(len(WORDS), (words,), generator=g).tolist()
    ids = torch.randint(97, 100, (pieces,), generator=g).tolist()
    at = int(torch.randint(pieces - 1, (1,), generator=g))
    ids[at : at + 2] = [98, 98]
    ids += [0, 97, 0, 98, 98, 98]
    pairs = [tuple(pair) for pair in torch.randint(97, 110, (words, 2), generator=g).tolist()]
    often = torch.randint(1, 9, (words,), generator=g).tolist()
    low, middle, high = sorted(110 + k for k in torch.randperm(12, generator=g).tolist()[:3])
    return dict(
        text=" ".join(WORDS[k] for k in chosen),
        ids=ids,
        merged=[(98, 98), tuple(ids[:2]), *((a, b) for a, b in ((97, 98), (99, 97)))],
        idx=256 + words,
        counts={**dict(zip(pairs, often)), (low, high): 9, (high, high): 3},
        ties={(low, low): 2, (middle, low): 5, (high, 97): 5, (low, 98): 5, (middle, high): 5},
    )


def encoded(text):
    """The bytes of `text` in UTF-8, as a list of integers.

    A character outside ASCII takes several bytes: "é" is [195, 169].
    """
    return list(text.encode("utf-8"))


def stats(ids):
    """How often each pair of neighbours occurs in `ids`: a dict from the pair, a tuple, to its count.

    Overlapping pairs count each: [1, 1, 1] has the pair (1, 1) twice. In which order they are is not asked here;
    later the pair that is seen first has to come first.
    """
    counts = {}
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def use_stats(stats, ids):
    return calls("stats", stats, (ids,), (ids[3:],), ([7],), ([],))


def best(stats):
    """The most frequent pair; of several, the one that comes first in `stats`.

    `stats` is a dict such as the function before gives. `max` with a `key` picks the first of the largest.
    """
    return max(stats, key=stats.get)


def use_best(best, counts, ties):
    """Asked of counts in which one is the largest, and of counts in which three are.
    """
    return calls("best", best, (counts,), (ties,), ({(1, 2): 9, (3, 4): 10},))


def merge(ids, pair, idx):
    """A copy of `ids` with the number `idx` in the place of each `pair`, from left to right.

    What has been merged is not merged again: [1, 1, 1] with the pair (1, 1) and idx 9 gives [9, 1]. The last
    number has no right neighbour. The lecture's merge([5, 6, 6, 7, 9, 1], (6, 7), 99) gives [5, 6, 99, 9, 1].
    """
    out = []
    at = 0
    while at < len(ids):
        if ids[at : at + 2] == list(pair):
            out.append(idx)
            at += 2
        else:
            out.append(ids[at])
            at += 1
    return out


def use_merge(merge, ids, merged, idx):
    """A copy of a list with a new number in the place of each pair; asked of several lists, pairs and numbers."""
    some = [([5, 6, 6, 7, 9, 1], (6, 7), 99), ([1, 1, 1], (1, 1), 9), ([4], (4, 4), 9), ([], (1, 2), 9)]
    some += [([7, 6, 7, 7, 6, 6, 7], (7, 6), idx + 3), ([6, 7, 6, 7], (6, 7), 7), ([6, 6, 7], (6, 7), 7)]
    some += [([6, 7, 7], (6, 7), 6), ([16, 7, 6, 71], (6, 7), 9), ([11, 2, 1, 23, 1, 2], (1, 2), 9)]
    found = calls("merge", merge, *some, *((ids, pair, idx + k) for k, pair in enumerate(merged)))
    given = list(ids)
    merge(given, merged[0], idx)
    return {**found, "ids after merge(ids, pair, idx)": given}


def use_shorter(stats, merge, ids, idx):
    """`ids` after the most frequent pair has been merged, and the ratio of the two lengths.

    Nothing to write: this calls your stats and your merge, one after the other.
    """
    counts = stats(list(ids))
    pair = max(counts, key=lambda pair: (counts[pair], pair))
    new = merge(list(ids), pair, idx)
    return {"the most frequent pair": pair, "the list": new, "the ratio": len(ids) / len(new)}
