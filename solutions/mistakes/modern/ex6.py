"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dy(y, dh):
    """y multiplies it: relu's derivative is 1 or 0"""
    return dh * y.relu()


def ddelta(dy, alpha, r):
    """alpha and r are exchanged: the scale is the same on the way back as forward"""
    return dy * (r / alpha)


def dB(low, ddelta, alpha, r):
    """the scale alpha/r is in twice: ddelta has it already"""
    return low.T @ ddelta * (alpha / r)


def dlow(B, ddelta, alpha, r):
    """the scale alpha/r is in twice: ddelta has it already"""
    return ddelta @ B.T * (alpha / r)


def dB(low, dy):
    """the scale alpha/r is missing: what arrives at B is ddelta, not dy"""
    return low.T @ dy


def dlow(B, dy):
    """the scale alpha/r is missing: what arrives at low is ddelta, not dy"""
    return dy @ B.T


def dA(x, dlow):
    """x stands where xd belongs: the adapter saw what dropout had left"""
    return x.T @ dlow


def dA(keep, xd, dlow):
    """dropout is in twice: xd has it already"""
    return (xd * keep).T @ dlow


def dxd(keep, A, dlow):
    """dropout is in too early: it comes on the way from xd to x"""
    return dlow @ A.T * keep


def dx(W, dy, dxd):
    """dropout is missing on the adapter's way back: the mask is the same as forward"""
    return dy @ W.T + dxd


def dx(keep, dxd):
    """the frozen way is left out: W gets no gradient, but x gets one through it"""
    return dxd * keep


def dx(W, keep, dy, dxd):
    """dropout is on both ways: the frozen one had none"""
    return (dy @ W.T + dxd) * keep


def dx(W, keep, dy, dxd):
    """the scale 1/(1 − p) is missing: what is kept was made larger forward"""
    return dy @ W.T + dxd * (keep > 0)
