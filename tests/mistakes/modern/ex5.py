# the gate is forgotten
# expect: gate
def dsaid(said, dy):
    return dy.unsqueeze(1).expand(said.shape)


# relu by its result times it
# expect: relu|h|said
def dh(h, dsaid):
    return dsaid * h.relu()


# the square's 2
# expect: 2|factor|square
def dload(load, dbalance, E):
    return E * load * dbalance


# the number of experts
# expect: E|factor
def dload(load, dbalance):
    return 2 * load * dbalance


# the balance is forgotten
# expect: dload|balance|way|branch|missing
def dgate(said, dy):
    return (said * dy.unsqueeze(1)).sum(2)


# not a mean
# expect: n|mean
def dgate(said, dy, dload):
    return (said * dy.unsqueeze(1)).sum(2) + dload


# of all tokens
# expect: axis|token|row|sum
def dscores(gate, dgate):
    return gate * (dgate - (gate * dgate).sum(0, keepdim=True))


# no way through the gate
# expect: dscores|Wgate|way|branch|missing
def dx(W, dh):
    return torch.einsum("nem,ecm->nc", dh, W)
