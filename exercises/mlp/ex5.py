"""Training: minibatches, learning rates, splits, and names from the network.

What stands around the gradients in a training run is short, and each line of it can be wrong without an
error: labels of other examples than the contexts, learning rates spaced evenly where their exponents were
meant, names of the test set among those one trains on, a context that does not move on.
"""

import torch
import torch.nn.functional as F


def parameter_count(vocab_size, block_size, n_embd, n_hidden):
    """How many numbers the network learns: the table, and two layers with their biases.

    C is (vocab_size, n_embd); the hidden layer reads block_size vectors and has n_hidden neurons; the output
    layer has a logit for each character. The lecture's network has 11897.
    """
    raise NotImplementedError("parameter_count: not written yet")


def splits(words):
    """The words in three lists: training, validation, test. The first 80 %, the next 10 %, and the rest.

    They are shuffled already. The cuts are at int(0.8 · n) and int(0.9 · n), where n is the number of words.
    It is words that are split, so that no word is in two lists.
    """
    raise NotImplementedError("splits: not written yet")


def minibatch(X, Y, ix):
    """The examples that ix names: their contexts, and their labels.

    Two tensors. An example may be there twice.
    """
    raise NotImplementedError("minibatch: not written yet")


def stepped(network, gradients, rate):
    """One step of gradient descent: a dict like `network`, each parameter moved against its gradient.

    Both are dicts from a parameter's name to a tensor. The step is `rate` times the gradient, and the loss is
    to fall. What you are given is to stay as it is.
    """
    raise NotImplementedError("stepped: not written yet")


def rates(low, high, n):
    """n learning rates to try, from 10**low to 10**high: a tensor.

    It is their exponents that are spaced evenly: each is the same number of times the one before it.
    """
    raise NotImplementedError("rates: not written yet")


def schedule(steps, rate):
    """The learning rate of each of `steps` steps, as a list: `rate`, and a tenth of it in the second half.

    The second half begins with step steps / 2, counted from 0; of an odd number of steps the first half is the
    longer one.
    """
    raise NotImplementedError("schedule: not written yet")


def sample(network, chars, block_size, uniforms):
    """Words drawn from the network, one number of `uniforms` for each character; a list of words.

    A word begins with a context of full stops. Embed it, join the vectors, tanh of the hidden layer (W1, b1),
    logits of the output layer (W2, b2), softmax. With the next number u the next character is the first whose
    probability, added to those of the characters before it, is more than u. The context moves on by one.
    A full stop ends a word; one at the start of a word gives the empty word "". Stop when the numbers
    are used up; a word that is not finished is left out.
    """
    raise NotImplementedError("sample: not written yet")
