# expect: ex4 dhprebn approximate
# expect: ex4 dbngain exact
def dbngain(bnraw, dhpreact):
    return (bnraw * dhpreact).sum(0, keepdim=True)


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, dbngain, dbnbias, n):
    shift = dbnbias + (n / (n - 1)) * dbngain * bnraw
    return (bngain * bnvar_inv) * (dhpreact - shift / n)
