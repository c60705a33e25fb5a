"""Around the model: its size, its start, its data, its many machines.

What is left of GPT-2 is arithmetic that must be right before a long run is worth starting: how many
numbers there are to learn, how large they are at the start, how many micro-batches make a batch, which
tokens which process reads, what the processes agree upon. And once more the softmax in pieces, this time
its values.
"""

import torch


def count(V, max_T, C, L):
    """How many numbers a GPT-2 of L blocks and C channels has to learn. V tokens, max_T positions.

    The head is the token embedding again, so it counts once. A block has two LayerNorms, and linear
    layers from C to 3C, C to C, C to 4C and 4C to C, all with biases; after the last block comes one more
    LayerNorm.
    """
    raise NotImplementedError("count: not written yet")


def std(name, L):
    """The standard deviation with which a parameter of a GPT-2 of L blocks starts. 0.0 for biases.

    It is 0.02, but what adds to the residual stream, the weights whose name holds "proj", starts smaller:
    0.02·(2L)**-0.5, since every block adds twice. Names are like "wte.weight", "h.3.attn.qkv.weight",
    "mlp.proj.weight" and, of a bias, "mlp.proj.bias". LayerNorm gains, which start at 1, are not asked for.
    """
    raise NotImplementedError("std: not written yet")


def micro_steps(total, B, T, world):
    """How many micro-batches each process runs for a batch of `total` tokens, an integer.

    Each of `world` processes handles B rows of T tokens at a time.
    """
    raise NotImplementedError("micro_steps: not written yet")


class Loader:
    """Batches from one long list of tokens, for one of several processes.

    Process `rank` of `world` begins B * T * rank tokens into the list; after each batch all of them move
    on by B * T * world, so that no two read the same tokens. Where the next batch of all of them, and the
    label of its last token, would not fit any more, all begin again: with B = T = 1, two processes and tokens 0
    to 4, process 0 reads 0, 2, 0, 2 … and process 1 reads 1, 3, 1, 3 …. build-nanogpt's DataLoaderLite, whose
    processes begin again each for itself, passes too: no list here has a length at which the two differ.
    """

    def __init__(self, tokens, B, T, rank, world):
        """Keep what is needed, and take the place to begin at."""
        raise NotImplementedError("Loader.__init__: not written yet")

    def batch(self):
        """The next batch, (x, y): B lists of T tokens each, and the tokens that follow them."""
        raise NotImplementedError("Loader.batch: not written yet")


def averaged(ranks):
    """The gradients that all processes go on with: a list of tensors, the mean over the processes.

    `ranks` has a list of tensors for each process, in the same order everywhere.
    """
    raise NotImplementedError("averaged: not written yet")


def online(scores, values, block):
    """The average of `values` by the softmax of `scores`, read in blocks of `block` scores.

    scores is (S,), values (S, C); the last block may be shorter. No more than `block` scores may be read at
    once. Keep the maximum so far, the sum of exponentials and the sum of values relative to it; scale both sums
    down when a greater maximum comes.
    """
    raise NotImplementedError("online: not written yet")
