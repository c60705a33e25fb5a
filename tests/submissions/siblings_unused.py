# expect: ex4 dhprebn approximate
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    d = dhpreact
    return bngain * bnvar_inv / n * (n * d - d.sum(0) - n / (n - 1) * bnraw * (d * bnraw).sum(0))
