"""Text in, averages, text out.

What stands around the network: characters become numbers and numbers characters, a batch is cut out of a
long text, tokens are averaged over their past (three ways, one result), and new text is generated one token
at a time.

Nothing is random, so that there is one right answer: where the lecture draws at random, you are given the
positions and the uniform numbers.
"""

import math
import torch
import torch.nn.functional as F


def vocabulary(text):
    """The characters of a text, each once, in sorted order, as a list."""
    raise NotImplementedError("vocabulary: not written yet")


def encode(text, chars):
    """The text as a list of integers: each character's place in `chars`."""
    raise NotImplementedError("encode: not written yet")


def decode(ids, chars):
    """The text of a list of integers: the way back of encode."""
    raise NotImplementedError("decode: not written yet")


def batch(data, starts, T):
    """A batch (x, y) out of a long tensor of tokens: x and y are (B, T), one row for each start.

    Row b of x begins at starts[b]. y holds, for each token of x, the one that follows it.
    """
    raise NotImplementedError("batch: not written yet")


def by_loop(x):
    """Each token averaged with all before it, (B, T, C), by two loops."""
    raise NotImplementedError("by_loop: not written yet")


def by_matrix(x):
    """The same, as (weights, average): a (T, T) matrix whose rows sum to 1, and its product with x."""
    raise NotImplementedError("by_matrix: not written yet")


def by_softmax(x):
    """The same, as (masked, weights, average): zeros with the future at -inf, their softmax, the product.

    masked and weights are (T, T).
    """
    raise NotImplementedError("by_softmax: not written yet")


def expected_loss(vocab_size):
    """The loss of a network that considers all tokens equally likely. For 65 it is about 4.17."""
    raise NotImplementedError("expected_loss: not written yet")


def generate(model, idx, block_size, uniforms):
    """idx (B, t), grown by one column for each row of `uniforms`, which is (new, B).

    model(idx) gives logits (B, t, vocab_size) and takes at most block_size tokens: crop what it sees, not
    what you keep. The next token is drawn from the softmax at the last position: it is the first one at
    which the running sum of the probabilities is larger than the uniform number of its row, and the last
    one, vocab_size - 1, where none is.
    """
    raise NotImplementedError("generate: not written yet")
