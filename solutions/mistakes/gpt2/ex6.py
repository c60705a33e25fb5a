"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def ds2(s2, m2, l2, v2, dout):
    """the row's sum runs over this block alone: it is meant over both"""
    weights = (s2 - m2).exp() / l2
    back = dout @ v2.T
    return weights * (back - (weights * back).sum(1, keepdim=True))


def ds1(s1, m2, l2, v1, dout):
    """the row's sum runs over this block alone: it is meant over both"""
    weights = (s1 - m2).exp() / l2
    back = dout @ v1.T
    return weights * (back - (weights * back).sum(1, keepdim=True))


def ds1(p1, l2, v1, out, dout):
    """shrink is forgotten: p1 was made with the first block's own maximum, m1, and not with m2"""
    return (dout @ v1.T - (dout * out).sum(1, keepdim=True)) * p1 / l2
