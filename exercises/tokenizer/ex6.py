"""Tokenizers as classes, and what they are made of.

The functions of the exercises before, put together as minbpe has them: a BasicTokenizer that is trained on a text, a
RegexTokenizer that cuts the text into chunks first, and a GPT4Tokenizer whose merges are recovered from a table of
ranks, and whose bytes are shuffled. Beside them stands what the lecture shows on its way: how long a text is in each
encoding, how GPT-2 writes bytes as printable characters, and how a vocabulary is written down for people to read.

A class may be written on its own or inherit from another one of yours.
"""

import re
import unicodedata


def stats(ids, counts=None):
    """How often each pair of neighbours occurs in `ids`, added to `counts`: yours of tokenizer.ex1 and ex3."""
    raise NotImplementedError("stats: not written yet")


def merge(ids, pair, idx):
    """A copy of `ids` with `idx` in the place of each `pair`: yours of tokenizer.ex1."""
    raise NotImplementedError("merge: not written yet")


def lengths(text):
    """How many bytes a text has in UTF-8, UTF-16 and UTF-32: a list of three numbers.

    Without the mark for the order of bytes, which Python writes for "utf-16" and "utf-32". "hé" has 3, 4 and 8.
    """
    raise NotImplementedError("lengths: not written yet")


def byte_encoder():
    """GPT-2's table from each byte, 0 to 255, to a printable character: a dict.

    Bytes whose character in Latin-1 is printable and no space are that character: "!" to "~", "¡" to "¬", "®" to "ÿ". The
    other 68 get the characters with the numbers 256, 257 and so on, the lowest byte first.
    """
    raise NotImplementedError("byte_encoder: not written yet")


class BasicTokenizer:
    """Byte-pair encoding of a whole text. It has `merges`, from pairs to numbers, and `vocab`, from numbers to bytes."""

    def __init__(self):
        self.merges = {}
        self.vocab = {k: bytes([k]) for k in range(256)}

    def train(self, text, vocab_size, verbose=False):
        """Set merges and vocab by a training on the text's UTF-8 bytes, up to vocab_size tokens.

        As in tokenizer.ex2: the most frequent pair, of several the one first seen; fewer merges where no pair is left.
        """
        raise NotImplementedError("BasicTokenizer.train: not written yet")

    def encode(self, text):
        """The tokens of a text, a list, by the merges that there are."""
        raise NotImplementedError("BasicTokenizer.encode: not written yet")

    def decode(self, ids):
        """The text of tokens, by vocab; what is no UTF-8 becomes U+FFFD."""
        raise NotImplementedError("BasicTokenizer.decode: not written yet")


class RegexTokenizer:
    """Byte-pair encoding within the chunks of a pattern. Beside merges and vocab it has special tokens."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.merges = {}
        self.vocab = {k: bytes([k]) for k in range(256)}
        self.special_tokens = {}

    def train(self, text, vocab_size, verbose=False):
        """Set merges and vocab by a training on the chunks of the text, whose pairs are counted together.

        Chunks are what re.findall gives for the pattern. Counts run through the chunks in their order; ties and ends are as
        in BasicTokenizer.
        """
        raise NotImplementedError("RegexTokenizer.train: not written yet")

    def register_special_tokens(self, special_tokens):
        """Take a dict from the names of special tokens to their numbers."""
        raise NotImplementedError("RegexTokenizer.register_special_tokens: not written yet")

    def encode_ordinary(self, text):
        """The tokens of a text in which special tokens are no more than characters: chunk by chunk."""
        raise NotImplementedError("RegexTokenizer.encode_ordinary: not written yet")

    def encode(self, text, allowed_special="none_raise"):
        """The tokens of a text; allowed_special is "all", "none", "none_raise" or a set of names, as in tokenizer.ex4.

        "none_raise" is a ValueError, or an AssertionError as in minbpe, where the text holds any special token.
        """
        raise NotImplementedError("RegexTokenizer.encode: not written yet")

    def decode(self, ids):
        """The text of tokens, special ones among them. A number that is neither is a ValueError."""
        raise NotImplementedError("RegexTokenizer.decode: not written yet")

    def saved(self):
        """The tokenizer as the text of a file: as in tokenizer.ex4, but of version 2, with the pattern as its second line.

        So the first line is "bpe 2". A pattern holds no line end.
        """
        raise NotImplementedError("RegexTokenizer.saved: not written yet")

    def load(self, file):
        """Become the tokenizer that `saved` wrote: pattern, special tokens, merges and vocab.

        file is the text that `saved` gives. What the tokenizer knew before is gone.
        A file whose first line is not "bpe 2" is a ValueError, or an AssertionError as in minbpe.
        """
        raise NotImplementedError("RegexTokenizer.load: not written yet")


class GPT4Tokenizer:
    """A tokenizer of which there is only a table from the bytes of each token to its rank, which is its number."""

    def __init__(self, ranks, pattern):
        self.ranks = ranks
        self.pattern = pattern

    def encode(self, text):
        """The tokens of a text, chunk by chunk: always the two neighbours whose joined bytes have the lowest rank.

        Of several such places the leftmost is merged first. A single byte's number is ranks[bytes([b])], and not b.
        """
        raise NotImplementedError("GPT4Tokenizer.encode: not written yet")

    def decode(self, ids):
        """The text of tokens; what is no UTF-8 becomes U+FFFD."""
        raise NotImplementedError("GPT4Tokenizer.decode: not written yet")


def rendered(token):
    """A token's bytes as text to print: U+FFFD for what is no UTF-8, and control characters escaped.

    A character whose category in Unicode begins with C is written as a backslash, u and its number in four hexadecimal
    digits: a line end as \\u000a.
    """
    raise NotImplementedError("rendered: not written yet")


def vocab_lines(vocab, merges):
    """minbpe's .vocab: a list of lines, one for each token of vocab, by number.

    "[left][right] -> [whole] 256" for a token that is in merges, "[whole] 97" for any other, each text as rendered
    gives it.
    """
    raise NotImplementedError("vocab_lines: not written yet")
