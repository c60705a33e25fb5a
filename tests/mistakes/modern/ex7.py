# the minus of the loss
# expect: sign
def dmargin(margin, P):
    return torch.sigmoid(-margin) / P


# one sigmoid for the other
# expect: margin|sigmoid|sign
def dmargin(margin, P):
    return -torch.sigmoid(margin) / P


# not a mean
# expect: P|mean
def dmargin(margin):
    return -torch.sigmoid(-margin)


# beta is forgotten
# expect: 0\.1|factor|10
def dratiob(dmargin):
    return dmargin.clone()


# the worse has a minus
# expect: sign
def dratiow(dmargin):
    return 0.1 * dmargin


# the prompt counts too
# expect: mask
def dpickedb(maskb, dlogpb):
    return dlogpb.unsqueeze(1).expand(maskb.shape)


# the softmax is forgotten
# expect: softmax|sum|logprobs|through|missing
def dlogitsb(logprobsb, dlogprobsb):
    return dlogprobsb - dlogprobsb.sum(-1, keepdim=True)


# the mask is forgotten
# expect: mask
def dlogitsw(logitsw, yw, dlogpw, V):
    return dlogpw[:, None, None] * (F.one_hot(yw, V) - logitsw.softmax(-1))


# softmax less one hot
# expect: sign
def dlogitsw(logitsw, yw, maskw, dlogpw, V):
    return (maskw * dlogpw.unsqueeze(1)).unsqueeze(-1) * (logitsw.softmax(-1) - F.one_hot(yw, V))


# every row marks every label
# expect: whole columns are marked
def dlogprobsb(logprobsb, yb, dpickedb):
    g = torch.zeros_like(logprobsb)
    g[:, :, yb] = dpickedb
    return g
