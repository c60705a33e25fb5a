"""Training, and the way from text to tokens and back.

Training merges the most frequent pair of a text again and again, and keeps what it merged, in order: that list
is the whole tokenizer. To encode another text, the same merges are made in the same order; to decode, each
number is taken apart into its bytes. Texts here are ordinary strings, tokens are integers: 0 to 255 are
the bytes, and each merge gets the next number from 256 on.

The functions stats and merge are those of tokenizer.ex1: put yours in their places. Where minbpe has a
BasicTokenizer with train, encode and decode, functions are asked for here, which are given the merges; and
`count` is the number of merges, not the size of the vocabulary.
"""


def stats(ids):
    """How often each pair of neighbours stands in `ids`: yours of tokenizer.ex1."""
    raise NotImplementedError("stats: not written yet")


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    raise NotImplementedError("merge: not written yet")


def train(text, count):
    """`count` merges of the text's bytes: a dict from each pair merged, a tuple, to its new number.

    The numbers are 256, 257 and so on. Each time the most frequent pair is merged; of several, the
    one that comes first in the list, which is the first in a dict that counts from left to right. Where no
    pair is left, there are fewer merges.
    """
    raise NotImplementedError("train: not written yet")


def vocab(merges):
    """The bytes of every token: a dict from its number to a `bytes`, for 0 to 255 and for each merge.

    A merged token's bytes are those of its left part and then those of its right part. `merges` is in the
    order of training, so that both parts are known when they are asked for.
    """
    raise NotImplementedError("vocab: not written yet")


def decode(ids, known):
    """The text of a list of tokens. `known` is a dict from a token to its bytes, as vocab gives it.

    Not every list of tokens is UTF-8: 128 can't begin a character. What is invalid becomes the replacement
    character U+FFFD. One character may lie in several tokens, so join the bytes before you decode.
    """
    raise NotImplementedError("decode: not written yet")


def encode(text, merges):
    """The tokens of a text, a list of integers, by the merges of a training.

    Of all the pairs that stand in the list, merge the one whose number in `merges` is the lowest, everywhere;
    and again, until no pair is in `merges`. A text of fewer than two bytes has no pair at all.
    """
    raise NotImplementedError("encode: not written yet")
