"""What pictures are made from: functions that get a learner's own and give plain data, by the picture's name.

In a report they run as drivers, in the process of the submission, which gets this file's text: so it
imports nothing of ours. `grader train` calls them too. `reports/pictures/kinds.py` says what each is given.
"""

from inspect import signature
from typing import Any

import torch
import torch.nn.functional as F

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXT = "the cat sat on the mat: that fat cat ate, and then sat. the rat ran at the cat, the cat at the rat."
MERGES = 12
CHARS = sorted(set(TEXT))


def graph(trace: Any, Value: Any) -> Any:
    """The lecture's expression L = (a·b + c)·f, as `trace` finds it, after backward."""
    a, b, c, f = (Value(x) for x in (2.0, -3.0, 10.0, -2.0))
    e = a * b
    d = e + c
    L = d * f
    L.backward()
    found, edges = trace(L)
    return nodes(L, {id(v): n for v, n in zip((a, b, c, f, e, d, L), "abcfedL", strict=True)}, found, edges)


def neuron(Value: Any) -> Any:
    """The lecture's neuron, o = tanh(x1·w1 + x2·w2 + b), after backward."""
    x1, x2, w1, w2, b = (Value(x) for x in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    first, second = x1 * w1, x2 * w2
    both = first + second
    n = both + b
    o = n.tanh()
    o.backward()
    named = {
        "x1": x1,
        "x2": x2,
        "w1": w1,
        "w2": w2,
        "b": b,
        "x1·w1": first,
        "x2·w2": second,
        "sum": both,
        "n": n,
        "o": o,
    }
    return nodes(o, {id(v): name for name, v in named.items()})


def nodes(root: Any, names: Any, known: Any = None, edges: Any = None) -> Any:
    """Nodes in an order that has parts first; by what each was made from, or by the edges that are told."""
    order, seen = list[Any](), set[int]()

    def parts(node: Any) -> Any:
        if edges is not None:
            return [child for child, made in edges if made is node]
        return list(node._prev if hasattr(node, "_prev") and not hasattr(node, "children") else node.children)

    def visit(node: Any) -> Any:
        if id(node) not in seen:
            seen.add(id(node))
            for part in parts(node):
                visit(part)
            order.append(node)

    visit(root)
    order = [node for node in order if known is None or node in known]
    place = {id(node): k for k, node in enumerate(order)}
    return {
        "nodes": [
            {
                "label": names.get(id(node), "") or str(getattr(node, "label", "")),
                "op": str(getattr(node, "op", getattr(node, "_op", ""))),
                "data": float(node.data),
                "grad": float(node.grad),
                "parts": [place[id(part)] for part in parts(node) if id(part) in place],
            }
            for node in order
        ]
    }


def counts(counts: Any, words: Any, chars: Any) -> Any:
    """How often each letter follows each, as the learner's function counts them."""
    return {"N": counts(list(words), chars).tolist(), "itos": list(chars)}


def dead(dead: Any, h: Any, limit: Any) -> Any:
    """Which neurons are saturated for which example: `dead` asked of one example at a time."""
    return {
        "h": [dead(row[None].clone(), limit).int().reshape(-1).tolist() for row in h],
        "limit": float(limit),
    }


def activations(Linear: Any, Tanh: Any) -> Any:
    """What each tanh of a stack of five layers gives: noise goes in, and weights have a gain of 5/3."""
    g = torch.Generator().manual_seed(2147483647)
    x, found = torch.randn(200, 100, generator=g), list[Any]()
    for k in range(5):
        x = Tanh()(Linear(5 / 3 * torch.randn(100, 100, generator=g), bias=False)(x))
        found.append(histogram(f"layer {k + 1}", x, -1.0, 1.0, 0.97))
    return {"layers": found}


def gradients(Linear: Any, Tanh: Any) -> Any:
    """The gradients at each tanh of that stack, of a cross entropy of 27 random labels, by the chain rule."""
    g = torch.Generator().manual_seed(2147483647)
    x, layers = torch.randn(200, 100, generator=g), list[Any]()
    for _ in range(5):
        linear = Linear(5 / 3 * torch.randn(100, 100, generator=g), bias=False)
        x = Tanh()(linear(x))
        layers.append((x, linear.parameters()[0]))
    last, labels = 0.1 * torch.randn(100, 27, generator=g), torch.randint(0, 27, (200,), generator=g)
    dx, made = ((x @ last).softmax(1) - F.one_hot(labels, 27)) / 200 @ last.T, list[Any]()
    for y, W in reversed(layers):
        made.insert(0, dx)
        dx = dx * (1 - y * y) @ W.T
    edge = 3 * max(t.std().item() for t in made)
    return {"layers": [histogram(f"layer {k + 1}", t, -edge, edge) for k, t in enumerate(made)]}


def updates(update_ratios: Any) -> Any:
    """How large the updates of a small network are, as the learner's function says, over 200 steps."""
    network, ud = start(), list[Any]()
    X, Y = contexts()
    for _ in range(200):
        _, grads = slopes(network, X, Y)
        ud.append([float(r) for r in update_ratios(list(network.values()), list(grads.values()), 0.1)])
        network = {name: p - 0.1 * grads[name] for name, p in network.items()}
    return {"ud": ud, "names": [name for name, p in network.items() if p.ndim == 2]}


def rates(train: Any, best_rate: Any) -> Any:
    """The search for a rate, on the contexts of a short text: each step at a higher one than the last."""
    exponents, losses = torch.linspace(-3, 0.5, 400), list[float]()
    network, (X, Y) = start(), contexts()
    for exponent in exponents.tolist():
        network, loss = train(network, X, Y, [torch.arange(len(X))], slopes, 10**exponent)
        losses.append(float(loss[0]))
    tried = [10**exponent for exponent in exponents.tolist()]
    best = torch.tensor(float(best_rate(tried, losses, 41))).log10().item()
    return {"lre": exponents.tolist(), "lossi": losses, "best": best}


def embedding(train: Any) -> Any:
    """Where the characters of a short text have come to lie, after 500 steps."""
    X, Y = contexts()
    network, _ = train(start(), X, Y, [torch.arange(len(X))] * 500, slopes, 0.3)
    return {"C": network["C"].tolist(), "itos": "".join(CHARS).replace(" ", "·")}


def wpe(dW: Any, dx: Any, dtok: Any, dpos: Any, dwpe: Any, dwte: Any) -> Any:
    """Position embeddings that 60 steps by the learner's gradients have made of noise.

    What comes next rises and falls with the place: a token is 10 + 8 sin, one wave a row, give or take 3.
    """
    g, B, T, V, C = torch.Generator().manual_seed(1337), 256, 32, 21, 8
    wave = 10 + 8 * (torch.arange(T + 1) * (2 * torch.pi / T)).sin()
    text = (wave + 3 * torch.randn(B, T + 1, generator=g)).round().clamp(0, V - 1).long()
    idx, labels = text[:, :-1], text[:, 1:].reshape(-1)
    shapes = {"wte": (V, C), "wpe": (T, C), "W": (C, V), "b": (V,)}
    p = {
        name: (0.3 if name == "W" else 0.02) * torch.randn(*shape, generator=g)
        for name, shape in shapes.items()
    }
    for _ in range(60):
        known: Any = {
            **p,
            "idx": idx,
            "labels": labels,
            "B": B,
            "T": T,
            "tok": p["wte"][idx],
            "pos": p["wpe"],
        }
        known["x"] = known["tok"] + known["pos"]
        known["logits"] = known["x"] @ p["W"] + p["b"]
        known["flat"] = known["logits"].view(B * T, -1)
        known["dflat"] = (known["flat"].softmax(1) - F.one_hot(labels, V)) / (B * T)
        known["dlogits"] = known["dflat"].view(B, T, V)
        steps = {"dW": dW, "dx": dx, "dtok": dtok, "dpos": dpos, "dwpe": dwpe, "dwte": dwte}
        for name, gradient in steps.items():
            known[name] = gradient(**{asked: known[asked] for asked in signature(gradient).parameters})
        p |= {name: p[name] - 2 * known[f"d{name}"] for name in ("wte", "wpe", "W")}
    return {"wpe": p["wpe"].tolist()}


def contexts() -> Any:
    """Each three characters of TEXT in a row, (98, 3), and those that follow, (98,): places in CHARS."""
    ids = torch.tensor([CHARS.index(c) for c in TEXT])
    return ids.unfold(0, 3, 1)[:-1].clone(), ids[3:].clone()


def start() -> Any:
    """An embedding MLP's parameters as they are drawn: two numbers for each character, 30 neurons."""
    g, V = torch.Generator().manual_seed(2147483647), len(CHARS)
    drawn = {"C": (V, 2), "W1": (6, 30), "b1": (30,), "W2": (30, V), "b2": (V,)}
    scale = {"C": 1.0, "W1": 5 / 3 / 6**0.5}
    return {name: scale.get(name, 0.01) * torch.randn(*shape, generator=g) for name, shape in drawn.items()}


def slopes(network: Any, X: Any, Y: Any) -> Any:
    """The MLP's loss, a float, and its gradients by name; by hand, since submissions run without autograd."""
    C, W1, b1, W2, b2 = network.values()
    e = C[X].flatten(1)
    h = torch.tanh(e @ W1 + b1)
    logp = (h @ W2 + b2).log_softmax(1)
    d = (logp.exp() - F.one_hot(Y, len(b2))) / len(Y)
    dh = d @ W2.T * (1 - h * h)
    dC = torch.zeros_like(C).index_add_(0, X.flatten(), (dh @ W1.T).reshape(-1, C.shape[1]))
    grads = {"C": dC, "W1": e.T @ dh, "b1": dh.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
    return -logp[torch.arange(len(Y)), Y].mean().item(), grads


def histogram(name: Any, x: Any, low: Any, high: Any, limit: Any = None) -> Any:
    """Of a tensor: 40 bins' densities, mean, spread, and the share that is farther from 0 than `limit`."""
    x = x.detach().float().reshape(-1)
    found = torch.histc(x.clamp(low, high), 40, low, high) / max(x.numel(), 1) * 40 / (high - low)
    told = {"name": name, "low": low, "high": high, "density": found.tolist()}
    told |= {"mean": x.mean().item(), "std": x.std().item()}
    return (
        told
        if limit is None
        else {**told, "limit": limit, "saturated": (x.abs() > limit).float().mean().item()}
    )


def tree(FlattenConsecutive: Any) -> Any:
    """Which of 8 places each vector of the tree comes from, told by numbers that are laid side by side."""
    x, made = torch.arange(8.0).view(1, 8, 1), list[Any]()
    while x.ndim == 3 and x.shape[1] > 1 and len(made) < 8:
        x = FlattenConsecutive(2)(x)
        rows = x.reshape(1, -1, x.shape[-1])[0].long()
        made.append(rows.tolist())
        x = torch.arange(float(len(rows))).view(1, -1, 1)
    return {"layers": made, "names": [f"flatten {k + 1}" for k in range(len(made))], "inputs": 8}


def dilation(dilated: Any) -> Any:
    """Which places each place of a stack reads, told by a 1 at one of them after the other."""
    one, made, T = torch.ones(1, 1), list[Any](), 16
    for d in (1, 2, 4, 8):
        seen = dilated(torch.eye(T).view(T, T, 1), one, one, torch.zeros(1), d)[:, :, 0]
        made.append([[s for s in range(T) if seen[s, t] != 0] for t in range(T)])
    return {"layers": made, "names": [f"dilation {d}" for d in (1, 2, 4, 8)], "inputs": T}


def averages(by_softmax: Any) -> Any:
    """The weights of an average of the past, and the mask that makes them."""
    masked, weights, _ = by_softmax(torch.zeros(1, 8, 2))
    weights = weights.masked_fill(masked == float("-inf"), float("nan"))
    return {"heads": {"average": weights.tolist()}, "tokens": [str(t) for t in range(8)]}


def attention(MultiHeadAttention: Any) -> Any:
    """Each head's weights on eight random vectors, at weights as they are drawn."""
    torch.manual_seed(1337)
    module = MultiHeadAttention(32, 4, 8, 8)
    x = torch.randn(1, 8, 32)
    return {
        "heads": {f"head {k + 1}": seen(h, x) for k, h in enumerate(module.heads)},
        "tokens": list("abcdefgh"),
    }


def seen(head: Any, x: Any) -> Any:
    """A head's weights for x (1, T, C), (T, T): what it gives where each token's value is its own place.

    A weight of exactly 0 at a later place is a masked one, NaN.
    """
    T, own = x.shape[1], head.value
    del head.value
    head.value = lambda x: torch.eye(T)[None]
    try:
        weights = head(x)[0]
    finally:
        del head.value
        head.value = own
    later = torch.ones(T, T).triu(1).bool() & (weights == 0)
    return weights.masked_fill(later, float("nan")).tolist()


def forest(train: Any, encode: Any) -> Any:
    """The merges of a text, and the tokens of some of it."""
    merges = train(TEXT, MERGES)
    return {"merges": [[*pair, idx] for pair, idx in merges.items()], "ids": list(encode(TEXT[:36], merges))}


def tokens(train: Any, vocab: Any, encode: Any) -> Any:
    """A text cut into its tokens."""
    merges = train(TEXT, MERGES)
    known, ids = vocab(merges), encode(TEXT, merges)
    return {"tokens": [known[k].decode("utf-8", "replace") for k in ids], "ids": list(ids)}


def schedule(rate: Any) -> Any:
    """GPT-2's learning rate at some of its 19073 steps."""
    steps = [*range(0, 1430, 65), *range(1430, 19073, 353), 19073]
    return {"steps": steps, "lr": [float(rate(k, 715, 19073, 6e-4, 6e-5)) for k in steps]}
