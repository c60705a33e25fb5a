# expect: ex1 dprobs exact
# expect: ex1 dcounts_sum_inv exact
# expect: ex1 dbnvar exact
def dprobs(probs, dlogprobs):
    return (1.0 / probs) * dlogprobs


def dcounts_sum_inv(counts, dprobs):
    return (counts * dprobs).sum(1, keepdim=True)


def dbnvar(bnvar, dbnvar_inv):
    return (-0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv
