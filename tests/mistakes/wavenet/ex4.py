# the tanh forgotten
# expect: tanh's derivative, 1 - h1 squared
def dgamma1(xhat1, dh1):
    return (xhat1 * dh1).sum((0, 1), keepdim=True)


# the tanh forgotten
# expect: tanh's derivative, 1 - h1 squared
def da1(gamma1, inv1, xhat1, dh1, n):
    m = 4 * n
    s = dh1.sum((0, 1), keepdim=True) / m
    u = (dh1 * xhat1).sum((0, 1), keepdim=True) / (m - 1)
    return gamma1 * inv1 * (dh1 - s - xhat1 * u)


# the tanh forgotten
# expect: tanh's derivative, 1 - h2 squared
def dy2(h2, dx3):
    return dx3.view(h2.shape)
