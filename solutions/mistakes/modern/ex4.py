"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dout(djoined, B, T, G, R, D):
    """cut into heads before the tokens were: view tokens first, (B, T, H, D), then exchange the two axes"""
    return djoined.view(B, G * R, T, D)


def dvr(att, dout):
    """att is not transposed: a value gathers from the queries that looked at it"""
    return att @ dout


def dscores(att, datt):
    """a plain mean is subtracted: the mean is meant that att weights"""
    return att * (datt - datt.mean(-1, keepdim=True))


def dscores(att, datt):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by att too"""
    return datt - att * datt.sum(-1, keepdim=True)


def dv(dvr, G, R):
    """the copies were taken as lying G apart: repeat_interleave puts those of one head side by side"""
    return dvr.unflatten(1, (R, G)).sum(1)


def dk(dkr, G, R):
    """the copies were taken as lying G apart: repeat_interleave puts those of one head side by side"""
    return dkr.unflatten(1, (R, G)).sum(1)


def dv(dvr, G, R):
    """only the first copy of each head is taken: the gradients of all copies add up"""
    return dvr.unflatten(1, (G, R))[:, :, 0]


def dk(dkr, G, R):
    """only the first copy of each head is taken: the gradients of all copies add up"""
    return dkr.unflatten(1, (G, R))[:, :, 0]


def dv(dvr, G, R):
    """the mean of the copies is taken: their gradients add up"""
    return dvr.unflatten(1, (G, R)).mean(2)


def dk(dkr, G, R):
    """the mean of the copies is taken: their gradients add up"""
    return dkr.unflatten(1, (G, R)).mean(2)


def dxk(dk, B, T):
    """heads and tokens were not exchanged before the heads were laid side by side"""
    return dk.reshape(B, T, -1)


def dx(Wk, Wv, dxk, dxv):
    """the way through the queries is left out"""
    return dxk @ Wk.T + dxv @ Wv.T
