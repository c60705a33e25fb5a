"""From gradients to a step: clipping, decay groups, learning rate, AdamW.

The optimiser of GPT-2 does four things with a gradient. It clips the whole of it, all tensors together,
to a greatest length. It pulls matrices towards zero a little, but neither biases nor gains. It scales the
step by a learning rate that rises in a straight line and falls along half a cosine. And it divides each
number's step by how large its gradients have been of late. Each item gives values, which are compared
with what they should be.
"""

import math

import torch

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


def inputs(g, rows, C, warmup, last):
    """Parameters by name, three gradients for a matrix, and what the optimiser is set to."""
    names = ["wte", "lnf.weight", "lnf.bias", "mlp.weight", "mlp.bias", "attn.weight"]
    sizes = [(rows, C), (C,), (C,), (C, rows), (rows,), (C, C)]
    order = torch.randperm(len(names), generator=g).tolist()
    small = torch.ones(C)
    small[0] = 1e-8  # a column whose gradients are as small as the 1e-8 of AdamW
    return {
        "named": {names[k]: torch.randn(sizes[k], generator=g) for k in order},
        "grads": [torch.randn(size, generator=g) for size in ((rows, C), (C,), (1,))],
        "p": torch.randn((rows, C), generator=g),
        "steps": [torch.randn((rows, C), generator=g) * small for _ in range(3)],
        "lr": float(torch.rand(1, generator=g)) * 0.05 + 0.01,
    }


def norm(grads):
    """The length of a whole gradient: a number, from a list of tensors of any shapes.

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


def use_clipped(clipped, grads):
    # Every call has tensors of its own: they may be scaled in place.
    long, short = (clipped([grad.clone() for grad in grads], most) for most in (1.0, 1000.0))
    tiny = clipped([grad * 1e-6 for grad in grads], 1e-6)  # here the 1e-6 can be seen
    return long, short, [grad * 1e6 for grad in tiny]


def groups(named):
    """Which parameters decay, and which do not: two lists of names, in the order of the dict `named`.

    What has two axes or more decays: the matrices and the embeddings. Biases and gains do not.
    """
    decay = [name for name, p in named.items() if p.ndim >= 2]
    rest = [name for name, p in named.items() if p.ndim < 2]
    return decay, rest


def rate(step, warmup, last, high, low):
    """The learning rate at a step, counted from 0.

    Before `warmup` it rises in a straight line: high / warmup at step 0, high at step warmup - 1. From
    there to the step `last` it falls from high to low along half a cosine. After `last` it stays at low.
    """
    if step < warmup:
        return high * (step + 1) / warmup
    if step > last:
        return low
    done = (step - warmup) / (last - warmup)
    return low + 0.5 * (1.0 + math.cos(math.pi * done)) * (high - low)


def use_rate(rate, warmup, last):
    some = [0, 1, warmup - 1, warmup, warmup + 1, warmup + 3, (warmup + last) // 2, last - 1, last, last + 7]
    return [rate(step, warmup, last, 6e-4, 6e-5) for step in some]


def adamw(p, grad, m, v, t, lr, decay):
    """One step of AdamW: the new p, m and v, as a tuple. t counts the steps from 1.

    m and v are running means of the gradient and of its square, with 0.9 and 0.95 of the old value kept. Both
    began at zero, so they are divided by what they lack: 1 - 0.9**t and 1 - 0.95**t. The step is
    lr * m / (v**0.5 + 1e-8) with these; and p loses lr * decay of itself, apart from all that.
    """
    m = 0.9 * m + (1 - 0.9) * grad
    v = 0.95 * v + (1 - 0.95) * grad**2
    mhat = m / (1 - 0.9**t)
    vhat = v / (1 - 0.95**t)
    p = p * (1 - lr * decay) - lr * mhat / (vhat**0.5 + 1e-8)
    return p, m, v


def use_adamw(adamw, p, steps, lr):
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    seen = []
    for t, grad in enumerate(steps, 1):
        p, m, v = adamw(p.clone(), grad.clone(), m.clone(), v.clone(), t, lr, 0.1)
        seen.append(p)
    return seen, m, v
