"""Packing, and what counts: the data of each stage.

Before a loss there is a batch. These functions make the batches of the first three stages out of plain
lists of tokens: documents packed into rows, prompts and answers with a mask, pairs of answers with their
readout. All answers are compared exactly; no tensors are needed.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1337, B=3, T=5, V=20),
    "probe-1": dict(seed=1, B=3, T=5, V=20),
    "probe-2": dict(seed=2, B=2, T=7, V=30),
    "probe-3": dict(seed=3, B=4, T=6, V=12),
}
OUTPUTS = {"packed": "exact", "row": "exact", "pairs": "exact"}
HINTS = {
    "packed": {
        "concept": "One long list first: every document, each with `end` after it. Rows are then cut from it without regard to "
        "where documents begin; the targets are the same list, one token further on.",
        "shapes": "documents is a list of lists of integers, end, B and T are integers. packed returns a tuple of two "
        "lists, each of B lists of T integers.",
        "example": """
    >>> packed([[1, 2], [3], [4, 5, 6]], 0, 2, 3)
""",
        "formula": "x[b][t] = stream[b·T + t], y[b][t] = stream[b·T + t + 1]. The last token of a row has the first one of "
        "the next row as its target.",
    },
    "row": {
        "concept": "The model reads x and predicts y, one token further on. Only the answer is to be learned: positions whose "
        "target is still a token of the prompt get mask 0, and so does the padding.",
        "shapes": "prompt and answer are lists of integers, end and room are integers. row returns a tuple of three lists of "
        "`room` integers.",
        "example": """
    >>> row([7, 8], [5], 0, 4)
    >>> row([7], [5, 6], 0, 3)
""",
        "formula": "With t = prompt, answer, end: x is t without its last, y is t without its first. mask: 0 for the len(prompt) "
        "− 1 targets that are prompt, 1 for the len(answer) + 1 after them, 0 for the padding.",
    },
    "pairs": {
        "concept": "In a ranking everything beats all that stands after it. Each such pair is one comparison.",
        "shapes": "ranked is a list of integers. pairs returns a list of tuples of two.",
        "example": """
    >>> pairs([4, 7, 2])
    >>> pairs([4])
""",
        "formula": "(ranked[i], ranked[j]) for every i < j, ordered by i, then by j: n·(n − 1)/2 of them.",
    },
}


def inputs(g, B, T, V):
    """Documents, one prompt with its answer, the ranking of several answers, and a token that ends a text."""

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=g))

    def document():
        return torch.randint(1, V, (draw(2, 6),), generator=g).tolist()

    return {
        "documents": [document() for _ in range(B * T)],
        "prompt": document(),
        "answer": document(),
        "room": T + 8,
        "ranked": torch.randperm(40, generator=g).tolist()[: draw(3, 5)],
        "end": draw(V, V + 30),
    }


def packed(documents, end, B, T):
    """A batch (x, y) from documents laid end to end, each followed by the token `end`.

    x and y are B lists of T tokens; y holds the token that follows each of x, across rows and documents
    alike. There are documents enough; what is left over is not used.
    """
    stream = []
    for document in documents:
        stream += document + [end]
    x = [stream[row * T : row * T + T] for row in range(B)]
    y = [stream[row * T + 1 : row * T + T + 1] for row in range(B)]
    return x, y


def use_packed(packed, documents, end, B, T):
    return calls("packed", packed, (documents, end, B, T), (documents[::-1], end + 1, B - 1, T - 1))


def row(prompt, answer, end, room):
    """One row of fine-tuning: (x, y, mask), each a list of `room` numbers.

    The tokens are the prompt, the answer and `end`; x leaves out the last of them and y the first. mask
    is 1 where y is a token of the answer or its `end`, else 0. What is left of the room is filled with
    `end`, at mask 0; the prompt is never empty, and there is room enough. row([7, 8], [5], 0, 4) gives
    ([7, 8, 5, 0], [8, 5, 0, 0], [0, 1, 1, 0]).
    """
    tokens = prompt + answer + [end]
    x, y = tokens[:-1], tokens[1:]
    mask = [0] * (len(prompt) - 1) + [1] * (len(answer) + 1)
    spare = room - len(x)
    return x + [end] * spare, y + [end] * spare, mask + [0] * spare


def use_row(row, prompt, answer, end, room):
    cases = [(prompt, answer, end, room), ([7, 8], [5], 0, 4), (answer, prompt, end + 1, room + 2)]
    return calls("row", row, *cases, ([4], answer, end, len(answer) + 1))


def pairs(ranked):
    """The comparisons that a ranking holds: all (better, worse), of a list from best to worst.

    In the order of the better one, then of the worse one: [4, 7, 2] gives (4, 7), (4, 2), (7, 2).
    """
    return [(a, b) for k, a in enumerate(ranked) for b in ranked[k + 1 :]]


def use_pairs(pairs, ranked):
    return calls("pairs", pairs, (ranked,), ([4, 7, 2],), (ranked[:2],), (ranked[:1],), ([9, 8, 7, 1, 5],))
