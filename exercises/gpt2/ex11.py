"""Around the training of GPT-2: weights that come in, numbers that are rounded, an exam.

The lecture's long run rests on small pieces, each of which can be wrong in silence: weights of a checkpoint that is
stored transposed, a vocabulary that is rounded up, the number of steps that so many tokens make, shards of data, the
bits that TF32 and bf16 keep and what autocast leaves in float32, a sampler that takes the likeliest 50, HellaSwag, an
exam of four endings each, the validation loss, and a checkpoint from which a run goes on as if nothing had been. They
are all here.
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


def tf32(x):
    """What the GPU's products see of float32 numbers in TF32: a float32 tensor like x, with 13 bits less.

    Of each number the 13 lowest of its 32 bits become 0; nothing is rounded: 1 + 2**-10 stays, 1 + 2**-11 is 1.
    """
    raise NotImplementedError("tf32: not written yet")


def bf16(x):
    """What is left of float32 numbers in bfloat16, to which they are rounded: a float32 tensor like x."""
    raise NotImplementedError("bf16: not written yet")


def autocast(graph, given):
    """The type of each result under autocast to bfloat16 on a GPU: a dict from its name to "float32" or "bfloat16".

    graph is a list of (name, operation, operands). Operands are names, of results before it or of tensors in `given`, a
    dict from name to type. Of what linear and matmul give the type is bfloat16, of softmax, layer_norm,
    cross_entropy, exp, log and sum float32, whatever they are made from. Any other operation, as add, gelu or cat, gives
    float32 if one of its operands is float32, else bfloat16.
    """
    raise NotImplementedError("autocast: not written yet")


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


def validation(model, loader, steps):
    """The validation loss: the mean of the losses of `steps` batches, a float; always of the same ones.

    loader.reset() makes the loader begin again, loader.next_batch() gives a pair (x, y), model(x, y) a pair (logits,
    loss). The model is put into eval mode, by model.eval(), before it is asked at all, and into training mode again, by
    model.train(), at the end.
    """
    raise NotImplementedError("validation: not written yet")


class Training:
    """A run with momentum and dropped gradients, which can be stopped and gone on with."""

    def __init__(self, weight, rate, seed):
        self.weight, self.rate = weight, rate
        self.velocity = torch.zeros_like(weight)
        self.done = 0
        self.generator = torch.Generator().manual_seed(seed)

    def step(self, gradient):
        self.done += 1
        kept = torch.randint(5, gradient.shape, generator=self.generator) > 0
        self.velocity.mul_(0.9).add_(gradient * kept)
        self.weight.sub_(self.velocity * (self.rate / self.done))

    def saved(self):
        """All that a run needs to go on from here, whatever it does meanwhile: a dict, made as you like."""
        raise NotImplementedError("Training.saved: not written yet")

    def restored(self, state):
        """Go on from what `saved` of this or of another run gave. The state stays as it is, to be used once more."""
        raise NotImplementedError("Training.restored: not written yet")
