"""Around the training of GPT-2: weights that come in, numbers that are rounded, an exam.

The lecture's long run rests on small pieces, each of which can be wrong in silence: weights of a checkpoint that is
stored transposed, a vocabulary that is rounded up, the number of steps that so many tokens make, shards of data, the
bits that bf16 keeps, a sampler that takes the likeliest 50, and HellaSwag, an exam of four endings each. They are all
here, as functions.
"""

import math
import torch
import torch.nn.functional as F


def loaded(checkpoint):
    """The weights of a Hugging Face checkpoint as nn.Linear wants them: a dict from names to tensors.

    Weights whose names end in attn.c_attn.weight, attn.c_proj.weight, mlp.c_fc.weight or mlp.c_proj.weight are
    transposed; all others stay. What ends in .attn.bias or .attn.masked_bias is a mask, no weight, and is left out.
    """
    raise NotImplementedError("loaded: not written yet")


def rounded_up(n, multiple):
    """The least multiple of `multiple` that is at least n, an integer: 50257 and 128 give 50304."""
    raise NotImplementedError("rounded_up: not written yet")


def steps(tokens, per_step, warmup_tokens):
    """How many whole steps a run of so many tokens has, and its warm-up: a pair of integers.

    per_step is how many tokens a step reads. The lecture's 10 billion tokens, 2^19 a step, and GPT-3's warm-up over 375
    million give 19073 and 715.
    """
    raise NotImplementedError("steps: not written yet")


def expected_loss(V):
    """The loss of a network that considers all V tokens equally likely. For 50257 it is about 10.82."""
    raise NotImplementedError("expected_loss: not written yet")


def shards(documents, eot, size):
    """All documents as one stream of tokens, cut into shards: a list of lists of `size` tokens, the last maybe shorter.

    Before each document, a list of tokens, stands the token eot. A document may lie across two shards.
    """
    raise NotImplementedError("shards: not written yet")


def bf16(x):
    """What is left of float32 numbers in bfloat16, to which they are rounded: a float32 tensor like x."""
    raise NotImplementedError("bf16: not written yet")


def top_k(logits, k):
    """The probabilities of the k likeliest tokens, scaled so that they sum to 1, and 0 for all others: (B, V).

    Of the softmax of logits (B, V). No two tokens of a row are equally likely.
    """
    raise NotImplementedError("top_k: not written yet")


def sampled(logits, k, uniforms):
    """A token for each row, drawn from the k likeliest: a tensor of torch.int64, (B,).

    uniforms is a list of B floats. The k are put side by side by their probability, the largest first, scaled so that
    they sum to 1. With the row's uniform number u the token is the first at which the running sum is more than u; the
    last one where none is.
    """
    raise NotImplementedError("sampled: not written yet")


def hellaswag_row(context, endings):
    """The rows of one example: a pair (tokens, mask) of tensors of torch.int64, a row for each ending.

    A row is the context, the ending, and zeros up to the length of the longest one. mask is 1 where an ending's token
    stands, else 0. context is a list of tokens, endings a list of such.
    """
    raise NotImplementedError("hellaswag_row: not written yet")


def hellaswag_loss(logits, tokens, mask):
    """The mean loss of the ending's tokens of each row: a tensor (4,).

    logits are (4, T, V), tokens and mask (4, T). What the logits say at one place is about the token at the next one.
    """
    raise NotImplementedError("hellaswag_loss: not written yet")


def hellaswag_answer(losses, labels):
    """What the model answers, and how often it is right: a pair of a list of numbers and a float.

    losses has a list of four for each example, labels the number of the right ending, from 0.
    """
    raise NotImplementedError("hellaswag_answer: not written yet")


def residual_growth(x, noises, scale):
    """The standard deviation of a stream after each addition, as torch's std gives it: a list of floats.

    The stream begins as x, and each block adds its noise, a tensor like x, times `scale`.
    """
    raise NotImplementedError("residual_growth: not written yet")


def average_step(weight, gradients, losses, rate):
    """One step of several processes: a pair, the new weight and the loss that is reported.

    gradients has a tensor for each process, its own for the same weight, losses a float for each. All step by `rate`
    against the mean of the gradients; the loss is the mean.
    """
    raise NotImplementedError("average_step: not written yet")
