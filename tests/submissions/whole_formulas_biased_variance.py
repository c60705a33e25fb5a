# expect: ex3 dhprebn wrong
# n for n - 1 is the mistake that everybody makes here.
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    d = dhpreact
    return bngain * bnvar_inv / n * (n * d - d.sum(0) - bnraw * (d * bnraw).sum(0))
