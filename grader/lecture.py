"""What notebooks and authored files import by this name: the lecture's data and network, and `calls`."""

from grader.core.calling import calls
from grader.reference.lecture import (
    bigrams,
    dataset,
    embedded_names,
    minibatch,
    mlp_parameters,
    parameters,
    read_names,
    splits,
    words_of,
)

__all__ = [
    "bigrams",
    "calls",
    "dataset",
    "embedded_names",
    "minibatch",
    "mlp_parameters",
    "parameters",
    "read_names",
    "splits",
    "words_of",
]
