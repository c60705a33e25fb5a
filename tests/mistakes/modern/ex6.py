# the derivative of relu by what comes out of the wrong side
# expect: y|relu|sign|wrong side|<
def dy(y, dh):
    return dh * (y < 0)


# r for alpha
# expect: alpha
def ddelta(dy, r):
    return dy / r


# the scale is left out
# expect: alpha|scale|factor
def ddelta(dy):
    return dy.clone()


# dropout is not in it
# expect: xd|dropout|keep
def dA(x, dlow):
    return x.T @ dlow


# dropout on the frozen way
# expect: keep|dropout|frozen
def dx(W, keep, dy, dxd):
    return keep * (dy @ W.T + dxd)


# the frozen way has no gradient
# expect: frozen|way|W|branch|missing
def dx(keep, dxd):
    return keep * dxd


# scaled twice
# expect: twice|alpha
def dB(low, ddelta, alpha, r):
    return alpha / r * (low.T @ ddelta)
