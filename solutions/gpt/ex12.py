"""A transformer, forward.

Ten exercises take the transformer apart backwards. Here it is built: from one head of attention up to the whole
network, each module out of those before it, under the names that the lecture gives them. Around it stand the split of
the data, the examples that one row of a batch holds, the estimate of the loss, and dropout.

Modules are torch.nn.Modules, and layers with weights are nn.Linear and nn.Embedding. Their weights are set from
outside, by the names of the parameters: so every attribute is to be called as its task says. What the lecture has as
global names, n_embd, block_size and dropout, are arguments here. Dropout sits on the attention's weights alone: it is
the last argument, and 0 where nobody gives it.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=8, n_head=2, head_size=3, n_layer=2, V=11),
    "probe-1": dict(seed=2, B=4, T=8, n_head=2, head_size=3, n_layer=2, V=11),
    "probe-2": dict(seed=3, B=2, T=5, n_head=3, head_size=2, n_layer=1, V=7),
    "probe-3": dict(seed=4, B=3, T=6, n_head=1, head_size=4, n_layer=3, V=5),
}
OUTPUTS = {
    "split": "exact",
    "starts": "exact",
    "examples": "exact",
    "attention": "approximate",
    "head": "approximate",
    "multihead": "approximate",
    "feedforward": "approximate",
    "layernorm": "approximate",
    "block": "approximate",
    "gpt": "approximate",
    "loss": "approximate",
    "estimate_loss": "approximate",
    "dropout": "approximate",
    "head_dropout": "approximate",
    "gpt_dropout": "exact",
}
HINTS = {
    "split": {
        "example": """
    >>> split(torch.arange(10), 0.9)
""",
        "concept": "What the network learns from and what it is measured on must not overlap, and a text is cut at "
        "one place: neighbours in it are no independent examples.",
        "formula": "n = int(share · the number of tokens); data[:n] and data[n:].",
    },
    "starts": {
        "example": """
    >>> starts(10, 8, [0.0, 0.4, 0.999])
""",
        "concept": "A row needs T tokens and one more, the last target. So the last place at which one may begin is T + 1 "
        "before the end, and there are n − T such places, as in the lecture's randint(len(data) - block_size, …).",
        "formula": "⌊u · (n − T)⌋ for each u.",
    },
    "examples": {
        "example": """
    >>> examples([18, 47, 56])
""",
        "concept": "One row of a batch trains on every length of context at once, from one token to as many as the "
        "row has. That is why generation may begin with a single token.",
        "formula": "For each t: the first t + 1 tokens of x, and y[t].",
    },
    "attention": {
        "example": """
    >>> q = torch.tensor([[[1.0], [2.0]]])
    >>> attention(q, q, q, None)
    >>> attention(q, q, q, torch.tensor([[True, False], [True, True]]))
""",
        "concept": "Each query asks all keys; the softmax of the answers weighs the values. What the mask forbids "
        "gets -inf before the softmax, hence a weight of 0. Without a mask all see all, as in an encoder; with keys "
        "and values of another text than the queries it is cross-attention.",
        "formula": "softmax(s) v, with s = q kᵀ / √d, and −∞ where mask is False; d is the width of q and k, and the softmax runs over the keys.",
    },
    "head": {
        "example": """
    >>> net = Head(2, 1, 3)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> net(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
""",
        "concept": "Three linear layers make the query, the key and the value of every token out of the same x. The "
        "triangle is cut to the T tokens that there are, since T may be less than block_size.",
        "formula": "wei = q @ k.transpose(-2, -1) * head_size**-0.5; masked by tril[:T, :T] == 0 with -inf; softmax "
        "over the last axis; times v.",
    },
    "multihead": {
        "example": """
    >>> net = MultiHeadAttention(2, 2, 1, 3)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> net(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
""",
        "concept": "Heads work side by side on the same x; their results stand one after the other on the last axis, "
        "and a linear layer mixes them.",
        "formula": "proj(torch.cat([h(x) for h in heads], dim=-1)), with proj from num_heads · head_size to n_embd.",
    },
    "feedforward": {
        "example": """
    >>> net = FeedForward(1)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> net(torch.tensor([[[1.0], [-3.0]]]))
""",
        "concept": "After the tokens have looked at each other, each thinks by itself: two linear layers with a ReLU "
        "between them, four times as wide inside.",
        "formula": "nn.Sequential(nn.Linear(n, 4n), nn.ReLU(), nn.Linear(4n, n)).",
    },
    "layernorm": {
        "example": """
    >>> norm = LayerNorm(2)
    >>> norm(torch.tensor([1.0, 3.0])).detach()
""",
        "concept": "Each token is normalised by its own mean and variance over the channels. Unlike batch norm it "
        "needs no other example, and nothing is kept for later.",
        "formula": "weight · (x − mean) / √(var + eps) + bias, mean and biased var (divided by n) over the last axis, "
        "with keepdim.",
    },
    "block": {
        "example": """
    >>> net = Block(2, 1, 3)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> net(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
""",
        "concept": "Communication, then computation. Each reads a normalised copy of the stream and adds its result to "
        "the stream itself, which goes through untouched.",
        "formula": "x = x + sa(ln1(x)), then x = x + ffwd(ln2(x)).",
    },
    "gpt": {
        "example": """
    >>> net = GPT(3, 2, 4, 1, 1)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> logits, loss = net(torch.tensor([[0, 2]]))
    >>> list(logits.shape), loss
""",
        "shapes": "vocab_size, n_embd, block_size, n_head and n_layer are integers, dropout is a float. idx is an int64 tensor "
        "(B, T). Without targets forward returns a tuple of 2: a float32 tensor (B, T, vocab_size), and None.",
        "concept": "A token's vector is what it is plus where it stands. Then come the blocks, a last norm, and a "
        "linear layer that gives each token of the vocabulary a logit.",
        "formula": "lm_head(ln_f(blocks(token table[idx] + position table[0 … T − 1]))).",
    },
    "loss": {
        "example": """
    >>> net = GPT(3, 2, 4, 1, 1)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> net(torch.tensor([[0, 2]]), torch.tensor([[2, 1]]))[1]
""",
        "concept": "Every position of every row is an example of its own, so that the axes B and T are "
        "merged for the cross entropy.",
        "formula": "F.cross_entropy(logits.view(B·T, vocab_size), targets.view(B·T)).",
    },
    "estimate_loss": {
        "example": """
    >>> net = GPT(3, 2, 4, 1, 1)
    >>> for p in net.parameters():
    ...     p.data = torch.full_like(p, 0.5)
    >>> estimate_loss(net, {"val": [(torch.tensor([[0, 2]]), torch.tensor([[2, 1]]))]})
    >>> net.training
""",
        "shapes": "model is a module that gives a pair (logits, loss), batches a dict from strings to lists of pairs (x, y). "
        "estimate_loss returns a dict from strings to floats.",
        "concept": "The loss of one batch is noisy; the mean of many is less so. The network is asked as it would be "
        "used, in eval mode, and goes on training afterwards.",
        "formula": "model.eval(); for each split the mean of the losses of its batches; model.train().",
    },
    "dropout": {
        "example": """
    >>> dropout(torch.ones(3), 0.25, torch.tensor([0.1, 0.25, 0.9]), True)
    >>> dropout(torch.ones(3), 0.25, torch.tensor([0.1, 0.25, 0.9]), False)
""",
        "concept": "Each number is dropped by itself, so that no neuron can rely on another. Those that stay are "
        "scaled up: what comes on then is as large as before, on average, and nothing has to change when the "
        "network is used.",
        "formula": "x · (uniform ≥ p) / (1 − p) in training, x itself otherwise.",
    },
    "head_dropout": {
        "example": """
    >>> head = Head(2, 1, 3, 0.5)
    >>> head.dropout.p
""",
        "concept": "Dropout on the weights keeps some tokens from seeing some others, for this step only. It comes after "
        "the softmax: what is dropped is 0, and the rest of the row no longer sums to 1.",
        "formula": "An nn.Dropout of that share between the softmax and the product with v.",
    },
    "gpt_dropout": {
        "example": """
    >>> net = GPT(3, 4, 4, 2, 1, 0.25)
    >>> [head.dropout.p for head in net.blocks[0].sa.heads]
""",
        "shapes": "dropout is a float, the last argument of GPT, of Block, of MultiHeadAttention and of Head; each has it as "
        "0.0 where nobody gives it.",
        "concept": "One number for the whole network: each class hands it to those that it makes.",
        "formula": "GPT gives dropout to each Block, that to MultiHeadAttention, and that to each Head.",
    },
}


def inputs(g, B, T, n_head, head_size, n_layer, V):
    """Texts, activations, tokens; numbers for the weights; scores far apart; uniform numbers."""
    C = n_head * head_size

    def draw(*shape):
        return torch.randn(shape, generator=g)

    return dict(
        data=torch.randint(0, 65, (7 * T + B,), generator=g),
        shares=[0.9, 0.5 + 0.03 * B, 0.517],
        row=torch.randint(0, 65, (T + 1,), generator=g).tolist(),
        x=draw(B, T, C) * 2 + 0.5,
        flat=draw(B, T, C) * 0.003,
        q=draw(B, T, C) * 2,
        k=draw(B, T + 3, C) * 2,
        v=draw(B, T + 3, n_head + 1),
        numbers=draw(4001),
        idx=torch.randint(0, V, (B, T), generator=g),
        targets=torch.randint(0, V, (B, T), generator=g),
        batches={
            name: [(torch.randint(0, V, (B, T - 1), generator=g), torch.randint(0, V, (B, T - 1), generator=g))
                   for _ in range(n_head + 1)]
            for name in ("train", "val")
        },
        uniforms=torch.rand((B, T, C), generator=g),
        p=0.1 + 0.1 * n_layer,
        dropped=torch.rand((B, T, T), generator=g),
    )


def split(data, share):
    """The tokens in two tensors, training and validation: the first `share` of them, and the rest.

    data is a tensor of one axis; the cut is at int(share · n), where n is how many there are. The lecture's
    share is 0.9.
    """
    n = int(share * len(data))
    return data[:n], data[n:]


def starts(n, T, uniforms):
    """Where the rows of a batch begin, by uniform numbers from 0 up to 1, without it: a list of integers.

    Of n tokens a row takes T, and its targets the T that begin one further on. All places where a row and its
    targets have room are equally likely, and a uniform number u takes the one a share u of the way: int(u times how
    many there are).
    """
    return [int(u * (n - T)) for u in uniforms]


def examples(row):
    """What one row teaches: a list of pairs (context, target).

    row is a list of T + 1 tokens, of which x has the first T and y the last T. There are T pairs, whose contexts have one
    token, two, and so on up to T, each with the token that follows it. [18, 47, 56] gives ([18], 47) and ([18, 47], 56).
    """
    return [(row[: t + 1], row[t + 1]) for t in range(len(row) - 1)]


def attention(q, k, v, mask):
    """Scaled dot-product attention of queries (B, Tq, d), keys (B, Tk, d) and values (B, Tk, c): (B, Tq, c).

    mask is None, or a tensor of torch.bool, (Tq, Tk), that is True where a query may see a key. Scores are
    divided by the root of d before the softmax.
    """
    wei = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if mask is not None:
        wei = wei.masked_fill(~mask, float("-inf"))
    return F.softmax(wei, dim=-1) @ v


class Head(nn.Module):
    """One head of masked self-attention."""

    def __init__(self, n_embd, head_size, block_size, dropout=0.0):
        """The linear layers `key`, `query` and `value`, from n_embd to head_size, none with a bias.

        `dropout`, an nn.Dropout of that share. And the triangle `tril`, a buffer of (block_size, block_size), if
        you like it to be one.
        """
        super().__init__()
        self.key = nn.Linear(n_embd, head_size, bias=False)
        self.query = nn.Linear(n_embd, head_size, bias=False)
        self.value = nn.Linear(n_embd, head_size, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        """x (B, T, n_embd) to (B, T, head_size): no token sees a later one. T is at most block_size.

        The weights, (B, T, T), go through self.dropout before they weigh the values.
        """
        T = x.shape[1]
        k, q, v = self.key(x), self.query(x), self.value(x)
        wei = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        return self.dropout(F.softmax(wei, dim=-1)) @ v


class MultiHeadAttention(nn.Module):
    """Several heads side by side, and a linear layer that mixes them."""

    def __init__(self, n_embd, num_heads, head_size, block_size, dropout=0.0):
        """`heads`, an nn.ModuleList of Heads with that dropout; `proj`, a linear layer with a bias, back to n_embd."""
        super().__init__()
        self.heads = nn.ModuleList(Head(n_embd, head_size, block_size, dropout) for _ in range(num_heads))
        self.proj = nn.Linear(num_heads * head_size, n_embd)

    def forward(self, x):
        """x (B, T, n_embd) to the same shape: the heads' results side by side, through proj."""
        return self.proj(torch.cat([h(x) for h in self.heads], dim=-1))


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, for each token by itself."""

    def __init__(self, n_embd):
        """`net`, an nn.Sequential: linear to 4 · n_embd, ReLU, linear back, both with biases."""
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.ReLU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        """x (B, T, n_embd) to the same shape."""
        return self.net(x)


class LayerNorm(nn.Module):
    """Each token normalised over its channels. Without nn.LayerNorm and F.layer_norm: by hand."""

    def __init__(self, dim, eps=1e-5):
        """`weight`, ones, and `bias`, zeros: nn.Parameters of (dim,). And eps is kept."""
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        """weight · (x - mean) / the root of (variance + eps) + bias; the variance is the one that divides by dim."""
        mean = x.mean(-1, keepdim=True)
        var = x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / torch.sqrt(var + self.eps) + self.bias


class Block(nn.Module):
    """A transformer block: attention, then the feed-forward net, each beside a residual connection."""

    def __init__(self, n_embd, n_head, block_size, dropout=0.0):
        """`sa`, heads of n_embd // n_head with that dropout; `ffwd`; and the norms `ln1` and `ln2`, a LayerNorm each."""
        super().__init__()
        self.sa = MultiHeadAttention(n_embd, n_head, n_embd // n_head, block_size, dropout)
        self.ffwd = FeedForward(n_embd)
        self.ln1 = LayerNorm(n_embd)
        self.ln2 = LayerNorm(n_embd)

    def forward(self, x):
        """x (B, T, n_embd) to the same shape. The norm comes before the attention, and before the net."""
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


class GPT(nn.Module):
    """The lecture's language model: tables, blocks, a last norm, and logits."""

    def __init__(self, vocab_size, n_embd, block_size, n_head, n_layer, dropout=0.0):
        """All its parts, under the lecture's names:

        `token_embedding_table` and `position_embedding_table`, each an nn.Embedding into n_embd; `blocks`, an
        nn.Sequential of n_layer Blocks with that dropout; `ln_f`, a LayerNorm; `lm_head`, a linear layer to vocab_size, with a bias.
        """
        super().__init__()
        self.token_embedding_table = nn.Embedding(vocab_size, n_embd)
        self.position_embedding_table = nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*(Block(n_embd, n_head, block_size, dropout) for _ in range(n_layer)))
        self.ln_f = LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size)

    def forward(self, idx, targets=None):
        """Tokens idx (B, T) to a pair (logits, loss).

        logits are (B, T, vocab_size). The loss is None without targets; with targets, (B, T), it is the mean cross
        entropy over all B · T positions, and the logits may be (B · T, vocab_size) then, as in the lecture.
        """
        T = idx.shape[1]
        x = self.token_embedding_table(idx) + self.position_embedding_table(torch.arange(T))
        logits = self.lm_head(self.ln_f(self.blocks(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def estimate_loss(model, batches):
    """The mean loss of each split: a dict like `batches`, from the split's name to a float.

    batches has a list of pairs (x, y) for each split; model(x, y) gives (logits, loss). The model is put into eval mode,
    by model.eval(), before it is asked at all, and into training mode again, by model.train(), at the end.
    """
    found = {}
    model.eval()
    for name, some in batches.items():
        found[name] = sum(model(x, y)[1].item() for x, y in some) / len(some)
    model.train()
    return found


def dropout(x, p, uniforms, training):
    """Dropout of x by the uniform numbers, which have the shape of x, between 0 and 1.

    In training a number is dropped, that is 0, where its uniform number is less than p; what stays is divided by 1 - p.
    When not training x comes out as it is.
    """
    if not training:
        return x
    return x * (uniforms >= p) / (1 - p)


def filled(module, numbers, begin=0):
    """A module in use, with its parameters set, in the order of their names; and their shapes by name."""
    shapes = {}
    for name, parameter in sorted(module.named_parameters()):
        shapes[name] = list(parameter.shape)
        count = parameter.numel()
        place = (torch.arange(count) * 7 + begin) % len(numbers)
        scale = 0.7 * parameter.shape[-1] ** -0.5 if parameter.ndim > 1 else 0.3
        parameter.data = (numbers[place].view(parameter.shape) * scale).to(parameter.dtype)
        begin += 13 + count
    return module.eval(), shapes  # a dropout of its own would be random


def use_split(split, data, shares):
    cases = [(data, share) for share in shares] + [(data[:9], 0.9)]
    return {f"split(data of {len(some)}, {share:.6g})": list(split(some.clone(), share)) for some, share in cases}


def use_starts(starts, data, T, uniforms):
    some = [0.0, 0.5, 0.999, *(round(u, 4) for u in uniforms.flatten()[:5].tolist())]
    return calls("starts", starts, *((n, size, some) for n, size in ((len(data), T), (T + 1, T), (T + 32, T))))


def use_examples(examples, row):
    return calls("examples", examples, (row,), (row[2:],), (row[:2],), (row + row[1:],))


def use_attention(attention, q, k, v, x):
    """Scaled dot-product attention: of a decoder, of an encoder, and across two texts, with and without a mask."""
    T, S = q.shape[1], k.shape[1]
    some = torch.arange(S)[None, :] <= torch.arange(T)[:, None] + 1
    cases = {
        "a triangle (decoder)": (q, k[:, :T], v[:, :T], torch.tril(torch.ones(T, T)).bool()),
        "no mask (encoder)": (q, k[:, :T], v[:, :T], None),
        "no mask, other keys (cross-attention)": (q, k, v, None),
        "a mask, other keys": (q, k, v, some),
        "one head that is as wide as x": (x, x, x, None),
    }
    return {
        f"attention, {said}": attention(*(one if one is None else one.clone() for one in case))
        for said, case in cases.items()
    }


def use_head(Head, x, numbers, head_size):
    """One head: its parameters' shapes, and what it gives for all tokens and for fewer than block_size."""
    B, T, C = x.shape
    head, shapes = filled(Head(C, head_size, T), numbers)
    wide, _ = filled(Head(C, head_size + 2, T + 1), numbers, 5)
    return {
        "parameters": shapes,
        "head(x)": head(x.clone()),
        "head(x) of three tokens": head(x[:, :3].clone()),
        "a wider head(x)": wide(x.clone()),
    }


def use_multihead(MultiHeadAttention, x, numbers, n_head, head_size):
    """Several heads: their parameters' shapes, and what they give."""
    B, T, C = x.shape
    few, shapes = filled(MultiHeadAttention(C, n_head, head_size, T), numbers)
    many, other = filled(MultiHeadAttention(C, n_head + 1, head_size + 1, T), numbers, 3)
    return {
        f"parameters of {n_head}": shapes,
        f"{n_head} heads of x": few(x.clone()),
        f"parameters of {n_head + 1}": other,
        f"{n_head + 1} heads of x": many(x[:, 1:].clone()),
    }


def use_feedforward(FeedForward, x, numbers):
    """The feed-forward net: its parameters' shapes, and what it gives."""
    net, shapes = filled(FeedForward(x.shape[-1]), numbers)
    return {"parameters": shapes, "ffwd(x)": net(x.clone())}


class ByHand(TorchFunctionMode):
    """As long as it lasts torch's own norms are refused."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function.__name__.endswith(("layer_norm", "batch_norm", "group_norm", "instance_norm")):
            raise RuntimeError(f"{function.__name__} is torch's own: by hand is meant")
        return function(*args, **(kwargs or {}))


def use_layernorm(LayerNorm, x, flat, numbers, p):
    """The layer norm: its parameters as they begin, and what it gives, also where tokens hardly vary."""
    C = x.shape[-1]
    fresh = LayerNorm(C)
    begun = {name: parameter.data.clone() for name, parameter in fresh.named_parameters()}
    norm, _ = filled(LayerNorm(C, p / 10), numbers)
    with ByHand():
        return {
            "parameters of a fresh one": begun,
            "a fresh one of x": fresh(x.clone()),
            "a fresh one of tokens that hardly vary": fresh(flat.clone()),
            f"eps {p / 10:.6g}": norm(x.clone()),
            f"eps {p / 10:.6g}, of two axes": norm(x[0].clone()),
        }


def use_block(Block, x, numbers, n_head):
    """A block: its parameters' shapes, and what it gives."""
    B, T, C = x.shape
    block, shapes = filled(Block(C, n_head, T), numbers)
    one, _ = filled(Block(C, 1, T + 2), numbers, 4)
    return {"parameters": shapes, f"{n_head} heads, of x": block(x.clone()), "a single head, of x": one(x.clone())}


def network(GPT, x, numbers, sizes):
    """A GPT with its weights set."""
    V, block_size, n_head, n_layer = sizes
    return filled(GPT(V, x.shape[-1], block_size, n_head, n_layer), numbers)


def use_gpt(GPT, x, numbers, idx, V, n_head, n_layer):
    """The whole network: its parameters' shapes, and the logits, for fewer tokens than block_size too."""
    T = idx.shape[1]
    gpt, shapes = network(GPT, x, numbers, (V, T, n_head, n_layer))
    logits, loss = gpt(idx.clone())
    return {
        "parameters": shapes,
        "logits": logits,
        "loss without targets": loss,
        "logits of two tokens": gpt(idx[:, :2].clone())[0],
    }


def use_loss(GPT, x, numbers, idx, targets, V, n_head, n_layer):
    """The whole network's loss with targets, on several batches."""
    T = idx.shape[1]
    gpt, _ = network(GPT, x, numbers, (V, T, n_head, n_layer))
    cases = {"of all": (idx, targets), "of one row": (idx[:1], targets[:1]), "of two tokens": (idx[:, :2], targets[:, :2])}
    return {f"loss {said}": gpt(a.clone(), b.clone())[1] for said, (a, b) in cases.items()}


class Noisy:
    """A model that is worse while it trains."""

    def __init__(self, table):
        self.table, self.training = table, True
        self.asked = []

    def eval(self):
        self.training = False
        return self

    def train(self, mode=True):
        self.training = mode
        return self

    def __call__(self, x, y=None):
        self.asked.append(self.training)
        logits = self.table[x] + (self.table[0] if self.training else 0)
        return logits, None if y is None else F.cross_entropy(logits.flatten(0, 1), y.flatten())


def use_estimate_loss(estimate_loss, batches, numbers, V):
    """The mean loss of each split, of a model that answers worse while it trains; and its mode afterwards."""
    model = Noisy(numbers[: V * V].view(V, V))
    many = {"train": list(batches["train"]), "val": list(batches["val"][1:])}
    found = {"estimate_loss(model, batches)": estimate_loss(model, many)}
    found["model.training when it is asked"] = any(model.asked)
    found["model.training afterwards"] = model.training
    found["estimate_loss of one split"] = estimate_loss(model, {"val": batches["val"][:1]})
    return found


def use_dropout(dropout, x, uniforms, p):
    """Dropout in training and in use, with several shares."""
    met = torch.full((2, 3), 0.25)
    return {
        f"dropout(x, {p:.6g}, uniforms, True)": dropout(x.clone(), p, uniforms.clone(), True),
        f"dropout(x, {p / 2:.6g}, uniforms, True)": dropout(x.clone(), p / 2, uniforms.clone(), True),
        f"dropout(x, {p:.6g}, uniforms, False)": dropout(x.clone(), p, uniforms.clone(), False),
        "dropout(x, 0.25, uniforms of 0.25, True)": dropout(x[0, :2, :1].repeat(1, 3), 0.25, met, True),
    }


def dropping(uniforms):
    """In the place of F.dropout, which nn.Dropout calls: it drops by numbers that are given."""

    def drop(x, p=0.5, training=True, inplace=False):
        if not training:
            return x
        rows, columns = x.shape[-2:]
        return x * (uniforms[: len(x), :rows, :columns] >= p) / (1 - p)

    return drop


def use_head_dropout(Head, x, numbers, head_size, dropped, p):
    """A head whose weights are dropped: its `dropout`, and what it gives in training, by given numbers, and in use."""
    B, T, C = x.shape
    found = {"dropout of a head without any": Head(C, head_size, T).dropout.p}
    own, F.dropout = F.dropout, dropping(dropped)
    try:
        for share in (p, p / 2):
            head, _ = filled(Head(C, head_size, T, share), numbers)
            found[f"dropout of {share:.6g}"] = head.dropout.p
            found[f"dropout of {share:.6g}, in use"] = head.eval()(x.clone())
            found[f"dropout of {share:.6g}, in training"] = head.train()(x.clone())
            found[f"dropout of {share:.6g}, in training, of three tokens"] = head(x[:, :3].clone())
    finally:
        F.dropout = own
    return found


def use_gpt_dropout(GPT, Block, MultiHeadAttention, n_head, n_layer, p):
    """Whether each class hands dropout on to what it makes, with one and without: that of every head."""
    C, found = 2 * n_head, {}
    for given in ((p,), (p / 2,), ()):
        gpt, block = GPT(5, C, 4, n_head, n_layer, *given), Block(C, n_head, 4, *given)
        said = f"of {given[0]:.6g}" if given else "that nobody gave"
        blocks = [[head.dropout.p for head in one.sa.heads] for one in (*gpt.blocks, block)]
        many = [head.dropout.p for head in MultiHeadAttention(C, n_head, 2, 4, *given).heads]
        found[f"dropout {said}"] = {"of a GPT's heads": blocks[:-1], "of a Block's": blocks[-1], "of many heads": many}
    return found
