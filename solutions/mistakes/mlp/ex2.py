"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dlogprobs(logprobs, Yb, n):
    """this is the gradient of the logits: the softmax's step is taken already"""
    d = logprobs.exp()
    d[range(n), Yb] -= 1
    return d / n
