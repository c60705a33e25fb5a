"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dWdown(gate, dy):
    """the gate alone stands where h belongs: what goes down is gate · up"""
    return gate.flatten(0, 1).T @ dy.flatten(0, 1)


def dup(a, dh):
    """a stands where the gate belongs: SiLU has bent it before it multiplied up"""
    return a * dh


def dup(share, dh):
    """the share alone stands where the gate belongs: the gate is a · share"""
    return share * dh


def dgate(share, up, dh):
    """sigmoid's derivative is in already: between gate and h there is only the product"""
    return up * share * (1 - share) * dh


def da(share, a, dgate):
    """the factor a of the second way is in twice: dshare has it already"""
    return share * dgate + a * share * (1 - share) * a * dgate


def da(gate, dgate, dshare):
    """gate stands where share belongs: sigmoid's derivative is made of sigmoid's own result"""
    return gate * dgate + gate * (1 - gate) * dshare


def dx(Wgate, Wup, dy, dup, da):
    """both ways through the layer are multiplied: ways that lead back to one tensor are added"""
    return dy + (dup @ Wup.T) * (da @ Wgate.T)


def dx(Wdown, Wgate, Wup, dy, dup, da):
    """the residual went through Wdown and Wup: it goes past the layer, as it is"""
    return dy @ Wdown.T @ Wup.T + dup @ Wup.T + da @ Wgate.T
