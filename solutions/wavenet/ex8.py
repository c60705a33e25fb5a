"""The paper's network, forward: dilated layers, gates that are conditioned, µ-law, and a head.

The lecture's tree is a first step towards WaveNet. What the paper has beyond it: a stack of dilated convolutions whose
reach doubles from layer to layer, gates that are told whose voice it is and what is to be said, samples of sound that
are squeezed into 256 values, and a head that makes a softmax of all layers' skips. Here they are as functions; and the
claim that the tree and the convolution are one is put to the test.

Activations have the axes example, position, channel. A convolution with a kernel of 2 has two matrices: one for the
past position and one for the present; what lies before the beginning is zeros.
"""

import math

import torch
import torch.nn.functional as F

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, n=3, T=8, c=4, h=5, V=6),
    "probe-1": dict(seed=2, n=3, T=8, c=4, h=5, V=6),
    "probe-2": dict(seed=3, n=2, T=12, c=3, h=6, V=7),
    "probe-3": dict(seed=4, n=4, T=16, c=6, h=3, V=5),
}
OUTPUTS = {
    "embedding": "exact",
    "smoothed": "approximate",
    "flat_count": "exact",
    "dilated": "approximate",
    "tree_and_convolution": "approximate",
    "receptive_field": "exact",
    "mu_law": "exact",
    "mu_law_back": "approximate",
    "gated": "approximate",
    "conditioned": "approximate",
    "head": "approximate",
}
HINTS = {
    "embedding": {
        "shapes": "weight is a float tensor (V, c), ix a tensor of integers of any shape; a call returns the axes of ix and one of c. "
        "parameters() returns a list of one tensor.",
        "example": """
    >>> layer = Embedding(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> layer(torch.tensor([1, 0, 1]))
""",
        "concept": "An embedding is a table, and calling it looks rows up. As a module it can stand first in a Sequential.",
        "formula": "Row ix[…] of the weight at each place; the weight is the only parameter.",
    },
    "smoothed": {
        "example": """
    >>> smoothed([1.0, 3.0, 2.0, 4.0, 9.0], 2)
""",
        "concept": "The loss of a minibatch jumps up and down. Averaged over many steps, the curve tells something.",
        "formula": "losses as a tensor, view(-1, width), mean(1). What doesn't fill the last row is left out.",
    },
    "flat_count": {
        "example": """
    >>> flat_count(27, 10, 200, 8)
""",
        "concept": "The network before the tree: all of the context's vectors at once into one hidden layer, with a batch norm "
        "in place of its bias.",
        "formula": "V·e + block·e·h + 2h + h·V + V.",
    },
    "dilated": {
        "example": """
    >>> x = torch.tensor([[[1.0], [2.0], [3.0]]])
    >>> dilated(x, torch.tensor([[10.0]]), torch.tensor([[1.0]]), torch.zeros(1), 2)
""",
        "concept": "Position t reads itself and the position `dilation` before it. Moving x later in time, with zeros coming in, "
        "gives all past positions at once.",
        "formula": "y[t] = x[t − dilation] Wpast + x[t] Wnow + b, with zeros where t < dilation.",
    },
    "tree_and_convolution": {
        "example": """
    >>> x = torch.tensor([[[0.1], [0.2]]])
    >>> level = (torch.tensor([[1.0]]), torch.tensor([[2.0]]), torch.zeros(1))
    >>> by_tree(x, [level])
    >>> by_convolution(x, [level])
""",
        "shapes": "x is a float tensor (n, T, c), T a power of two; weights is a list of triples (Wpast, Wnow, b), one a level. "
        "dilated returns a tensor (n, T, h); by_tree and by_convolution return the last level's (n, h).",
        "concept": "A tree joins neighbours two by two and halves the number of positions at each level. The convolutions with "
        "dilations 1, 2, 4 do the same at every position; at the last one the same numbers come out.",
        "formula": "Tree: view(n, T / 2, 2c) @ cat([Wpast, Wnow]) + b, tanh, again. Convolution: dilated with 2^level, tanh, "
        "again; the last position.",
    },
    "receptive_field": {
        "example": """
    >>> receptive_field(2, [1, 2, 4])
    >>> receptive_field(3, [1])
""",
        "concept": "Each layer looks back by its dilation for each further place of its kernel, and all of that adds up.",
        "formula": "1 + Σ (kernel − 1) · dilation. 1, 2, … 512 with a kernel of 2 make 1024.",
    },
    "mu_law": {
        "example": """
    >>> mu_law(torch.tensor([-1.0, 0.0, 0.01, 1.0]), 255)
""",
        "concept": "The ear tells quiet sounds apart better than loud ones. The logarithm makes the steps small near 0, so that "
        "256 values are enough.",
        "formula": "f = sign(x) · ln(1 + µ|x|) / ln(1 + µ); floor((f + 1) / 2 · µ + 0.5).",
    },
    "mu_law_back": {
        "example": """
    >>> mu_law_back(torch.tensor([0, 128, 255]), 255)
""",
        "concept": "The way back undoes the steps one by one: to between −1 and 1, then the exponential for the logarithm. What "
        "was rounded stays lost.",
        "formula": "f = 2k / µ − 1; sign(f) · ((1 + µ)^|f| − 1) / µ.",
    },
    "gated": {
        "example": """
    >>> gated(torch.tensor([[[1.0, 0.0]]]))
""",
        "concept": "One half says what, the other half how much of it. The sigmoid lies between 0 and 1.",
        "formula": "tanh(a) · sigmoid(b), where a is the first half of the channels, b the second.",
    },
    "conditioned": {
        "example": """
    >>> a = torch.zeros(1, 2, 2)
    >>> conditioned(a, torch.tensor([[1.0]]), torch.tensor([[1.0, 0.0]]), None, None)
""",
        "concept": "What is the same for all positions, a speaker, is added to all of them alike. What changes more slowly than "
        "the sound is repeated until it is as long.",
        "formula": "At position t: a[:, t] + speaker · V + local[:, ⌊t · Ty / T⌋] · U, each term only where it is not None; then "
        "gated. repeat_interleave(T // Ty, 1) makes local as long as a.",
    },
    "head": {
        "example": """
    >>> head([torch.tensor([[[1.0]]]), torch.tensor([[[1.0]]])], torch.tensor([[1.0]]), torch.tensor([[1.0, 0.0]]))
""",
        "concept": "Each layer has contributed a skip. Their sum goes through two layers, each after a ReLU, and becomes a "
        "distribution at every position.",
        "formula": "softmax(relu(relu(Σ skips) @ Wa) @ Wb) over the last axis.",
    },
}


def inputs(g, n, T, c, h, V):
    """Tables, losses, activations, matrices of several levels, sound, conditions, skips."""

    def draw(*shape):
        return torch.randn(shape, generator=g)

    levels = int(math.log2(T & -T))
    widths = [c, *(h + k for k in range(levels))]
    return dict(
        table=draw(V, c),
        ix=torch.randint(V, (n, T), generator=g),
        losses=(2 + draw(4 * T + 3).abs()).tolist(),
        x=draw(n, T, c),
        weights=[(draw(a, b) * 0.6, draw(a, b) * 0.6, draw(b) * 0.1) for a, b in zip(widths, widths[1:])],
        dilations=[[2**k for k in range(10)], [1, 2, 4] * n, [c, h], []],
        sound=torch.cat([torch.rand(20, generator=g) * 2 - 1, torch.tensor([0.0, 1.0, -1.0, 0.001, -0.001])]),
        both=draw(n, T, 2 * h),
        speaker=draw(n, V),
        local=draw(n, T // 2, c),
        Vs=draw(V, 2 * h) * 0.5,
        Us=draw(c, 2 * h) * 0.5,
        skips=[draw(n, T, h) for _ in range(c)],
        Wa=draw(h, V + 1),
        Wb=draw(V + 1, V) * 2,
    )


class Embedding:
    """A table of vectors, as a module."""

    def __init__(self, weight):
        """Keep the weight, (V, c), where torch.nn would draw it."""
        self.weight = weight

    def __call__(self, ix):
        """The rows for the numbers ix, of any shape: the axes of ix and one of c."""
        return self.weight[ix]

    def parameters(self):
        """A list: the weight."""
        return [self.weight]


def smoothed(losses, width):
    """The losses of a training, averaged `width` steps at a time: a tensor, shorter by that factor.

    losses is a list of floats. The last steps that don't fill `width` are left out.
    """
    whole = len(losses) // width * width
    return torch.tensor(losses[:whole]).view(-1, width).mean(1)


def flat_count(vocab_size, n_embd, n_hidden, block_size):
    """How many parameters the network has that reads its whole context at once.

    An embedding, a linear layer without bias to n_hidden, a batch norm, and a linear layer with a bias to
    vocab_size. With 27, 10, 200 and a context of 8 there are 22097.
    """
    return vocab_size * n_embd + block_size * n_embd * n_hidden + 2 * n_hidden + n_hidden * vocab_size + vocab_size


def dilated(x, Wpast, Wnow, b, dilation):
    """A causal convolution with a kernel of 2: x (n, T, c) to (n, T, d).

    At each position: what stood `dilation` positions before it times Wpast (c, d), what stands there times Wnow (c,
    d), and b (d,). Before the beginning there are zeros. dilation may be larger than T.
    """
    n, T, c = x.shape
    past = torch.cat([torch.zeros(n, dilation, c), x], 1)[:, :T]
    return past @ Wpast + x @ Wnow + b


def by_tree(x, weights):
    """The tree of the lecture: x (n, T, c), with T = 2^levels, to one vector for each example, (n, d).

    weights has (Wpast, Wnow, b) for each level. A level joins neighbours two by two: the earlier one times Wpast,
    the later one times Wnow, plus b, then tanh.
    """
    for Wpast, Wnow, b in weights:
        n, T, c = x.shape
        x = torch.tanh(x.reshape(n, T // 2, 2 * c) @ torch.cat([Wpast, Wnow]) + b)
    return x[:, -1]


def by_convolution(x, weights):
    """The same by dilated convolutions, each followed by tanh, with dilations 1, 2, 4, …: the last position, (n, d)."""
    for level, (Wpast, Wnow, b) in enumerate(weights):
        x = torch.tanh(dilated(x, Wpast, Wnow, b, 2**level))
    return x[:, -1]


def receptive_field(kernel, dilations):
    """How many positions the output of a stack of causal convolutions sees, itself among them.

    Every layer has the same kernel, and a dilation of the list.
    """
    return 1 + sum((kernel - 1) * dilation for dilation in dilations)


def mu_law(x, mu):
    """Samples between -1 and 1 as integers from 0 to mu: a tensor of torch.int64 like x.

    f(x) = sign(x) · ln(1 + mu · |x|) / ln(1 + mu) lies between -1 and 1; that is brought to 0 … mu, and rounded by
    adding 0.5 and taking the floor.
    """
    f = x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
    return ((f + 1) / 2 * mu + 0.5).floor().long()


def mu_law_back(k, mu):
    """The samples for integers from 0 to mu: a float32 tensor like k, between -1 and 1."""
    f = 2 * k.float() / mu - 1
    return f.sign() * ((1 + mu) ** f.abs() - 1) / mu


def gated(a):
    """The gate: tanh of the first half of the channels times the sigmoid of the second. (n, T, 2h) to (n, T, h)."""
    what, how_much = a.chunk(2, -1)
    return torch.tanh(what) * torch.sigmoid(how_much)


def conditioned(a, speaker, V, local, U):
    """The gate of a layer that is told more: a (n, T, 2h) to (n, T, h).

    speaker (n, s) times V (s, 2h) is added at every position alike. local (n, Ty, c) times U (c, 2h) is added too,
    each of its positions at T / Ty neighbours. Then comes the gate. Either may be None, with its matrix: then it is
    left out.
    """
    if speaker is not None:
        a = a + (speaker @ V)[:, None]
    if local is not None:
        a = a + (local @ U).repeat_interleave(a.shape[1] // local.shape[1], 1)
    return gated(a)


def head(skips, Wa, Wb):
    """The paper's output: probabilities (n, T, V) from a list of skips (n, T, h), one for each layer.

    The sum of the skips, a ReLU, Wa (h, m), a ReLU, Wb (m, V), and the softmax at every position.
    """
    return F.softmax(sum(skips).relu().matmul(Wa).relu() @ Wb, -1)


def use_embedding(Embedding, table, ix):
    """The rows of a table for numbers of two shapes, and its parameters."""
    layer = Embedding(table * 2)
    return {"Embedding(W)(ix)": layer(ix), "of one axis": layer(ix[0]), "parameters()": list(layer.parameters())}


def use_smoothed(smoothed, losses, T):
    return calls("smoothed", smoothed, (losses, T), (losses, 5), (losses[:8], 1))


def use_flat_count(flat_count, n, T, c, V):
    return calls("flat_count", flat_count, (27, 10, 200, 8), (27, 10, 200, 3), (V, c, T, n))


def use_dilated(dilated, x, weights):
    """One convolution, with several dilations."""
    W = [w.clone() for w in weights[0]]
    return {f"dilated(…, {by})": dilated(x.clone(), *W, by) for by in (1, 2, 3, x.shape[1] + 1)}


def use_tree_and_convolution(dilated, by_tree, by_convolution, x, weights):
    """The tree and the convolution, of as many levels as halve the context."""
    found = {}
    for many in (len(weights), 1):
        part = x[:, -(2**many) :].clone()
        found[f"by_tree of {many} levels"] = by_tree(part, [tuple(level) for level in weights[:many]])
        found[f"by_convolution of {many} levels"] = by_convolution(part.clone(), [tuple(w) for w in weights[:many]])
    found["by_convolution of a longer text"] = by_convolution(torch.cat([x[:, -1:], x], 1), list(weights))
    return found


def use_receptive_field(receptive_field, dilations):
    return calls("receptive_field", receptive_field, *((kernel, some) for some in dilations for kernel in (2, 3)))


def use_mu_law(mu_law, sound):
    found = {f"mu_law(x, {mu})": mu_law(sound.clone(), mu) for mu in (255, 15, 5, 2)}
    return found | {"mu_law of softer sound": mu_law(sound / 3, 255)}


def use_mu_law_back(mu_law_back, V):
    some = {255: torch.tensor([0, 1, 100, 127, 128, 255, 10 * V]), 15: torch.arange(16)}
    found = {f"mu_law_back(k, {mu})": mu_law_back(k.clone(), mu) for mu, k in some.items()}
    return {**found, "their type": str(mu_law_back(some[15].clone(), 15).dtype)}


def use_gated(gated, both):
    return {"gated(a)": gated(both.clone()), "gated(3 a), two channels": gated(3 * both[..., :2])}


def use_conditioned(conditioned, both, speaker, Vs, local, Us):
    """The gate with both conditions, with each of them, and with neither."""
    cases = {
        "both": (speaker, Vs, local, Us),
        "the speaker alone": (speaker, Vs, None, None),
        "the local one alone": (None, None, local, Us),
        "one position of local": (None, None, local[:, :1], Us),
        "neither": (None, None, None, None),
    }
    return {
        f"conditioned by {said}": conditioned(both.clone(), *(one if one is None else one.clone() for one in case))
        for said, case in cases.items()
    }


def use_head(head, skips, Wa, Wb):
    """The probabilities from all skips, and from one."""
    own = [skip.clone() for skip in skips]
    return {"head(skips, Wa, Wb)": head(own, Wa.clone(), Wb.clone()), "of one": head(own[:1], Wa.clone(), Wb.clone())}
