# the scale forgotten
# expect: head_size
def dscores(dscaled):
    return dscaled.clone()


# the scale applied upside down
# expect: head_size|division|exponent
def dscores(dscaled, head_size):
    return dscaled * head_size**0.5


# what the mask overwrote receives a gradient all the same
# expect: later
def dscaled(dmasked):
    return dmasked.clone()


# the sum of the softmax over the wrong axis
# expect: dim|rows and columns
def dmasked(att, datt):
    return att * (datt - (att * datt).sum(-2, keepdim=True))


# the sum of the softmax left out
# expect: term|sum
def dmasked(att, datt):
    return att * datt


# not transposed
# expect: transpose
def dv(att, dout):
    return torch.matmul(att, dout)


# the gradient of k by q, not transposed
# expect: transpose
def dk(q, dscores):
    return torch.matmul(dscores, q)


# only one of the three ways
# expect: branch|dk|dv|term
def dx(Wq, dq):
    return dq @ Wq.mT


# one of the three ways left out
# expect: branch|dv|term
def dx(Wq, Wk, dq, dk):
    return torch.matmul(dq, Wq.mT) + torch.matmul(dk, Wk.mT)


# a mean subtracted, and twice
# expect: the term .* is one too many, and the constant 2 is off
def dk(q, dscores):
    prod = dscores.transpose(-2, -1) @ q
    return 2 * (prod - prod.mean(-1, keepdim=True))


# a transpose where there is none to take
# expect: dscores is transposed where it is meant as it is
def dq(k, dscores):
    return dscores.transpose(-2, -1) @ k
