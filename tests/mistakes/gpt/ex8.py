# gamma taken out of the sums
# expect: gamma
def dx(gamma, inv, xhat, dy):
    return gamma * inv * (dy - dy.mean(-1, keepdim=True) - xhat * (dy * xhat).mean(-1, keepdim=True))


# Bessel's correction where there is none
# expect: C - 1|biased
def dx(gamma, inv, xhat, dy, C):
    g = dy * gamma
    s = torch.sum(g * xhat, -1, keepdim=True)
    return inv * (g - g.mean(-1, keepdim=True) - s * xhat / (C - 1))


# the batch norm's axes
# expect: dim|axis|axes
def dx(gamma, inv, xhat, dy):
    g = dy * gamma
    return inv * (g - g.mean((0, 1)) - xhat * (g * xhat).mean((0, 1)))


# one sum along the wrong axis
# expect: `g\.sum\(0, keepdim=True\)` goes along axis 0, where axis -1 is meant
def dx(gamma, inv, xhat, dy, C):
    g = gamma * dy
    return inv / C * (C * g - g.sum(0, keepdim=True) - xhat * (g * xhat).sum(-1, keepdim=True))
