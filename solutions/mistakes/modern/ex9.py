"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dc2(c2, dt2):
    """c2 stands where t2 belongs: tanh's derivative is made of tanh's own result"""
    return (1 - c2**2) * dt2


def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    """all four have sigmoid's derivative: g2 comes from tanh"""
    return torch.cat([s * (1 - s) * d for s, d in ((i2, di2), (f2, df2), (g2, dg2), (o2, do2))], 1)


def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    """all four have tanh's derivative: three of them come from a sigmoid"""
    return torch.cat([(1 - s**2) * d for s, d in ((i2, di2), (f2, df2), (g2, dg2), (o2, do2))], 1)


def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    """the parts stand in another order: input, forget, new values, output as forward"""
    return torch.cat([i2 * (1 - i2) * di2, f2 * (1 - f2) * df2, o2 * (1 - o2) * do2, (1 - g2**2) * dg2], 1)


def dz2(di2, df2, dg2, do2):
    """only laid side by side: the derivatives of sigmoid and tanh are missing"""
    return torch.cat([di2, df2, dg2, do2], 1)


def dc1(c1, o1, dh1):
    """the way from cell to cell is left out: c2 is made of c1 too"""
    return o1 * (1 - torch.tanh(c1) ** 2) * dh1


def dc1(f2, dc2):
    """the way through the state is left out: h1 shows c1, and the second step reads it"""
    return f2 * dc2


def dc1(o1, c1, f2, dh1, dc2):
    """tanh's derivative is missing on the way through the state"""
    return f2 * dc2 + o1 * dh1


def dc1(c1, o1, i2, dh1, dc2):
    """the input gate stands where the forget gate belongs: it is f that scales the old cell"""
    return i2 * dc2 + o1 * (1 - torch.tanh(c1) ** 2) * dh1


def dW(x2, dz2):
    """only the second step is there: the first used the same W, and what they give adds up"""
    return x2.T @ dz2


def dU(h1, dz2):
    """only the second step is there: the first used the same U, and what they give adds up"""
    return h1.T @ dz2


def dU(h1, h2, dz1, dz2):
    """each step's own state stands there: U multiplied the state before it"""
    return h1.T @ dz1 + h2.T @ dz2


def dU(h0, h1, dz1, dz2):
    """the steps are crossed: each state goes with the step that it went into"""
    return h0.T @ dz2 + h1.T @ dz1


def db(dz2):
    """only the second step is there: the first used the same b, and what they give adds up"""
    return dz2.sum(0)
