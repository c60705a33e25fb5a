"""Other tokenizers, and what goes wrong with any.

SentencePiece, which Llama's tokenizer was made with, merges code points and not bytes, and has a rule for each thing that
it never saw. And the lecture ends with what is strange about language models because of their tokenizers: numbers that
are cut anywhere, a space that is left over at the end, tokens that no text ever held, and a vocabulary that grows after
the training, for which tables must grow as well.
"""

import re
import torch


def prefixed(text):
    """A text as SentencePiece sees it: with a space before it, and each space written as ▁ (U+2581)."""
    raise NotImplementedError("prefixed: not written yet")


def covered(text, share):
    """The characters that get a piece: the most frequent ones, until they cover at least `share` of the text; a list.

    The most frequent comes first, equally frequent ones in the order of their code points. No more are taken than needed.
    """
    raise NotImplementedError("covered: not written yet")


def ids(text, pieces, fallback):
    """The numbers of a text's characters: a list.

    0, 1 and 2 are the unknown token and the two that begin and end a text; the bytes 0 to 255 have the next numbers, from 3
    on; then come the pieces, a list of characters, from 259 on. A character without a piece is its UTF-8 bytes where
    fallback is True, else it is the unknown token.
    """
    raise NotImplementedError("ids: not written yet")


def text_of(numbers, pieces):
    """The text of such numbers, none of which is below 3. ▁ becomes a space; what is no UTF-8 becomes U+FFFD."""
    raise NotImplementedError("text_of: not written yet")


def digits_apart(text):
    """The text cut so that each digit stands alone, and what is between digits stays together: a list."""
    raise NotImplementedError("digits_apart: not written yet")


def integer_lengths(encode, n):
    """How many tokens each of the numbers 0 to n - 1 is, written in digits: a list. encode(text) gives a list of tokens."""
    raise NotImplementedError("integer_lengths: not written yet")


def stranded_space(text, encode):
    """Whether a text ends in a space that is a token of its own: True or False.

    encode(text) gives a list of tokens. The text may be empty.
    """
    raise NotImplementedError("stranded_space: not written yet")


def untrained(lists, vocab_size):
    """The tokens, of vocab_size, that occur in none of several lists: a list, the lowest number first."""
    raise NotImplementedError("untrained: not written yet")


def resized(wte, head, n):
    """The embedding and the head of a model whose vocabulary has grown by n tokens: a pair of tensors.

    Both have a row for each token, (V, C). The rows that there are stay; each new one is the mean of them.
    """
    raise NotImplementedError("resized: not written yet")
