"""Around the model: its size, its start, its data, its many machines.

What is left of GPT-2 is arithmetic that must be right before a long run is worth starting: how many
numbers there are to learn, how large they are at the start, how many micro-batches make a batch, which
tokens which process reads, what the processes agree upon. And once more the softmax in pieces, this time
its values.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, V=50257, max_T=1024, C=768, L=12, B=2, T=3, world=2, length=48),
    "probe-1": dict(seed=1, V=300, max_T=64, C=32, L=3, B=2, T=3, world=2, length=43),
    "probe-2": dict(seed=2, V=500, max_T=128, C=48, L=5, B=1, T=4, world=3, length=45),
    "probe-3": dict(seed=3, V=90, max_T=16, C=20, L=2, B=3, T=2, world=1, length=25),
}
OUTPUTS = {
    "count": "exact",
    "std": "approximate",
    "micro_steps": "exact",
    "loader": "exact",
    "averaged": "approximate",
    "online": "approximate",
}
HINTS = {
    "count": {
        "concept": "Add up the parts: two embeddings, L equal blocks, one LayerNorm. Linear layers have a bias for each output, "
        "LayerNorms a gain and a bias for each channel. The head shares the token embedding's numbers.",
        "example": """
    >>> count(50257, 1024, 768, 12)
    >>> count(5, 3, 2, 1)
""",
        "formula": "V·C + max_T·C + L·(weights 3C² + C² + 4C² + 4C², biases 3C + C + 4C + C, two LayerNorms 4C) + 2C.",
    },
    "std": {
        "concept": "Every block adds twice to the residual stream. 2L additions of spread s have a spread of s·√(2L), so those that add "
        "start smaller by that root.",
        "shapes": "name is a string, L an integer. std returns a float.",
        "example": """
    >>> std("wte.weight", 2), std("h.0.mlp.proj.weight", 2), std("h.0.mlp.proj.bias", 2)
""",
        "formula": "0 for a bias, whatever else its name holds; 0.02/√(2L) for a weight with 'proj' in its name; 0.02 for others.",
    },
    "micro_steps": {
        "concept": "In one round all processes together read world times B rows of T tokens. How many rounds make the batch?",
        "example": """
    >>> micro_steps(524288, 16, 1024, 8)
    >>> micro_steps(48, 2, 3, 2)
""",
        "formula": "total over B·T·world, as an integer.",
    },
    "loader": {
        "concept": "Think of one round: process 0 reads the first B·T tokens of it, process 1 the next, and so on. Then all move on by a "
        "whole round. A process must know when the next round, with one more token for the last label, is too long for the list.",
        "shapes": "tokens is a list of integers; B, T, rank and world are integers. batch() returns a tuple of two lists, each of B lists "
        "of T integers.",
        "example": """
    >>> zero, one = Loader(list(range(9)), 1, 2, 0, 2), Loader(list(range(9)), 1, 2, 1, 2)
    >>> zero.batch(), one.batch()
    >>> zero.batch(), one.batch()
    >>> zero.batch(), one.batch()
""",
        "formula": "Begin at B·T·rank. A batch: x[b][t] = tokens[at + b·T + t], y one further on. Then at += B·T·world; where a round from "
        "there, for all processes and one label more, is longer than the list, begin again at B·T·rank.",
    },
    "averaged": {
        "concept": "Each process has a gradient of its own part of the batch. The mean, not the sum: then the step does not depend on "
        "how many there are.",
        "example": """
    >>> averaged([[torch.tensor([1.0, 2.0]), torch.tensor([[0.0]])], [torch.tensor([3.0, 2.0]), torch.tensor([[4.0]])]])
""",
        "formula": "result[k] = (1/world) Σ_r ranks[r][k], tensor by tensor.",
    },
    "online": {
        "concept": "A softmax needs the maximum of all scores, but you see one block at a time. What you have summed so far is relative "
        "to the maximum so far: when a larger one comes, both sums shrink by the same factor.",
        "shapes": "scores is a float tensor (S,), values one of (S, C), block an integer. online returns a tensor (C,). No more than "
        "`block` scores may be read at once.",
        "example": """
    >>> scores, values = torch.tensor([0.0, 0.0, 800.0]), torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 1.0]])
    >>> online(scores[:2], values[:2], 1)
    >>> online(scores, values, 2)
""",
        "formula": "For each block, with M the larger of m and its maximum: total ← total · e^(m − M) + Σ e^(s − M), out ← out · e^(m − M) + Σ "
        "e^(s − M) · v, m ← M. At the end out / total. m begins at −∞, the sums at 0.",
    },
}


def inputs(g, V, max_T, C, L, B, T, world, length):
    """Tokens, gradients of several processes, names of parameters, scores near 0 and far from it, values."""
    keys = 5 + 2 * B + T
    rising = torch.arange(keys) * 0.5
    bases = (rising, rising + 800, rising - 800, -400 * rising, 400 * rising)
    layer = int(torch.randint(L, (1,), generator=g))
    parts = ["attn.qkv", "attn.proj", "mlp.fc", "mlp.proj", "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]
    names = ["wte.weight", "wpe.weight", "head.weight", "pos.weight", "attn.proj.weight", "mlp.proj.bias"]
    names += [f"h.{layer}.{part}.{kind}" for part in parts for kind in ("weight", "bias")]
    order = torch.randperm(len(names), generator=g).tolist()
    return {
        "tokens": torch.randint(0, 90, (length,), generator=g).tolist(),
        "ranks": [[torch.randn(4, generator=g), torch.randn((2, 3), generator=g)] for _ in range(world + 1)],
        "scores": [torch.randn(keys, generator=g) * 4 + base for base in bases],
        "names": [names[k] for k in order],
        "values": torch.randn((keys, 3), generator=g),
        "block": B + 1,
        "total": B * T * world * (L + 4),
    }


def count(V, max_T, C, L):
    """How many numbers a GPT-2 of L blocks and C channels has to learn. V tokens, max_T positions.

    The head is the token embedding again, so it counts once. A block has two LayerNorms, and linear
    layers from C to 3C, C to C, C to 4C and 4C to C, all with biases; after the last block comes one more
    LayerNorm.
    """
    linear = C * 3 * C + 3 * C + C * C + C + C * 4 * C + 4 * C + 4 * C * C + C
    return V * C + max_T * C + L * (linear + 4 * C) + 2 * C


def std(name, L):
    """The standard deviation with which a parameter of a GPT-2 of L blocks starts. 0.0 for biases.

    It is 0.02, but what adds to the residual stream, the weights whose name holds "proj", starts smaller:
    0.02·(2L)**-0.5, since every block adds twice. Names are like "wte.weight", "h.3.attn.qkv.weight",
    "mlp.proj.weight" and, of a bias, "mlp.proj.bias". LayerNorm gains, which start at 1, are not asked for.
    """
    start = 0.0 if name.endswith("bias") else 0.02
    return start * (2 * L) ** -0.5 if "proj" in name else start


def use_std(std, names, L):
    return calls("std", std, *((name, L) for name in names), ("mlp.proj.weight", L + 3))


def micro_steps(total, B, T, world):
    """How many micro-batches each process runs for a batch of `total` tokens, an integer.

    Each of `world` processes handles B rows of T tokens at a time.
    """
    return total // (B * T * world)


class Loader:
    """Batches from one long list of tokens, for one of several processes.

    Process `rank` of `world` begins B * T * rank tokens into the list; after each batch all of them move
    on by B * T * world, so that no two read the same tokens. Where the next batch of all of them, and the
    label of its last token, would not fit any more, all begin again: with B = T = 1, two processes and tokens 0
    to 4, process 0 reads 0, 2, 0, 2 … and process 1 reads 1, 3, 1, 3 …. build-nanogpt's DataLoaderLite, whose
    processes begin again each for itself, passes too: no list here has a length at which the two differ.
    """

    def __init__(self, tokens, B, T, rank, world):
        """Keep what is needed, and take the place to begin at."""
        self.tokens, self.B, self.T = tokens, B, T
        self.rank, self.world = rank, world
        self.at = B * T * rank

    def batch(self):
        """The next batch, (x, y): B lists of T tokens each, and the tokens that follow them."""
        B, T = self.B, self.T
        piece = self.tokens[self.at :]
        x = [piece[row * T : row * T + T] for row in range(B)]
        y = [piece[row * T + 1 : row * T + T + 1] for row in range(B)]
        self.at += B * T * self.world
        if self.at + B * T * (self.world - self.rank) >= len(self.tokens):
            self.at = B * T * self.rank
        return x, y


def use_loader(Loader, tokens, B, T, world):
    """A class that gives batches from one long list of tokens, for one of several processes.

    It is asked for the first nine batches of every process.
    """
    read = {}
    for rank in range(world):
        loader = Loader(list(tokens), B, T, rank, world)
        for k in range(1, 10):
            read[f"Loader(tokens, {B}, {T}, {rank}, {world}), batch {k}"] = loader.batch()
    return read


def averaged(ranks):
    """The gradients that all processes go on with: a list of tensors, the mean over the processes.

    `ranks` has a list of tensors for each process, in the same order everywhere.
    """
    return [sum(same) / len(ranks) for same in zip(*ranks, strict=True)]


def online(scores, values, block):
    """The average of `values` by the softmax of `scores`, read in blocks of `block` scores.

    scores is (S,), values (S, C); the last block may be shorter. No more than `block` scores may be read at
    once. Keep the maximum so far, the sum of exponentials and the sum of values relative to it; scale both sums
    down when a greater maximum comes.
    """
    high = torch.tensor(float("-inf"))
    total = torch.zeros(())
    out = torch.zeros(values.shape[1])
    for at in range(0, len(scores), block):
        part = scores[at : at + block]
        new = torch.maximum(high, part.max())
        weights = (part - new).exp()
        total = total * (high - new).exp() + weights.sum()
        out = out * (high - new).exp() + weights @ values[at : at + block]
        high = new
    return out / total


class Long(torch.Tensor):
    """A tensor too long to be worked on at once: parts of it may be taken, and what has `block` rows be read."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        passed = (*args, *(kwargs or {}).values())
        flat = [y for x in passed for y in (x if isinstance(x, (list, tuple)) else [x])]
        parts, name = [x for x in flat if isinstance(x, cls)], function.__name__
        with torch._C.DisableTorchFunctionSubclass():
            long = next((x for x in parts if x.numel() > x.block * x.width), None)
            joins = name in ("cat", "concat", "concatenate", "stack", "hstack", "vstack")
            rows = sum(x.numel() // x.width for x in parts) if joins else 0
            reads = long is not None and name in ("tolist", "numpy", "__array__")
            if not parts or reads or rows > parts[0].block + 1:
                raise RuntimeError(f"more scores than a block are read at once, by {name}")
            out = function(*args, **(kwargs or {}))
            several = isinstance(out, (tuple, list)) and not isinstance(out, torch.Size)
            of = parts[0] if long is None else long
            wrapped = [cls.part(x, of, name) for x in (out if several else (out,))]
        return tuple(wrapped) if several else wrapped[0]

    @classmethod
    def part(cls, x, of, name):
        """What a function gave: it knows that it is a part of a long one, and is no copy of more than a block."""
        if not isinstance(x, torch.Tensor):
            return x
        own = x.untyped_storage().data_ptr() == of.untyped_storage().data_ptr()
        copied = name.startswith("new_") or name.endswith("_like") or name in ("clone", "contiguous", "__deepcopy__")
        if of.numel() > of.block * of.width and not (own or copied):
            raise RuntimeError(f"more than {of.block} scores are read at once, by {name}")
        whole = copied and x.numel() > of.block * of.width
        return cls.limited(x, of.block, of.width) if own or whole else x.as_subclass(torch.Tensor)

    @classmethod
    def limited(cls, x, block, width):
        """x as one of which no more than `block` rows, of `width` numbers each, may be read at once."""
        long = x.as_subclass(cls)
        long.block, long.width = block, width
        return long


def use_online(online, scores, values, block):
    """The average of `values` by the softmax of the scores, read in blocks: more at once is refused.

    Asked for scores near 0, near 800 and near -800, where exponentials are infinite, or all of them 0; and
    for scores that fall or rise far. They are in double precision.
    """
    found = {}
    for said, one in zip(("near 0", "near 800", "near -800", "that fall far", "that rise far"), scores):
        for by in (block, block + 2):
            long = Long.limited(one.double(), by, 1), Long.limited(values.double(), by, values.shape[1])
            found[f"online(scores {said}, values, {by})"] = online(*long, by).as_subclass(torch.Tensor).float()
    return found
