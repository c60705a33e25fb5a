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


def dx(gamma, inv, xhat, dy):
    """gamma multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    return inv * gamma * (dy - dy.mean(-1, keepdim=True) - xhat * (dy * xhat).mean(-1, keepdim=True))


def dx(gamma, inv, xhat, dy):
    """the sums run over the examples, as in a batch norm: a layer norm's run over the channels"""
    g = dy * gamma
    return inv * (g - g.mean((0, 1)) - xhat * (g * xhat).mean((0, 1)))
