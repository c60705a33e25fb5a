"""Around the embedding MLP: memory, training, perplexity, and Bengio's own network.

A view moves nothing: a tensor is a line of numbers in memory, and its shape and strides say how to walk through them.
The training loop is what the lecture runs most: minibatches, a rate that was read off a curve, one batch learnt by
heart to see that the loop works, and the losses of the splits, which tell whether it learnt more than that. And the
paper that the lecture follows has one more connection, straight from the embeddings to the logits.
"""

import torch


def strides(shape):
    """The strides of a tensor of this shape whose numbers lie in memory in order: a tuple.

    A stride is how many numbers further on the next one along that axis is. A shape (3, 2) has (2, 1).
    """
    raise NotImplementedError("strides: not written yet")


def place(offset, strides, index):
    """Where in memory an entry lies: how many numbers after the first of its storage.

    The tensor begins at offset, has these strides, and `index` has one number for each axis.
    """
    raise NotImplementedError("place: not written yet")


def shared(a, b):
    """Whether two tensors lie in the same memory: True or False.

    As x and x.view(…) do, or two slices of one tensor, even if they have no number in common; torch.cat and clone make
    new memory.
    """
    raise NotImplementedError("shared: not written yet")


def train(network, X, Y, batches, gradients, rate):
    """Train on minibatches; a pair (network, losses): the parameters afterwards, and the loss before each step.

    network is a dict from names to tensors, which are to stay as they are. batches has a tensor for each step: the
    positions of its examples in X and Y. gradients(network, Xb, Yb) gives (loss, grads): a float, and a dict like network.
    """
    raise NotImplementedError("train: not written yet")


def overfit(network, X, Y, steps, gradients, rate):
    """Train on one batch, all of X and Y, again and again: the losses before each step and after the last.

    A list of steps + 1 floats. network and gradients are as in train.
    """
    raise NotImplementedError("overfit: not written yet")


def split_losses(network, splits, forward):
    """The loss on each split: a dict like splits, from the split's name to a float.

    splits has a pair (X, Y) for each name; forward(network, X) gives logits, a row for each example. The loss is the
    mean cross entropy over all examples of the split.
    """
    raise NotImplementedError("split_losses: not written yet")


def best_rate(rates, losses, width):
    """The learning rate at the lowest place of a finder's curve: one of `rates`.

    Step k was taken with rates[k], and its loss was losses[k]. Smooth the losses first: average each window of `width`
    neighbours, width being odd. Of the window with the least average the rate in its middle is the answer.
    """
    raise NotImplementedError("best_rate: not written yet")


def perplexity(losses):
    """The perplexity of a model whose losses on some examples these are, a list of floats: a float.

    A model that considers 27 letters equally likely has log 27 for each, and a perplexity of 27.
    """
    raise NotImplementedError("perplexity: not written yet")


def direct(C, X, H, d, U, W, b):
    """The logits of Bengio's network with direct connections: (n, V) for contexts X (n, block_size).

    In the paper y = b + W x + U tanh(d + H x), where x is the context's rows of C side by side. Here x is a row: H
    and W are (block_size · n_embd, …), U is (n_hidden, V).
    """
    raise NotImplementedError("direct: not written yet")


def bengio_count(V, m, h, n, connected):
    """How many numbers Bengio's network learns: V words with m features each, h hidden neurons, n words of context.

    With or without direct connections, as `connected` says; both biases and the table count. With 17000 words,
    m = 30, h = 50 and n = 5 it is 1,384,550 without them.
    """
    raise NotImplementedError("bengio_count: not written yet")
