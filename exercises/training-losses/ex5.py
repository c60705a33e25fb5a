"""Packing, and what counts: the data of each stage.

Before a loss there is a batch. These functions make the batches of the first three stages out of plain
lists of tokens: documents packed into rows, prompts and answers with a mask, pairs of answers with their
readout. All answers are compared exactly; no tensors are needed.
"""


def packed(documents, end, B, T):
    """A batch (x, y) from documents laid end to end, each followed by the token `end`.

    x and y are B lists of T tokens; y holds the token that follows each of x, across rows and documents
    alike. There are documents enough; what is left over is not used.
    """
    raise NotImplementedError("packed: not written yet")


def row(prompt, answer, end, room):
    """One row of fine-tuning: (x, y, mask), each a list of `room` numbers.

    The tokens are the prompt, the answer and `end`; x leaves out the last of them and y the first. mask
    is 1 where y is a token of the answer or its `end`, else 0. What is left of the room is filled with
    `end`, at mask 0; the prompt is never empty, and there is room enough. row([7, 8], [5], 0, 4) gives
    ([7, 8, 5, 0], [8, 5, 0, 0], [0, 1, 1, 0]).
    """
    raise NotImplementedError("row: not written yet")


def pairs(ranked):
    """The comparisons that a ranking holds: all (better, worse), of a list from best to worst.

    In the order of the better one, then of the worse one: [4, 7, 2] gives (4, 7), (4, 2), (7, 2).
    """
    raise NotImplementedError("pairs: not written yet")
