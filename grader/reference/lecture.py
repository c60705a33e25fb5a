"""The lecture's data and network: what authored exercises build their inputs from.

Names come from the embedded list (U.S. Social Security Administration, public domain) or from a
file of one's own. Letters count from 1, in the order of the alphabet that the names use; 0 is the
full stop that begins and ends a name.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.core.errors import UsageError

if TYPE_CHECKING:
    import torch

EMBEDDED = Path(__file__).parents[1] / "data" / "names.txt"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def read_names(path: Path = EMBEDDED) -> list[str]:
    """The names in a file, one a line, lower-case letters only. UsageError names what is wrong."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: names file can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: names file is not UTF-8 (byte {error.start})") from None
    names = text.split("\n")
    names = [name.removesuffix("\r") for name in names]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UsageError(f"{path}: names file is empty")
    if all(names) and set("".join(names)) <= set(LETTERS):
        return names
    for number, name in enumerate(names, 1):  # one by one takes five times as long
        if not name:
            raise UsageError(f"{path}, line {number}: empty line, expected a name")
        if strange := sorted(set(name) - set(LETTERS)):
            raise UsageError(f"{path}, line {number}: {ascii(strange[0])} is not one of the letters a to z")
    return names


@functools.cache
def embedded_names() -> tuple[str, ...]:
    return tuple(read_names())


def dataset(names: Sequence[str], block_size: int = 3) -> tuple[list[list[int]], list[int]]:
    """Contexts of `block_size` characters and the character that follows each."""
    xs, ys = [], []
    for name in names:
        context = [0] * block_size
        for ch in [*name, "."]:
            y = LETTERS.find(ch) + 1
            xs.append(context)
            ys.append(y)
            context = [*context[1:], y]
    return xs, ys


def splits(names: Sequence[str], seed: int = 42) -> tuple[list[str], list[str], list[str]]:
    """Training, validation and test names, 80/10/10, shuffled as in the lecture."""
    shuffled = list(names)
    random.Random(seed).shuffle(shuffled)
    n1, n2 = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:n1], shuffled[n1:n2], shuffled[n2:]


def minibatch(g: torch.Generator, n: int, block_size: int, vocab_size: int) -> dict[str, torch.Tensor]:
    """Xb (n, block_size) and Yb (n,): real names where the vocabulary is theirs, else random letters.

    Of real names one that has a z is always there, as in the lecture's own batch: honest notebooks say
    F.one_hot(Yb) and F.one_hot(Xb) without the number of classes. Of random letters the last one never is:
    a batch without it is where such a one_hot is too narrow.
    """
    import torch

    def draw(high: int) -> int:
        return int(torch.randint(0, high, (1,), generator=g))

    if vocab_size != len(LETTERS) + 1:
        return {
            "Xb": torch.randint(0, vocab_size - 1, (n, block_size), generator=g),
            "Yb": torch.randint(0, vocab_size - 1, (n,), generator=g),
        }
    names = embedded_names()
    last = vocab_size - 1
    while True:
        xs, ys = [], []
        for _ in range(n):
            contexts, nexts = dataset([names[draw(len(names))]], block_size)
            at = draw(len(nexts))
            xs.append(contexts[at])
            ys.append(nexts[at])
        if last in ys and any(last in x for x in xs):
            return {"Xb": torch.tensor(xs), "Yb": torch.tensor(ys)}


def words_of(g: torch.Generator, vocab_size: int, many: int) -> tuple[str, list[str]]:
    """The full stop and the first letters, vocab_size characters; and `many` names of these letters only."""
    import torch

    chars = "." + LETTERS[: vocab_size - 1]
    fitting = [name for name in embedded_names() if set(name) <= set(chars)]
    picks = torch.randint(len(fitting), (many,), generator=g).tolist()
    return chars, [fitting[k] for k in picks]


def bigrams(g: torch.Generator, n: int, vocab_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """xs (n,) and ys (n,): the first n bigrams of the names where the vocabulary is theirs, else random."""
    import torch

    if vocab_size != len(LETTERS) + 1:
        pairs = torch.randint(0, vocab_size, (2, n), generator=g)
        return pairs[0], pairs[1]
    contexts, nexts = dataset(embedded_names()[:n], block_size=1)  # each name has a bigram at least
    return torch.tensor(contexts[:n]).view(-1), torch.tensor(nexts[:n])


def parameters(
    g: torch.Generator, block_size: int, vocab_size: int, n_embd: int, n_hidden: int
) -> dict[str, torch.Tensor]:
    """The lecture's network at its start. Biases and gains are small but random: zeros mask errors.

    With a vocabulary of its own a probe has gains of both signs: |bngain| is not bngain; and a neuron that
    hardly varies: there the eps of a batch norm counts.
    """
    import torch

    fan_in = n_embd * block_size
    lecture = vocab_size == len(LETTERS) + 1
    signs = 1.0 - 2.0 * (torch.arange(n_hidden) % 2)
    spread = torch.where(torch.arange(n_hidden) == 2, 1.0 if lecture else 0.1, 1.0)
    return {
        "C": torch.randn((vocab_size, n_embd), generator=g),
        "W1": torch.randn((fan_in, n_hidden), generator=g) * (5 / 3) / fan_in**0.5 * spread,
        "b1": torch.randn(n_hidden, generator=g) * 0.1,
        "W2": torch.randn((n_hidden, vocab_size), generator=g) * 0.1,
        "b2": torch.randn(vocab_size, generator=g) * 0.1,
        "bngain": (torch.randn((1, n_hidden), generator=g) * 0.1 + 1.0) * (1.0 if lecture else signs),
        "bnbias": torch.randn((1, n_hidden), generator=g) * 0.1,
    }


def mlp_parameters(
    g: torch.Generator, block_size: int, vocab_size: int, n_embd: int, n_hidden: int
) -> dict[str, torch.Tensor]:
    """The network before batch norm: C, W1, b1, W2 and b2 of `parameters`."""
    drawn = parameters(g, block_size, vocab_size, n_embd, n_hidden)
    return {k: v for k, v in drawn.items() if not k.startswith("bn")}
