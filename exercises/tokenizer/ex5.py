"""GPT-4's own merges, recovered.

What is published of GPT-4's tokenizer is no list of merges but a table of ranks: the bytes of each token, and
its number. Two things have to be found out before one's own encode gives the same numbers. First, the single
bytes do not have their own values as numbers, but stand in another order. Second, the table doesn't say of
which two parts a token was made; it can be worked out, since the token's bytes, merged by all that was there
before it, end up as exactly these two. The table here is a small one of the same kind, without most bytes.

minbpe's `recover_merges` is `merges` here, and its `bpe`, stopped before the last merge, is `parts`.
"""


def order(ranks):
    """The number of each single byte: a dict from the byte, an integer, to its rank.

    `ranks` is a dict from a token's bytes, a `bytes`, to its number. Tokens of several bytes don't count.
    """
    raise NotImplementedError("order: not written yet")


def parts(token, ranks):
    """The two parts, a tuple of two `bytes`, of which a token of several bytes was made in training.

    Cut the token into single bytes, and merge as encode would, the lowest rank first, the leftmost of equal
    ones. When two parts are left, the next merge would make the token itself: these are the two.
    """
    raise NotImplementedError("parts: not written yet")


def merges(ranks):
    """The merges of the training: a dict from the pair of the parts' numbers, a tuple, to the token's number.

    For every token of several bytes. In which order they are in the dict is not asked.
    """
    raise NotImplementedError("merges: not written yet")


def encode(text, merges, order):
    """The tokens of a text, a list of integers, the same that the table's owner gets.

    Each byte of the text becomes its number in `order`, and then the pair that has the lowest number in
    `merges` is merged, again and again, until there is none.
    """
    raise NotImplementedError("encode: not written yet")


def decode(ids, merges, order):
    """The text of a list of tokens, with U+FFFD for what is not UTF-8.

    The way back: each number that `order` gives is a byte again, and a merged one the bytes of its parts.
    """
    raise NotImplementedError("decode: not written yet")
