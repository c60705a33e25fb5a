# --- dpicked ---

# the minus of the loss forgotten
# expect: sign
def dpicked(picked, n):
    return 1 / picked / n


# not averaged
# expect: n
def dpicked(picked):
    return -1 / picked


# --- dprobs ---

# whole columns
# expect: columns
def dprobs(probs, ys, dpicked, n):
    d = torch.zeros_like(probs)
    d[:, ys] = dpicked
    return d


# --- dcounts_sum ---

# no sum: the forward line broadcasts
# expect: sum
def dcounts_sum(counts, counts_sum, dprobs):
    return -counts * dprobs / counts_sum**2


# the wrong axis
# expect: dim|rows and columns|wanted
def dcounts_sum(counts, counts_sum, dprobs):
    return -(counts * dprobs).sum(0, keepdim=True) / counts_sum**2


# the square forgotten
# expect: exponent
def dcounts_sum(counts, counts_sum, dprobs):
    return -(counts * dprobs).sum(1, keepdim=True) / counts_sum


# --- dcounts ---

# only the quotient's branch
# expect: counts_sum
def dcounts(counts_sum, dprobs):
    return dprobs / counts_sum


# --- dlogits ---

# the exponential forgotten
# expect: counts
def dlogits(dcounts):
    return dcounts


# --- dW ---

# the other way round
# expect: xenc and dlogits are exchanged
def dW(xenc, dlogits):
    return dlogits.T @ xenc


# ones for the logarithm's derivative
# expect: division by picked is missing$
def dpicked(picked, n):
    return -torch.ones_like(picked) / n
