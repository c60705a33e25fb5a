"""The table as a network: one-hot rows, a softmax, and descent.

What counting gives in one go can be learnt step by step. The pairs become a data set of inputs and labels,
an input becomes a one-hot row, a matrix W makes logits of it, and the softmax of these is the row of
probabilities. At the end the network has come to the table of exercise 1, and it can be made larger, which
the table can't.
"""

import torch
import torch.nn.functional as F


def pairs(words, chars):
    """Two tensors of torch.int64: xs with the number of each pair's first character, ys of its second.

    In the order in which they stand, both full stops included: emma gives [0, 5, 13, 13, 1] and
    [5, 13, 13, 1, 0].
    """
    raise NotImplementedError("pairs: not written yet")


def onehot(pairs, vocab_size):
    """The xs of `pairs` as one-hot rows: a float32 tensor with a row for each, and vocab_size columns.

    F.one_hot gives integers, which can't be multiplied with weights, and as many columns as the
    largest number needs unless it is told.
    """
    raise NotImplementedError("onehot: not written yet")


def probs(onehot, W):
    """The probabilities of every next character for each row: the softmax of the row's logits.

    The logits are the matrix product of the one-hot rows and W. Exponentiate them, and divide each row by
    its sum.
    """
    raise NotImplementedError("probs: not written yet")


def loss(probs, pairs, W2, strength):
    """The mean negative log likelihood of the ys, and `strength` times the mean of the squares of W2.

    probs has a row for each pair; what counts is its probability of that pair's y. W2 stands for the network's
    weights; it is any matrix here, which need not be square. A tensor of no axes.
    """
    raise NotImplementedError("loss: not written yet")


def losses(onehot, pairs, W, rate, steps):
    """The loss, without regularisation, before each of `steps` steps of gradient descent: a list of floats.

    A step subtracts `rate` times the gradient of the mean negative log likelihood from W. The gradient is yours
    to write by hand, or to copy from exercises 3 and 4, which lead to it. The W that you are given is to stay
    as it is.
    """
    raise NotImplementedError("losses: not written yet")
