"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dscores(dscaled):
    """the scale by head_size is missing"""
    return dscaled * 1.0


def dscaled(dmasked):
    """what the mask overwrote, where later is set, has no way to the loss: its gradient is 0"""
    return dmasked * 1.0


def dmasked(att, datt):
    """the wrong dim: rows and columns are mixed up"""
    return att * datt - att * (datt * att).sum(-2, keepdim=True)


def dscores(dscaled, head_size):
    """the scale by head_size is upside down"""
    return dscaled * head_size**0.5


def dmasked(att, datt):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by att too"""
    return datt - att * datt.sum(-1, keepdim=True)


def dmasked(att, datt):
    """a plain mean is subtracted: the mean is meant that att weights"""
    return att * (datt - datt.mean(-1, keepdim=True))
