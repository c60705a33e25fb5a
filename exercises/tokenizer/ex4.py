"""Special tokens, and a tokenizer in a file.

A special token such as <|endoftext|> is no text: it has a number of its own, no merge makes it, and the
tokenizer looks for it before it does anything else. Whether it may is a question of safety: what a user
types must not become one unasked. And what was trained is to be kept: the merges and the special tokens,
written down as lines and read again.

minbpe has these as methods of a tokenizer; here they are functions, which are given what a tokenizer holds.
"""

import re


def allowed(text, specials, which):
    """The special tokens that are looked for in a text: a dict like `specials`, from name to number.

    `which` is "all"; "none"; "none_raise", which is none too, but a ValueError where the text holds any of
    the names; or a set of the names that are allowed, in which a name that is no special token counts for
    nothing. Anything else is a ValueError, a list of names too.
    """
    raise NotImplementedError("allowed: not written yet")


def parts(text, names):
    """The text cut at special tokens, whose `names` are a list: a list of texts, the names among them.

    Where several names begin at one place, the longest is taken. Empty pieces are left out. Joined, the
    list is the text. A name is to be found as it is, whatever its characters mean in a regular expression.
    """
    raise NotImplementedError("parts: not written yet")


def encode(text, specials, which, ordinary):
    """The tokens of a text in which special tokens may stand, a list of integers.

    ordinary(text) gives the list for a text without any; it is called for each piece between two special
    tokens, and what stands on both sides of one is never encoded together; ordinary("") is []. `which` as in
    allowed.
    """
    raise NotImplementedError("encode: not written yet")


def decode(ids, vocab, specials):
    """The text of a list of tokens, special ones among them.

    `vocab` has the bytes of each ordinary token, `specials` the number of each name. A number that is in
    neither is a ValueError. Bytes that are no UTF-8 become U+FFFD, once all of them are joined.
    """
    raise NotImplementedError("decode: not written yet")


def saved(merges, specials):
    """A tokenizer as the text of a file, each line with a line end.

        bpe 1
        how many special tokens there are
        the number and the name of each, with a space between them, the lowest number first
        the two numbers of each pair merged, with a space between them, the lowest new number first

    The new numbers are not written: they are 256, 257 and so on.
    """
    raise NotImplementedError("saved: not written yet")


def loaded(file):
    """The merges and the special tokens, a pair of dicts, of the text that saved gives.

    merges is from pairs to numbers, specials from names to numbers, both in the order of the file. A text
    whose first line is not "bpe 1" is a ValueError.
    """
    raise NotImplementedError("loaded: not written yet")
