"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dx(gamma, inv, xhat, dy, C):
    """gamma is taken out of the sums: it varies along their axis, and belongs inside"""
    return gamma * inv * (dy - dy.sum(-1, keepdim=True) / C - xhat * (dy * xhat).sum(-1, keepdim=True) / C)


def dx(gamma, inv, xhat, dy, C):
    """C - 1 stands where C is meant: this variance is the biased one"""
    g = gamma * dy
    return inv * (g - g.sum(-1, keepdim=True) / C - xhat * (g * xhat).sum(-1, keepdim=True) / (C - 1))


def dx(gamma, inv, xhat, dy, B, T):
    """the sums run over the wrong axes: the channels of each token are meant"""
    g = gamma * dy
    return inv * (g - g.sum((0, 1)) / (B * T) - xhat * (g * xhat).sum((0, 1)) / (B * T))
