# the gate is not asked
# expect: gate|up
def dup(up, dh):
    return up * dh


# the whole of SiLU for the sigmoid
# expect: a|share|gate
def dshare(gate, dgate):
    return gate * dgate


# the derivative of the sigmoid with its input
# expect: share|sigmoid
def da(a, share, dgate, dshare):
    return share * dgate + a * (1 - a) * dshare


# one of two ways
# expect: dshare|way|branch|path|missing
def da(share, dgate):
    return share * dgate


# only the factor's way
# expect: dgate|way|branch|path|missing
def da(share, dshare):
    return share * (1 - share) * dshare


# the residual is forgotten
# expect: dy|residual|way|branch|missing
def dx(Wgate, Wup, dup, da):
    return dup @ Wup.T + da @ Wgate.T


# the gate's matrix twice
# expect: Wup|Wgate
def dx(Wgate, Wup, dy, dup, da):
    return dy + dup @ Wgate.T + da @ Wgate.T


# averaged over the examples
# expect: B|mean|divid|n|factor
def dWdown(h, dy):
    return h.flatten(0, 1).T @ dy.flatten(0, 1) / h.shape[0]


# half of the sigmoid's derivative
# expect: the factor 1 - share is missing
def da(share, dgate, dshare):
    return share * dgate + share * dshare
