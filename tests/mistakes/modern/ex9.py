# tanh by its input
# expect: t2|c2|tanh
def dc2(c2, dt2):
    return (1 - c2**2) * dt2


# a sigmoid's derivative for tanh's
# expect: tanh|t2
def dc2(t2, dt2):
    return t2 * (1 - t2) * dt2


# the old cell
# expect: c1|c0
def df2(c0, dc2):
    return c0 * dc2


# input and forget change places
# expect: f2|i2|exchanged|order|swapped|di2|df2
def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    return torch.cat([f2 * (1 - f2) * df2, i2 * (1 - i2) * di2, (1 - g2**2) * dg2, o2 * (1 - o2) * do2], 1)


# all four are sigmoids
# expect: g2|tanh
def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    return torch.cat([i2 * (1 - i2) * di2, f2 * (1 - f2) * df2, g2 * (1 - g2) * dg2, o2 * (1 - o2) * do2], 1)


# only from cell to cell
# expect: dh1|state|way|branch|missing
def dc1(f2, dc2):
    return f2 * dc2


# only the last step
# expect: dz1|step|way|branch|missing
def dW(x2, dz2):
    return x2.T @ dz2


# the state after for the state before
# expect: h0|h1
def dU(h1, dz1, dz2):
    return h1.T @ (dz1 + dz2)


# of one step
# expect: dz2|step|way|branch|missing
def db(dz1):
    return dz1.sum(0)


# a sigmoid's derivative for the tanh
# expect: a tanh's, 1 - g2 squared, is meant
def dz2(i2, f2, g2, o2, di2, df2, dg2, do2):
    return torch.cat([i2 * (1 - i2) * di2, f2 * (1 - f2) * df2, g2 * (1 - g2) * dg2, o2 * (1 - o2) * do2], 1)
