"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dscores1(att1, datt1):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by att1 too"""
    return datt1 - att1 * datt1.sum(-1, keepdim=True)


def dscores1(att1, datt1):
    """a plain mean is subtracted: the mean is meant that att1 weights"""
    return att1 * (datt1 - datt1.mean(-1, keepdim=True))


def dout1(djoined):
    """every other channel is taken: the heads lie one after the other, not in turns"""
    return djoined[..., ::2]


def dout2(djoined):
    """every other channel is taken: the heads lie one after the other, not in turns"""
    return djoined[..., 1::2]
