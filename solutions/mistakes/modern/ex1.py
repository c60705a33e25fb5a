"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dgain2(z, dz):
    """the gain is in twice: what the gain multiplied is hhat, not z"""
    return (z * dz).sum((0, 1))


def dhhat(hhat, gain2, dz):
    """the mean is taken out too, as in layer norm: RMSNorm leaves it where it is"""
    scaled = gain2 * dz
    return scaled - scaled.mean(-1, keepdim=True)


def dinv(hhat, dhhat):
    """hhat stands where h belongs: inv multiplied the vector before it was scaled"""
    return (hhat * dhhat).sum(-1, keepdim=True)


def dms(inv, dinv):
    """this is the derivative of the square root: here the root is below the line"""
    return 0.5 / inv * dinv


def dms(inv, dinv):
    """this is the derivative of one over ms: the root is forgotten"""
    return -(inv**4) * dinv


def dh(hhat, inv, dhhat, dms, M):
    """the way through the mean square is taken from hhat, but ms is the mean of h's squares"""
    return inv * dhhat + 2 * hhat / M * dms


def dh(h, inv, dhhat, dms, M):
    """only the mean was led back, not the square: its derivative is 2 · h"""
    return inv * dhhat + dms / M


def dgain1(x, gain1, dy):
    """the gain is in twice: what it multiplied is the normed vector without it"""
    y = gain1 * x * ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    return (y * dy).sum((0, 1))


def dx(x, gain1, dy):
    """this is layer norm's: RMSNorm has taken no mean out, so none comes back"""
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    xhat = x * inv
    dxhat = gain1 * dy
    return inv * (dxhat - dxhat.mean(-1, keepdim=True) - xhat * (xhat * dxhat).mean(-1, keepdim=True))


def dx(x, gain1, dy):
    """inv was taken for a constant: it is made of x, and a second way leads through it"""
    return gain1 * dy * ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()


def dx(x, gain1, dy):
    """the way through inv lacks a factor inv: both ways have it"""
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    xhat = x * inv
    dxhat = gain1 * dy
    return inv * dxhat - xhat * (xhat * dxhat).mean(-1, keepdim=True)


def dx(x, gain1, dy):
    """gain1 multiplies after the mean: it differs from channel to channel, so it belongs inside it"""
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    return inv * gain1 * (dy - x * inv**2 * (x * dy).mean(-1, keepdim=True))


def dx(x, gain1, dy):
    """the way through inv lacks a factor inv squared: it takes x, and the mean, without inv"""
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    back = gain1 * dy
    return inv * back - inv * x * (back * x).mean(-1, keepdim=True)


def dms(inv, dinv):
    """the power -3/2 is that of ms: in terms of inv, which is its power -1/2, it is another"""
    return -dinv / (2 * inv**1.5)
