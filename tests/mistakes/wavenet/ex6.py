# the sigmoid of its own output
# expect: sigmoid is taken twice: share
def dgate(share, dshare):
    return torch.sigmoid(share) * (1 - torch.sigmoid(share)) * dshare


# the dilation as a number
# expect: 2 is written where dilation is meant
def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast):
    dx = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    dx[:, :-2] += dpast[:, 2:]
    return dx
