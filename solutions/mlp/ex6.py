"""Around the embedding MLP: memory, training, perplexity, and Bengio's own network.

A view moves nothing: a tensor is a line of numbers in memory, and its shape and strides say how to walk through them.
The training loop is what the lecture runs most: minibatches, a rate that was read off a curve, one batch learnt by
heart to see that the loop works, and the losses of the splits, which tell whether it learnt more than that. And the
paper that the lecture follows has one more connection, straight from the embeddings to the logits.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=2147483647, n=8, block_size=3, vocab_size=11, n_embd=2, n_hidden=7),
    "probe-1": dict(seed=1, n=8, block_size=3, vocab_size=11, n_embd=2, n_hidden=7),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=9, n_embd=5, n_hidden=6),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}
OUTPUTS = {
    "strides": "exact",
    "place": "exact",
    "shared": "exact",
    "train": "approximate",
    "overfit": "approximate",
    "split_losses": "approximate",
    "best_rate": "exact",
    "perplexity": "approximate",
    "direct": "approximate",
    "bengio_count": "exact",
}
HINTS = {
    "strides": {
        "shapes": "shape is a tuple of integers, of any length; strides returns a tuple of as many.",
        "example": """
    >>> strides((3, 2))
    >>> strides((2, 3, 4))
""",
        "concept": "One step along the last axis is the next number in memory. One step along any other axis skips all that "
        "the axes after it hold.",
        "formula": "stride[k] = the product of the sizes after axis k; 1 for the last.",
    },
    "place": {
        "shapes": "offset is an integer, strides and index are tuples of integers of one length; place returns an integer.",
        "example": """
    >>> place(0, (2, 1), (1, 1))
    >>> place(5, (1, 3), (2, 1))
""",
        "concept": "Each index is multiplied by how far a step along its axis goes, and the offset says where the tensor begins.",
        "formula": "offset + Σ index[k] · stride[k].",
    },
    "shared": {
        "example": """
    >>> x = torch.arange(6)
    >>> shared(x, x.view(2, 3)), shared(x, x.clone())
""",
        "concept": "A view reads the same memory under another shape, so that a change in one is seen in the other. cat and "
        "clone write new memory. What can't be walked with strides has to be copied.",
        "formula": "Compare untyped_storage().data_ptr() of the two.",
    },
    "train": {
        "example": """
    >>> def slope(network, X, Y):
    ...     return float(network["w"]), {"w": torch.tensor(1.0)}
    >>> train({"w": torch.tensor(2.0)}, torch.zeros(2, 1), torch.zeros(2), [torch.tensor([0]), torch.tensor([1])], slope, 0.5)
""",
        "concept": "Every step looks at a few examples only. Its loss is noisy, but its gradient is good enough, and there "
        "are many more steps in the same time.",
        "formula": "For each ix: the loss and the gradients of those rows of X and Y; each p becomes p − rate · its gradient.",
    },
    "overfit": {
        "example": """
    >>> def slope(network, X, Y):
    ...     return float(network["w"]), {"w": torch.tensor(1.0)}
    >>> overfit({"w": torch.tensor(2.0)}, torch.zeros(2, 1), torch.zeros(2), 2, slope, 0.5)
""",
        "concept": "If a network can't learn a single batch by heart, something is wrong with the loop and not with the data. "
        "The loss doesn't come to 0 where one context has several labels.",
        "formula": "The loop of train, on all of X and Y in each step; after the last step the loss once more, without a step.",
    },
    "split_losses": {
        "example": """
    >>> def forward(network, X):
    ...     return torch.zeros(len(X), 4)
    >>> split_losses({}, {"val": (torch.zeros(3, 1), torch.tensor([0, 1, 3]))}, forward)
""",
        "concept": "What the network was trained on it may have learnt by heart. Only examples that it has never seen tell "
        "how good it is; nothing is trained here.",
        "formula": "For each split the mean of minus the log probability of the labels over all of its examples.",
    },
    "best_rate": {
        "example": """
    >>> best_rate([0.1, 0.2, 0.4, 0.8, 1.6], [1.0, 5.0, 3.0, 2.0, 3.0], 1)
    >>> best_rate([0.1, 0.2, 0.4, 0.8, 1.6], [1.0, 5.0, 3.0, 2.0, 3.0], 3)
""",
        "concept": "With the rate growing from step to step the loss falls, is flat, and grows again. A single step's loss is "
        "noisy, so the curve is smoothed before its lowest place is looked for.",
        "formula": "With k the place at which the mean of losses[k] … losses[k + width − 1] is least: rates[k + width // 2].",
    },
    "perplexity": {
        "example": """
    >>> perplexity([0.0, 0.0])
    >>> perplexity([1.0, 3.0])
""",
        "concept": "A loss in nats is hard to imagine. Its exponential is a number of choices: a model with a perplexity of 27 "
        "is as unsure as one that considers 27 letters equally likely.",
        "formula": "exp of the mean of the losses.",
    },
    "direct": {
        "example": """
    >>> C = torch.tensor([[1.0], [2.0]])
    >>> direct(C, torch.tensor([[0, 1]]), torch.zeros(2, 3), torch.zeros(3), torch.ones(3, 2), torch.eye(2), torch.tensor([0.5, 0.0]))
""",
        "concept": "What is linear in the embeddings need not go through the hidden layer. The direct connections take it "
        "straight to the logits, where both ways are added.",
        "formula": "y = b + x W + tanh(d + x H) U, with x the context's embeddings side by side.",
    },
    "bengio_count": {
        "example": """
    >>> bengio_count(17000, 30, 50, 5, False)
    >>> bengio_count(10, 2, 3, 4, True)
""",
        "concept": "Count each matrix of the formula, and each bias. The table has a row for each word.",
        "formula": "V·m + n·m·h + h + h·V + V, and n·m·V more with direct connections.",
    },
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """Shapes, a small network of one layer, examples in three splits, a finder's curve, Bengio's matrices."""
    wide = block_size * n_embd

    def draw(*shape):
        return torch.randn(shape, generator=g)

    X = torch.randint(vocab_size, (n + 4, block_size), generator=g)
    Y = torch.randint(vocab_size, (n + 4,), generator=g)
    rates = [round(10 ** (-3 + 3 * k / 29), 6) for k in range(30)]
    low = 12 + n_embd
    losses = [2.0 + ((k - low) / 10) ** 2 + 0.3 * float(torch.rand(1, generator=g)) for k in range(30)]
    losses[2] = 1.9
    return dict(
        shapes=[(n,), (n, block_size), (2, n_embd, n_hidden), (3, 1, block_size, 2)],
        indices=[(3,), (n - 1, 1), (1, n_embd - 1, 4), (2, 0, 1, 1)],
        offsets=[0, n, 5, block_size],
        X=X,
        Y=Y,
        weights={"W": draw(block_size * vocab_size, vocab_size) * 0.5, "b": draw(vocab_size) * 0.1},
        batches=[torch.randint(n + 4, (5,), generator=g) for _ in range(4)],
        rate=0.3 + 0.1 * n_embd,
        rates=rates,
        losses=losses,
        C=draw(vocab_size, n_embd),
        H=draw(wide, n_hidden),
        d=draw(n_hidden),
        U=draw(n_hidden, vocab_size),
        W=draw(wide, vocab_size),
        b=draw(vocab_size),
    )


def strides(shape):
    """The strides of a tensor of this shape whose numbers lie in memory in order: a tuple.

    A stride is how many numbers further on the next one along that axis is. A shape (3, 2) has (2, 1).
    """
    found, step = [], 1
    for size in reversed(shape):
        found.append(step)
        step *= size
    return tuple(reversed(found))


def place(offset, strides, index):
    """Where in memory an entry lies: how many numbers after the first of its storage.

    The tensor begins at offset, has these strides, and `index` has one number for each axis.
    """
    return offset + sum(i * step for i, step in zip(index, strides))


def shared(a, b):
    """Whether two tensors lie in the same memory: True or False.

    As x and x.view(…) do, or two slices of one tensor, even if they have no number in common; torch.cat and clone make
    new memory.
    """
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def train(network, X, Y, batches, gradients, rate):
    """Train on minibatches; a pair (network, losses): the parameters afterwards, and the loss before each step.

    network is a dict from names to tensors, which are to stay as they are. batches has a tensor for each step: the
    positions of its examples in X and Y. gradients(network, Xb, Yb) gives (loss, grads): a float, and a dict like network.
    """
    losses = []
    for ix in batches:
        loss, grads = gradients(network, X[ix], Y[ix])
        losses.append(loss)
        network = {name: p - rate * grads[name] for name, p in network.items()}
    return network, losses


def overfit(network, X, Y, steps, gradients, rate):
    """Train on one batch, all of X and Y, again and again: the losses before each step and after the last.

    A list of steps + 1 floats. network and gradients are as in train.
    """
    network, losses = train(network, X, Y, [torch.arange(len(X))] * steps, gradients, rate)
    return [*losses, gradients(network, X, Y)[0]]


def split_losses(network, splits, forward):
    """The loss on each split: a dict like splits, from the split's name to a float.

    splits has a pair (X, Y) for each name; forward(network, X) gives logits, a row for each example. The loss is the
    mean cross entropy over all examples of the split.
    """
    found = {}
    for name, (X, Y) in splits.items():
        logprobs = forward(network, X).log_softmax(1)
        found[name] = -logprobs[torch.arange(len(Y)), Y].mean().item()
    return found


def best_rate(rates, losses, width):
    """The learning rate at the lowest place of a finder's curve: one of `rates`.

    Step k was taken with rates[k], and its loss was losses[k]. Smooth the losses first: average each window of `width`
    neighbours, width being odd. Of the window with the least average the rate in its middle is the answer.
    """
    smooth = [sum(losses[k : k + width]) / width for k in range(len(losses) - width + 1)]
    return rates[smooth.index(min(smooth)) + width // 2]


def perplexity(losses):
    """The perplexity of a model whose losses on some examples these are, a list of floats: a float.

    A model that considers 27 letters equally likely has log 27 for each, and a perplexity of 27.
    """
    mean = torch.tensor(losses, dtype=torch.float64).mean()
    return mean.exp().item()


def direct(C, X, H, d, U, W, b):
    """The logits of Bengio's network with direct connections: (n, V) for contexts X (n, block_size).

    In the paper y = b + W x + U tanh(d + H x), where x is the context's rows of C side by side. Here x is a row: H
    and W are (block_size · n_embd, …), U is (n_hidden, V).
    """
    x = C[X].view(len(X), -1)
    return b + x @ W + torch.tanh(d + x @ H) @ U


def bengio_count(V, m, h, n, connected):
    """How many numbers Bengio's network learns: V words with m features each, h hidden neurons, n words of context.

    With or without direct connections, as `connected` says; both biases and the table count. With 17000 words,
    m = 30, h = 50 and n = 5 it is 1,384,550 without them.
    """
    return V * m + n * m * h + h + h * V + V + (n * m * V if connected else 0)


def logits_of(network, X):
    """A network without a hidden layer: for each place of the context a row of W, added up."""
    V = len(network["b"])
    rows = X + V * torch.arange(X.shape[1])
    return network["W"][rows].sum(1) + network["b"]


def gradients_of(network, X, Y):
    """Its loss and its gradients."""
    V, n = len(network["b"]), len(Y)
    logprobs = logits_of(network, X).log_softmax(1)
    dlogits = logprobs.exp()
    dlogits[torch.arange(n), Y] -= 1
    dlogits /= n
    rows = (X + V * torch.arange(X.shape[1])).flatten()
    dW = torch.zeros_like(network["W"]).index_add_(0, rows, dlogits.repeat_interleave(X.shape[1], 0))
    return -logprobs[torch.arange(n), Y].mean().item(), {"W": dW, "b": torch.ones(n) @ dlogits}


def copied(network):
    return {name: p.clone() for name, p in network.items()}


def use_strides(strides, shapes):
    return calls("strides", strides, *((shape,) for shape in shapes), ((3, 2),), ((),), ((2, 3, 1, 4, 5),))


def use_place(place, shapes, indices, offsets):
    """Where entries of several tensors lie, also of a transposed one, and of one that goes in steps of two."""
    cases = []
    for offset, shape, index in zip(offsets, shapes, indices):
        steps = [1]
        for size in reversed(shape[1:]):
            steps.insert(0, steps[0] * size)
        cases += [(offset, tuple(steps), index), (offset + 2, tuple(steps[::-1]), index[::-1])]
    return calls("place", place, *cases, (1, (2,), (4,)))


def use_shared(shared, C, X):
    """Whether some tensors share memory with the one that they were made from."""
    made = {
        "C.view(-1)": C.view(-1),
        "C[1:]": C[1:],
        "C.T": C.T,
        "C[:, None]": C[:, None],
        "C.clone()": C.clone(),
        "torch.cat([C, C])": torch.cat([C, C]),
        "C.T.reshape(-1)": C.T.reshape(-1),
        "C.reshape(-1)": C.reshape(-1),
        "C[X]": C[X],
        "C + 0": C + 0,
        "2 * C": 2 * C,
    }
    return {f"shared(C, {said})": shared(C, one) for said, one in made.items()}


def use_train(train, weights, X, Y, batches, rate):
    """Some steps of training on minibatches: the losses, the parameters afterwards, and those that were given."""
    found = {}
    for some, by in ((batches, rate), (batches[1:3], rate / 2)):
        given = copied(weights)
        said = f"train(network, X, Y, {[ix.tolist() for ix in some]}, gradients, {by:.6g})"
        network, losses = train(given, X.clone(), Y.clone(), [ix.clone() for ix in some], gradients_of, by)
        found[said] = {"losses": [float(loss) for loss in losses], "network": dict(network), "given": given}
    return found


def use_overfit(overfit, weights, X, Y, rate):
    """One batch learnt by heart: the losses."""
    found = {}
    for steps, by, n in ((6, rate * 4, 5), (3, rate, len(X))):
        losses = overfit(copied(weights), X[:n].clone(), Y[:n].clone(), steps, gradients_of, by)
        found[f"overfit(network, X[:{n}], Y[:{n}], {steps}, gradients, {by:.6g})"] = [float(x) for x in losses]
    return found


def use_split_losses(split_losses, weights, X, Y):
    """The losses of three splits, of different sizes."""
    half = len(X) // 2
    rest = half + max(1, len(X) // 4)
    splits = {"train": (X[:half], Y[:half]), "val": (X[half:rest], Y[half:rest]), "test": (X[rest:], Y[rest:])}
    large = {name: 40 * p for name, p in weights.items()}
    return {
        "split_losses(network, splits, forward)": split_losses(copied(weights), dict(splits), logits_of),
        "of weights 40 times as large": split_losses(large, {"val": splits["val"]}, logits_of),
    }


def use_best_rate(best_rate, rates, losses):
    """The best rate of a curve, smoothed by several widths, and of one whose lowest place is at its end."""
    falling = [3 - k / 20 for k in range(len(losses))]
    return {
        f"best_rate(rates, {said}, {width})": best_rate(list(rates), list(some), width)
        for said, some in (("losses", losses), ("the losses backwards", losses[::-1]), ("falling losses", falling))
        for width in (1, 5, 9)
    }


def use_perplexity(perplexity, losses):
    return calls("perplexity", perplexity, (losses,), (losses[:3],), ([3.295836866004329] * 4,), ([0.0],))


def use_direct(direct, C, X, H, d, U, W, b):
    """The logits of Bengio's network, for all contexts and for one."""
    some = {"": X, " of one context": X[:1]}
    return {
        f"direct(C, X, H, d, U, W, b){said}": direct(*(t.clone() for t in (C, x, H, d, U, W, b)))
        for said, x in some.items()
    }


def use_bengio_count(bengio_count, C, H):
    (V, m), (wide, h) = C.shape, H.shape
    own = (V, m, h, wide // m)
    cases = [(17000, 30, 50, 5, False), (17000, 30, 100, 5, True), (*own, True), (*own, False)]
    return calls("bengio_count", bengio_count, *cases)
