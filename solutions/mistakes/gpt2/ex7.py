"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dW(X, dlogits):
    """only the last micro-batch is there: what all of them give adds up"""
    return X[-1].T @ dlogits[-1]


def dW(X, dlogits):
    """only the first micro-batch is there: what all of them give adds up"""
    return X[0].T @ dlogits[0]
