"""Text in, averages, text out.

What stands around the network: characters become numbers and numbers characters, a batch is cut out of a
long text, tokens are averaged over their past (three ways, one result), and new text is generated one token
at a time.

Nothing is random, so that there is one right answer: where the lecture draws at random, you are given the
positions and the uniform numbers.
"""

import math

import torch
import torch.nn.functional as F

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=8, C=2, new=9),
    "probe-1": dict(seed=2, B=4, T=8, C=2, new=9),
    "probe-2": dict(seed=3, B=3, T=5, C=4, new=7),
    "probe-3": dict(seed=4, B=2, T=6, C=3, new=11),
}
OUTPUTS = {
    "vocabulary": "exact",
    "encode": "exact",
    "decode": "exact",
    "batch": "exact",
    "by_loop": "approximate",
    "by_matrix": "approximate",
    "by_softmax": "approximate",
    "expected_loss": "approximate",
    "generate": "exact",
}
HINTS = {
    "vocabulary": {
        "concept": "Every character that occurs, once, in an order that is always the same.",
        "example": """
    >>> vocabulary("to be")
""",
        "formula": "The set of the text's characters, sorted.",
    },
    "encode": {
        "concept": "A character's number is its place in `chars`, which need not be sorted.",
        "shapes": "text is a string, chars a list of characters. encode returns a list of integers, one for each character.",
        "example": """
    >>> encode("abba", ["b", "a"])
""",
        "formula": "result[k] = the i with chars[i] = text[k]. A dict from character to place makes the look-up fast.",
    },
    "decode": {
        "concept": "The way back: each number names a character, and they are joined to one string.",
        "shapes": "ids is a list of integers, chars a list of characters. decode returns a string.",
        "example": """
    >>> decode([1, 0, 0, 1], ["b", "a"])
""",
        "formula": "chars[ids[0]], chars[ids[1]], …, joined without anything between them.",
    },
    "batch": {
        "concept": "Each start cuts a row of T tokens out of the text. The targets are the same row, one token further "
        "on: for each token the one that follows.",
        "shapes": "data is an int64 tensor of one axis, starts a list of integers, T an integer. batch returns two int64 "
        "tensors (B, T), or lists of B lists.",
        "example": """
    >>> batch(torch.tensor([10, 11, 12, 13, 14, 15]), [3, 0], 2)
""",
        "formula": "x[b, t] = data[starts[b] + t], y[b, t] = data[starts[b] + t + 1].",
    },
    "by_loop": {
        "concept": "Position t may look at itself and at what stands before it, not at what follows; each row of the "
        "batch by itself.",
        "example": """
    >>> by_loop(torch.tensor([[[2.0], [4.0], [9.0]]]))
""",
        "formula": "out[b, t] = the mean of x[b, 0], …, x[b, t]: t + 1 vectors.",
    },
    "by_matrix": {
        "concept": "An average is a product with weights: row t of the matrix has equal weights for the positions up to t, "
        "and 0 for later ones. One matrix serves the whole batch.",
        "example": """
    >>> by_matrix(torch.tensor([[[2.0], [4.0], [9.0]]]))
""",
        "formula": "wei[t, s] = 1/(t + 1) where s ≤ t, else 0: a lower triangle of ones over the sums of its rows, kept as "
        "a column. average = wei · x.",
    },
    "by_softmax": {
        "concept": "The softmax turns equal logits into equal weights and −∞ into a weight of 0. So zeros, with −∞ where the "
        "future is, become the same averaging matrix.",
        "example": """
    >>> by_softmax(torch.tensor([[[2.0], [4.0], [9.0]]]))
""",
        "formula": "masked[t, s] = 0 where s ≤ t, else −∞; weights = the softmax along each row; average = weights · x.",
    },
    "expected_loss": {
        "concept": "Equally likely means a probability of 1 over the number of tokens for each; the loss is minus its "
        "natural logarithm.",
        "example": """
    >>> expected_loss(65)
    >>> expected_loss(1)
""",
        "formula": "−ln(1 / vocab_size).",
    },
    "generate": {
        "concept": "One token at a time: ask the model about the end of what there is, draw from what it says of the last "
        "position, append, and again. Only what the model sees is cropped; what you return keeps everything.",
        "shapes": "model is a function from (B, t) int64 to logits (B, t, vocab_size), idx an int64 tensor (B, t), block_size an "
        "integer, uniforms a float tensor (new, B). generate returns (B, t + new).",
        "example": """
    >>> def model(idx):
    ...     return torch.tensor([0.25, 0.25, 0.5]).log().expand(*idx.shape, 3)
    >>> generate(model, torch.tensor([[0], [2]]), 1, torch.tensor([[0.1, 0.6], [0.3, 0.99]]))
""",
        "formula": "For each row u of uniforms: p = the softmax of the last position's logits for the last block_size "
        "tokens; the next token is how many of the sums p[0], p[0] + p[1], … are ≤ u, at most vocab_size − 1.",
    },
}

WORDS = ["To", "be,", "or", "not", "to", "be:", "that", "is", "the", "question.\nWhether", "'tis", "nobler"]


def inputs(g, B, T, C, new):
    """A text of real words, a long list of tokens with places in it, a tensor to average, a small model."""
    chosen = torch.randint(len(WORDS), (9,), generator=g).tolist()
    uniforms = torch.rand((new, B), generator=g)
    uniforms[0] = 1  # no sum is larger, or only by rounding
    return dict(
        text=" ".join(WORDS[k] for k in chosen),
        data=torch.randint(0, 65, (50,), generator=g),
        starts=torch.randint(0, 50 - T, (B,), generator=g).tolist(),
        x=torch.randn((B, T, C), generator=g),
        vocabularies=[65, 27, B, T],
        table=torch.randn((7, 7), generator=g) * 2,
        recent=torch.randn((T, 7), generator=g),
        begin=torch.randint(0, 7, (B, 2), generator=g),
        uniforms=uniforms,
    )


def vocabulary(text):
    """The characters of a text, each once, in sorted order, as a list."""
    return sorted(set(text))


def encode(text, chars):
    """The text as a list of integers: each character's place in `chars`."""
    place = {c: i for i, c in enumerate(chars)}
    return [place[c] for c in text]


def decode(ids, chars):
    """The text of a list of integers: the way back of encode."""
    return "".join(chars[i] for i in ids)


def batch(data, starts, T):
    """A batch (x, y) out of a long tensor of tokens: x and y are (B, T), one row for each start.

    Row b of x begins at starts[b]. y holds, for each token of x, the one that follows it.
    """
    x = torch.stack([data[i : i + T] for i in starts])
    y = torch.stack([data[i + 1 : i + T + 1] for i in starts])
    return x, y


def use_batch(batch, data, starts, T):
    """A batch (x, y) out of a long tensor of tokens: x and y are (B, T), one row for each start; lists pass too.

    Row b of x begins at starts[b]. y holds, for each token of x, the one that follows it.
    """
    found = {}
    for some, size in ((starts, T), (starts[1:], T - 2), (starts + starts[::-1], T)):
        pair = batch(data.clone(), list(some), size)
        found[f"batch(data, {some}, {size})"] = [torch.as_tensor(one) for one in pair]
    return found


def by_loop(x):
    """Each token averaged with all before it, (B, T, C), by two loops."""
    out = torch.zeros_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            out[b, t] = x[b, : t + 1].mean(0)
    return out


def by_matrix(x):
    """The same, as (weights, average): a (T, T) matrix whose rows sum to 1, and its product with x."""
    T = x.shape[1]
    wei = torch.tril(torch.ones(T, T))
    wei = wei / wei.sum(1, keepdim=True)
    return wei, wei @ x


def by_softmax(x):
    """The same, as (masked, weights, average): zeros with the future at -inf, their softmax, the product.

    masked and weights are (T, T).
    """
    T = x.shape[1]
    masked = torch.zeros(T, T).masked_fill(torch.tril(torch.ones(T, T)) == 0, float("-inf"))
    wei = F.softmax(masked, -1)
    return masked, wei, wei @ x


def expected_loss(vocab_size):
    """The loss of a network that considers all tokens equally likely. For 65 it is about 4.17."""
    return math.log(vocab_size)


def generate(model, idx, block_size, uniforms):
    """idx (B, t), grown by one column for each row of `uniforms`, which is (new, B).

    model(idx) gives logits (B, t, vocab_size) and takes at most block_size tokens: crop what it sees, not
    what you keep. The next token is drawn from the softmax at the last position: it is the first one at
    which the running sum of the probabilities is larger than the uniform number of its row, and the last
    one, vocab_size - 1, where none is.
    """
    for u in uniforms:
        logits = model(idx[:, -block_size:])[:, -1]
        sums = F.softmax(logits, -1).cumsum(-1)
        drawn = (sums <= u[:, None]).sum(-1, keepdim=True)
        idx = torch.cat([idx, drawn.clamp(max=logits.shape[1] - 1)], 1)
    return idx


def use_encode(encode, text):
    """Characters to numbers."""
    return calls("encode", encode, (text, sorted(set(text))), (text[5:9], sorted(set(text), reverse=True)))


def use_decode(decode, text):
    """Numbers to characters, here those of a text read backwards."""
    chars = sorted(set(text))
    ids = [chars.index(c) for c in reversed(text)]
    return calls("decode", decode, (ids, chars), (ids[:4], chars[::-1]), ([], chars))


def use_expected_loss(expected_loss, vocabularies):
    """The loss to expect before any training, for several vocabularies."""
    return calls("expected_loss", expected_loss, *((size,) for size in vocabularies))


def use_generate(generate, table, recent, begin, T, uniforms):
    """Text from a small model whose answer depends on all that it sees; it refuses more than block_size tokens.

    And from one that considers all of 8 tokens equally likely, with numbers that its running sums meet: 0.25 is
    not larger than 0.25.
    """

    def model(idx):
        if idx.shape[1] > T:
            raise ValueError(f"the model was given {idx.shape[1]} tokens, and sees at most {T}")
        if int(idx.max()) >= len(table):
            raise ValueError(f"the model was given token {int(idx.max())}, it knows 0 to {len(table) - 1}")
        seen = (table[idx] * recent[-idx.shape[1] :, :]).cumsum(1)
        return seen + table[idx]

    def flat(idx):
        return torch.zeros((*idx.shape, 8))

    met = torch.tensor([[0.0, 0.25], [0.5, 0.125], [0.375, 0.875]])
    return {
        f"generate(model, idx, {T}, uniforms)": generate(model, begin.clone(), T, uniforms.clone()),
        f"generate(model, one token, {T}, uniforms)": generate(model, begin[:, :1].clone(), T, uniforms[1:4]),
        "generate of equally likely tokens": generate(flat, begin[:2].clone(), T, met),
    }
