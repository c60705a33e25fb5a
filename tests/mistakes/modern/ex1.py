# summed over the examples alone
# expect: axis|summed|sum|shape
def dgain2(hhat, dz):
    return (hhat * dz).sum(0)


# h for hhat
# expect: hhat|inv
def dgain2(h, dz):
    return (h * dz).sum((0, 1))


# the sum over the channels is a mean
# expect: mean|M|size
def dinv(h, dhhat):
    return (h * dhhat).mean(-1, keepdim=True)


# the half is forgotten
# expect: 0\.5|half|factor|2
def dms(inv, dinv):
    return -(inv**3) * dinv


# and the minus
# expect: sign
def dms(inv, dinv):
    return inv.pow(3) * dinv / 2


# ms has no way back
# expect: dms|branch|way|path|mean square
def dh(inv, dhhat):
    return inv * dhhat


# not divided by how many there are
# expect: M|mean|divid
def dh(h, inv, dhhat, dms):
    return inv * dhhat + 2 * h * dms


# the gain is summed over the channels
# expect: axes 0 and 2, where axes 0 and 1
def dgain1(x, dy):
    xhat = x * ((x * x).mean(-1, keepdim=True) + 1e-5).rsqrt()
    return (xhat * dy).sum((0, 2))


# without its gain
# expect: gain1
def dx(x, dy):
    inv = 1 / ((x * x).mean(-1, keepdim=True) + 1e-5).sqrt()
    y = x * inv
    return inv * (dy - y * (y * dy).mean(-1, keepdim=True))


# epsilon is forgotten
# expect: 1e-0?5|eps
def dx(x, gain1, dy):
    inv = (x**2).mean(-1, keepdim=True).rsqrt()
    y = x * inv
    d = gain1 * dy
    return inv * (d - y * (y * d).mean(-1, keepdim=True))


# the gain outside the mean
# expect: gain1 multiplies after the mean
def dx(x, gain1, dy):
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    xhat = x * inv
    return gain1 * inv * (dy - xhat * (xhat * dy).mean(-1, keepdim=True))


# inv out of the second way
# expect: lacks a factor inv squared
def dx(x, gain1, dy):
    inv = ((x**2).mean(-1, keepdim=True) + 1e-5).rsqrt()
    dxhat = gain1 * dy
    return inv * (dxhat - x * (x * dxhat).mean(-1, keepdim=True))


# the power of ms taken of inv
# expect: -3/2 is that of ms
def dms(inv, dinv):
    return -0.5 * inv**-1.5 * dinv
