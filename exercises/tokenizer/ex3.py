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
    raise NotImplementedError("gpt2_chunks: not written yet")


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
    raise NotImplementedError("gpt4_chunks: not written yet")


def stats(lists):
    """How often each pair of neighbours occurs in all of `lists` together, one list of numbers a chunk.

    A dict from the pair, a tuple, to its count, first seen first. The last number of a chunk and the first
    one of the next are no pair.
    """
    raise NotImplementedError("stats: not written yet")


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    raise NotImplementedError("merge: not written yet")


def train(chunks, count):
    """`count` merges of a text that is cut into `chunks`, a list of texts: a dict from pair to number.

    As in tokenizer.ex2, with the first of the most frequent pairs each time and numbers from 256 on; but pairs
    are counted and merged within chunks only. Where no pair is left, there are fewer merges.
    """
    raise NotImplementedError("train: not written yet")


def encode(chunks, merges):
    """The tokens of a text that is cut into `chunks`: each chunk by itself, then one list of them all.

    In each chunk the pair with the lowest number in `merges` is merged first, until none of its pairs is
    there.
    """
    raise NotImplementedError("encode: not written yet")
