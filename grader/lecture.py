"""What notebooks and authored files import by this name: the lecture's data and network."""

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
    "dataset",
    "embedded_names",
    "minibatch",
    "mlp_parameters",
    "parameters",
    "read_names",
    "splits",
    "words_of",
]
