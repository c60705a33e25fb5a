# only the first head of each group counts
# expect: copies add up
def dk(dkr, R):
    return dkr[:, ::R]


# the mean of the group
# expect: R|mean|sum
def dv(dvr, G, R):
    return dvr.unflatten(1, (G, R)).mean(2)


# the group is taken for the heads
# expect: G|R|unflatten|neighbour|side by side|order
def dv(dvr, G, R):
    return dvr.unflatten(1, (R, G)).sum(1)


# softmax without the sum
# expect: sum|softmax|through|missing|second
def dscores(att, datt):
    return att * datt


# scale forgotten
# expect: D|scale|factor
def dq(kr, dscores):
    return dscores @ kr


# not transposed
# expect: transpos
def dkr(q, dscores, D):
    return dscores @ q / D**0.5


# not put side by side again
# expect: exchanged
def dxk(dk):
    return dk.flatten(2) if dk.shape[1] == 0 else dk.reshape(dk.shape[0], dk.shape[2], -1)


# the keys' way is forgotten
# expect: dxk|Wk|way|branch|missing
def dx(Wq, Wv, dxq, dxv):
    return dxq @ Wq.T + dxv @ Wv.T
