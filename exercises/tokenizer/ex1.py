"""Text as bytes, and the most frequent pair.

A tokenizer of the byte-pair kind starts from the bytes of a text in UTF-8, which are integers from 0
to 255. It then looks for the pair of neighbours that occurs most often, gives it a number of its own, and
puts that number in the place of the pair wherever it stands. Done again and again, this makes a long list
of small numbers into a short list of larger ones. Each function here is one step of it; all answers are compared exactly. minbpe's
`get_stats` is `stats` here: `grader check --rename names.toml` takes a table of other names.
"""


def encoded(text):
    """The bytes of `text` in UTF-8, as a list of integers.

    A character outside ASCII takes several bytes: "é" is [195, 169].
    """
    raise NotImplementedError("encoded: not written yet")


def stats(ids):
    """How often each pair of neighbours occurs in `ids`: a dict from the pair, a tuple, to its count.

    Overlapping pairs count each: [1, 1, 1] has the pair (1, 1) twice. In which order they are is not asked here;
    later the pair that is seen first has to come first.
    """
    raise NotImplementedError("stats: not written yet")


def best(stats):
    """The most frequent pair; of several, the one that comes first in `stats`.

    `stats` is a dict such as the function before gives. `max` with a `key` picks the first of the largest.
    """
    raise NotImplementedError("best: not written yet")


def merge(ids, pair, idx):
    """A copy of `ids` with the number `idx` in the place of each `pair`, from left to right.

    What has been merged is not merged again: [1, 1, 1] with the pair (1, 1) and idx 9 gives [9, 1]. The last
    number has no right neighbour. The lecture's merge([5, 6, 6, 7, 9, 1], (6, 7), 99) gives [5, 6, 99, 9, 1].
    """
    raise NotImplementedError("merge: not written yet")
