"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dx(gamma, inv, xhat, dy, n):
    """n stands where n * t is meant: the positions share the mean as well"""
    return gamma * inv * (dy - dy.sum((0, 1)) / n - xhat * (dy * xhat).sum((0, 1)) / (n - 1))


def dx(gamma, inv, xhat, dy, n):
    """the sums run over the examples alone: they are meant over the positions too"""
    return gamma * inv / n * (n * dy - dy.sum(0) - n / (n - 1) * xhat * (dy * xhat).sum(0))


def dx(gamma, inv, xhat, dy, n, t):
    """Bessel's correction, m / (m - 1) with m = n * t, is left out"""
    m = n * t
    return gamma * inv / m * (m * dy - dy.sum((0, 1)) - xhat * (dy * xhat).sum((0, 1)))


def dx(gamma, inv, xhat, dy):
    """the sums run over the channels, as in a layer norm: a batch norm's run over examples and positions"""
    g = gamma * dy
    return inv * (g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True))
