"""From gradients to a step: clipping, decay groups, learning rate, AdamW.

The optimiser of GPT-2 does four things with a gradient. It clips the whole of it, all tensors together,
to a greatest length. It pulls matrices towards zero a little, but neither biases nor gains. It scales the
step by a learning rate that rises in a straight line and falls along half a cosine. And it divides each
number's step by how large its gradients have been of late. Each item gives values, which are compared
with what they should be.
"""

import math

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, rows=4, C=3, warmup=715, last=19073),
    "probe-1": dict(seed=1, rows=4, C=3, warmup=10, last=50),
    "probe-2": dict(seed=2, rows=2, C=5, warmup=8, last=31),
    "probe-3": dict(seed=3, rows=6, C=2, warmup=4, last=90),
}
OUTPUTS = {
    "norm": "approximate",
    "clipped": "approximate",
    "groups": "exact",
    "rate": "approximate",
    "adamw": "approximate",
}
HINTS = {
    "norm": {
        "shapes": "grads is a list of tensors of any shapes. norm returns a number, or a tensor of no axes.",
        "concept": "All tensors count as one long vector. So squares are added over all tensors first, and the root is taken once, "
        "at the end: not a sum of the tensors' own norms.",
        "example": """
    >>> norm([torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])])
""",
        "formula": "√(Σ g²), the sum over every number of every tensor.",
    },
    "clipped": {
        "concept": "One factor for all tensors keeps the direction of the whole. It only shortens: where the length is small enough "
        "already, the factor is 1.",
        "shapes": "grads is a list of tensors of any shapes, most a float. clipped returns a list of tensors of the same shapes.",
        "example": """
    >>> clipped([torch.tensor([3.0]), torch.tensor([4.0])], 1.0)
    >>> clipped([torch.tensor([3.0]), torch.tensor([4.0])], 10.0)
""",
        "formula": "factor = the smaller of 1 and most / (length + 1e-6), with the length over all tensors; each tensor times it.",
    },
    "groups": {
        "concept": "How many axes a parameter has decides, not what it is called nor how many numbers it holds.",
        "example": """
    >>> groups({"ln.weight": torch.ones(3), "fc.weight": torch.ones(3, 3), "fc.bias": torch.ones(3)})
""",
        "formula": "First list: the names of tensors with two axes or more; second list: the others. Both in the dict's order.",
    },
    "rate": {
        "concept": "Three pieces: a straight line up, half a cosine down, constant after that. The first step already has a rate above "
        "0, and the last step of the warmup has the full one.",
        "shapes": "step, warmup and last are integers, high and low floats. rate returns a float.",
        "example": """
    >>> [rate(step, 2, 6, 1.0, 0.1) for step in range(8)]
""",
        "formula": "step < warmup: high · (step + 1)/warmup. step > last: low. Else, with s = (step − warmup)/(last − warmup): low + ½ · "
        "(1 + cos(π·s)) · (high − low).",
    },
    "adamw": {
        "concept": "m is a running mean of the gradient, v of its square. Both began at 0, so early on they are too small, by the "
        "weight that has been gathered so far: divide by that for the step only. The decay is apart from all that.",
        "shapes": "p, grad, m and v are float tensors of one shape, t an integer from 1 on, lr and decay floats. adamw returns a tuple "
        "of three tensors of that shape.",
        "example": """
    >>> p, zero = torch.tensor([1.0, 1.0]), torch.zeros(2)
    >>> adamw(p, torch.tensor([2.0, -0.5]), zero, zero, 1, 0.1, 0.0)
    >>> adamw(p, torch.tensor([0.0, 0.0]), zero, zero, 1, 0.1, 0.5)
""",
        "formula": "m ← 0.9·m + 0.1·g; v ← 0.95·v + 0.05·g²; p ← p − lr·decay·p − lr · (m/(1 − 0.9^t)) / (√(v/(1 − 0.95^t)) + 1e-8), with p "
        "on the right as it was before. Return p, m, v.",
    },
}


def inputs(g, rows, C, warmup, last):
    """Parameters by name, three gradients for a matrix, and what the optimiser is set to."""
    names = ["wte", "lnf.weight", "lnf.bias", "mlp.weight", "mlp.bias", "attn.weight", "a", "b.c", "ln.gain", "scale", "gate"]
    sizes = [(rows, C), (C,), (C,), (C, rows), (rows,), (C, C), (2, C, 2), (), (1, C), (1,), (1, 1)]
    order = torch.randperm(len(names), generator=g).tolist()
    other = torch.randperm(len(names), generator=g).tolist()
    small = torch.ones(C)
    small[0] = 1e-8  # a column whose gradients are as small as the 1e-8 of AdamW
    return {
        "named": {names[k]: torch.randn(sizes[k], generator=g) for k in order},
        "swapped": {names[k]: torch.randn(sizes[j], generator=g) for k, j in zip(order, other)},
        "grads": [by * torch.randn(size, generator=g) for size, by in (((rows, C), 1), ((C,), 3), ((1,), 1))],
        "p": torch.randn((rows, C), generator=g),
        "steps": [torch.randn((rows, C), generator=g) * small for _ in range(3)],
        "lr": float(torch.rand(1, generator=g)) * 0.05 + 0.01,
        "decay": float(torch.rand(1, generator=g)) * 0.2 + 0.02,
        "most": float(torch.rand(1, generator=g)) + 0.25,
        "high": [6e-4, *(1e-3 * (1 + torch.rand(2, generator=g))).tolist()],
        "low": [6e-5, *(1e-4 * (1 + torch.rand(2, generator=g))).tolist()],
    }


def norm(grads):
    """The length of a whole gradient, a number or a tensor of no axes, from a list of tensors of any shapes.

    As if all their numbers stood in one long vector: the root of the sum of all squares.
    """
    return sum((grad**2).sum() for grad in grads) ** 0.5


def clipped(grads, most):
    """The list of tensors `grads`, scaled by one common factor so that its length is at most `most`.

    The factor is most / (length + 1e-6), and never greater than 1: a short gradient stays as it is.
    """
    length = sum((grad**2).sum() for grad in grads) ** 0.5
    factor = min(1.0, float(most / (length + 1e-6)))
    return [grad * factor for grad in grads]


def use_clipped(clipped, grads, most):
    # Every call has tensors of its own: they may be scaled in place.
    found = {}
    for by in (1.0, most, 1000.0 * most):
        found[f"clipped(grads, {by:.6g})"] = clipped([grad.clone() for grad in grads], by)
    tiny = clipped([grad * 1e-6 for grad in grads], 1e-6)  # here the 1e-6 can be seen
    return {**found, "clipped(grads · 1e-6, 1e-6) · 1e6": [grad * 1e6 for grad in tiny]}


def groups(named):
    """Which parameters decay, and which do not: two lists of names, in the order of the dict `named`.

    What has two axes or more decays: the matrices and the embeddings. Biases and gains do not.
    """
    decay = [name for name, p in named.items() if p.ndim >= 2]
    rest = [name for name, p in named.items() if p.ndim < 2]
    return decay, rest


def use_groups(groups, named, swapped):
    """Which parameters decay, and which do not: two lists of names, in the order of the dict `named`.

    What has two axes or more decays: the matrices and the embeddings. Biases and gains do not. Names don't count.
    """
    found = {}
    for some in (named, swapped):
        axes = ", ".join(f"{name}: {p.ndim}" for name, p in some.items())
        found[f"groups of parameters with axes {axes}"] = groups({k: p.clone() for k, p in some.items()})
    return found


def rate(step, warmup, last, high, low):
    """The learning rate at a step, counted from 0.

    Before `warmup` it rises in a straight line: high / warmup at step 0, high at step warmup - 1. It is `high`
    again at step warmup, where half a cosine begins, along which it falls to `low` at step `last`. After `last` it
    stays at `low`. This is build-nanogpt's get_lr, with what that takes from outside as arguments.
    """
    if step < warmup:
        return high * (step + 1) / warmup
    if step > last:
        return low
    done = (step - warmup) / (last - warmup)
    return low + 0.5 * (1.0 + math.cos(math.pi * done)) * (high - low)


def use_rate(rate, warmup, last, high, low):
    some = [0, 1, warmup - 1, warmup, warmup + 1, warmup + 3, (warmup + last) // 2, last - 1, last, last + 1, last + 7]
    cases = [(step, warmup, last, high[0], low[0]) for step in some]
    cases += [(step, warmup + 3, last + 9, high[1], low[1]) for step in some[1::3]]
    return calls("rate", rate, *cases, (5, 4, 11, high[2], low[2]))


def adamw(p, grad, m, v, t, lr, decay):
    """One step of AdamW: the new p, m and v, as a tuple. t counts the steps from 1.

    m and v are running means of the gradient and of its square, with 0.9 and 0.95 of the old value kept. Both
    began at zero, so the weights in them add up to 1 - 0.9**t and 1 - 0.95**t only: divide by that for the step,
    lr * m / (v**0.5 + 1e-8), and give m and v back undivided. Apart from the step p shrinks by lr * decay * p, of
    p as it was before it.
    """
    m = 0.9 * m + (1 - 0.9) * grad
    v = 0.95 * v + (1 - 0.95) * grad**2
    mhat = m / (1 - 0.9**t)
    vhat = v / (1 - 0.95**t)
    p = p * (1 - lr * decay) - lr * mhat / (vhat**0.5 + 1e-8)
    return p, m, v


def use_adamw(adamw, p, steps, lr, decay):
    found = {}
    for first, by in ((1, decay), (9, 0.0)):
        m, v, now = torch.zeros_like(p), torch.zeros_like(p), p
        for t, grad in enumerate(steps, first):
            now, m, v = adamw(now.clone(), grad.clone(), m.clone(), v.clone(), t, lr / first, by)
            said = f"adamw(p, grad, m, v, {t}, {lr / first:.6g}, {by:.6g})"
            found[said] = {"p": now, "m": m, "v": v}
    return found
