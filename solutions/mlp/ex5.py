"""Training: minibatches, learning rates, splits, and names from the network.

What stands around the gradients in a training run is short, and each line of it can be wrong without an
error: labels of other examples than the contexts, learning rates spaced evenly where their exponents were
meant, names of the test set among those one trains on, a context that does not move on.
"""

import torch
import torch.nn.functional as F

from grader.lecture import calls, words_of

FIXTURES = {
    "lecture": dict(seed=2147483647, vocab_size=27, many=30, n=8, block_size=3, n_embd=10, n_hidden=200),
    "probe-1": dict(seed=2, vocab_size=27, many=30, n=8, block_size=3, n_embd=2, n_hidden=100),
    "probe-2": dict(seed=3, vocab_size=12, many=27, n=6, block_size=2, n_embd=3, n_hidden=7),
    "probe-3": dict(seed=4, vocab_size=14, many=35, n=9, block_size=4, n_embd=2, n_hidden=10),
}
OUTPUTS = {
    "parameter_count": "exact",
    "splits": "exact",
    "minibatch": "exact",
    "stepped": "approximate",
    "rates": "approximate",
    "schedule": "approximate",
    "sample": "exact",
}
HINTS = {
    "parameter_count": {
        "concept": "Count the entries of each tensor: the table, a matrix and a bias for the hidden layer, a matrix and "
        "a bias for the output layer. A matrix has inputs times outputs.",
        "example": """
    >>> parameter_count(27, 3, 10, 200)
    >>> parameter_count(5, 2, 3, 4)
""",
        "formula": "C: V·E. Hidden layer: (block·E)·H weights and H biases. Output layer: H·V weights and V biases.",
    },
    "splits": {
        "concept": "Three lists that together are all the words in their order: two cuts make them. Round each cut down "
        "by itself.",
        "example": """
    >>> splits(["a", "b", "c", "d", "e", "f", "g", "h", "i"])
""",
        "formula": "With n words, the cuts are at ⌊0.8·n⌋ and ⌊0.9·n⌋: up to the first, between the two, from the "
        "second on.",
    },
    "minibatch": {
        "concept": "Contexts and labels must be those of the same examples: one index for both.",
        "example": """
    >>> X, Y = torch.tensor([[0, 1], [1, 2], [2, 3]]), torch.tensor([7, 8, 9])
    >>> minibatch(X, Y, torch.tensor([2, 0, 2]))
""",
        "formula": "Row i of the first is row ix[i] of X, entry i of the second is entry ix[i] of Y.",
    },
    "stepped": {
        "concept": "Every parameter moves against its own gradient. The result is a new dict of new tensors: an "
        "in-place step would change the network that was given.",
        "example": """
    >>> stepped({"b": torch.tensor([1.0, 2.0])}, {"b": torch.tensor([10.0, -10.0])}, 0.1)
""",
        "formula": "new p = p − rate · its gradient, for every name.",
    },
    "rates": {
        "concept": "A good rate may be 0.001 or 1: steps that are even in the rate itself would hardly try the small "
        "ones. So the exponents are spaced evenly, both ends included.",
        "example": """
    >>> rates(-2, 0, 5)
""",
        "formula": "rate k = 10^(low + k·(high − low)/(n − 1)), for k = 0 … n − 1.",
    },
    "schedule": {
        "concept": "Two halves: the whole rate, then a tenth of it. Steps are counted from 0; of an odd number of "
        "steps the middle one belongs to the first half.",
        "example": """
    >>> schedule(5, 0.1)
    >>> schedule(4, 0.1)
""",
        "formula": "rate for each step k with k < steps / 2, rate / 10 for the others; steps / 2 is not rounded.",
    },
    "sample": {
        "concept": "As in bigrams.ex1, but the row of probabilities comes from the network, and what it sees is the "
        "last block_size characters. After a full stop the context is all full stops again.",
        "shapes": "network is a dict with C (vocab_size, width), W1 (block_size · width, hidden), b1, W2 (hidden, "
        "vocab_size) and b2. chars is a string, block_size an integer, uniforms a list of floats. sample returns a "
        "list of strings.",
        "example": """
    >>> zeros = {"C": torch.zeros(3, 1), "W1": torch.zeros(2, 2), "b1": torch.zeros(2), "W2": torch.zeros(2, 3)}
    >>> zeros["b2"] = torch.tensor([0.5, 0.25, 0.25]).log()
    >>> sample(zeros, ".ab", 2, [0.6, 0.9, 0.1, 0.4, 0.7])
""",
        "formula": "p = softmax(tanh(e·W1 + b1)·W2 + b2), e the context's vectors side by side. Next: the smallest j "
        "with p[0] + … + p[j] > u. context = its last block_size − 1 numbers and j; all zeros after j = 0.",
    },
}


def inputs(g, vocab_size, many, n, block_size, n_embd, n_hidden):
    """Names, random contexts and labels, a small network, its gradients, numbers to draw letters with."""
    chars, words = words_of(g, vocab_size, many)
    width = min(n_hidden, 6)

    def network():
        shapes = dict(C=(vocab_size, 2), W1=(2 * block_size, width), b1=(width,))
        shapes |= dict(W2=(width, vocab_size), b2=(vocab_size,))
        return {name: torch.randn(shape, generator=g) for name, shape in shapes.items()}

    drawn = network()
    drawn["W2"] *= 0.5
    drawn["b2"][0] += 2.5  # names that end
    return dict(
        chars=chars,
        words=words,
        X=torch.randint(vocab_size, (3 * n, block_size), generator=g),
        Y=torch.randint(vocab_size, (3 * n,), generator=g),
        ix=torch.randint(3 * n, (n,), generator=g),
        network=drawn,
        gradients=network(),
        rate=0.01 * n,
        low=-3.0 - n / 10,
        high=n / 10 - 0.5,
        steps=4 * many + n % 2,
        uniforms=torch.rand(70, generator=g).tolist(),
    )


def parameter_count(vocab_size, block_size, n_embd, n_hidden):
    """How many numbers the network learns: the table, and two layers with their biases.

    C is (vocab_size, n_embd); the hidden layer reads block_size vectors and has n_hidden neurons; the output
    layer has a logit for each character. The lecture's network has 11897.
    """
    return (
        vocab_size * n_embd
        + block_size * n_embd * n_hidden
        + n_hidden
        + n_hidden * vocab_size
        + vocab_size
    )


def splits(words):
    """The words in three lists: training, validation, test. The first 80 %, the next 10 %, and the rest.

    They are shuffled already. The cuts are at int(0.8 · n) and int(0.9 · n), where n is the number of words.
    It is words that are split, so that no word is in two lists.
    """
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]


def minibatch(X, Y, ix):
    """The examples that ix names: their contexts, and their labels.

    Two tensors. An example may be there twice.
    """
    return X[ix], Y[ix]


def stepped(network, gradients, rate):
    """One step of gradient descent: a dict like `network`, each parameter moved against its gradient.

    Both are dicts from a parameter's name to a tensor. The step is `rate` times the gradient, and the loss is
    to fall. What you are given is to stay as it is.
    """
    return {name: p - rate * gradients[name] for name, p in network.items()}


def use_stepped(stepped, network, gradients, rate):
    """One step of gradient descent: a dict like `network`, each parameter moved against its gradient.

    Both are dicts from a parameter's name to a tensor. The step is `rate` times the gradient, and the loss is
    to fall. What you are given is to stay as it is.
    """
    found = {}
    for by in (rate, rate * 4):
        given = {name: p.clone() for name, p in network.items()}
        said = f"stepped(network, gradients, {by:.6g})"
        found[said] = stepped(given, {name: p.clone() for name, p in gradients.items()}, by)
        found[f"network after {said}"] = given
    return found


def rates(low, high, n):
    """n learning rates to try, from 10**low to 10**high: a tensor.

    It is their exponents that are spaced evenly: each is the same number of times the one before it.
    """
    return 10 ** torch.linspace(low, high, n)


def use_rates(rates, low, high, n):
    return calls("rates", rates, (low, high, n), (-2, 0, n + 3), (high, low, 5))


def schedule(steps, rate):
    """The learning rate of each of `steps` steps, as a list: `rate`, and a tenth of it in the second half.

    The second half begins with step steps / 2, counted from 0; of an odd number of steps the first half is the
    longer one.
    """
    return [rate if step < steps / 2 else rate / 10 for step in range(steps)]


def use_schedule(schedule, steps, rate):
    return calls("schedule", schedule, (steps, rate), (7, rate * 2), (2, 0.5), (1, rate))


def sample(network, chars, block_size, uniforms):
    """Words drawn from the network, one number of `uniforms` for each character; a list of words.

    A word begins with a context of full stops. Embed it, join the vectors, tanh of the hidden layer (W1, b1),
    logits of the output layer (W2, b2), softmax. With the next number u the next character is the first whose
    probability, added to those of the characters before it, is more than u. The context moves on by one.
    A full stop ends a word; one at the start of a word gives the empty word "". Stop when the numbers
    are used up; a word that is not finished is left out.
    """
    words, word, context = [], "", [0] * block_size
    for u in uniforms:
        h = torch.tanh(network["C"][torch.tensor(context)].view(1, -1) @ network["W1"] + network["b1"])
        probs = F.softmax(h @ network["W2"] + network["b2"], 1)
        at = int((probs.cumsum(1) > u).int().argmax())
        context = context[1:] + [at]
        if at == 0:
            words.append(word)
            word, context = "", [0] * block_size
        else:
            word += chars[at]
    return words


def use_sample(sample, network, chars, block_size, uniforms):
    cases = [(network, chars, block_size, some) for some in (uniforms, uniforms[30:], [])]
    return calls("sample", sample, *cases)
