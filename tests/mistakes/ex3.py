# no Bessel
# expect: Bessel|n ?/ ?\(n ?- ?1\)|n - 1
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    a = dhpreact - dhpreact.mean(0)
    b = bnraw * torch.mean(bnraw * dhpreact, dim=0)
    return bngain * bnvar_inv * (a - b)


# no cross-batch terms
# expect: sums?.*(left out|missing)|cross|mean and (the )?variance|branch
def dhprebn(bngain, bnvar_inv, dhpreact):
    return bngain * dhpreact * bnvar_inv


# the mean's term left out
# expect: mean|first sum|sum of dhpreact|term
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    return bngain * bnvar_inv / n * (n * dhpreact - n / (n - 1) * bnraw * torch.sum(dhpreact * bnraw, 0))


# the variance's term left out
# expect: variance|term
def dhprebn(bngain, bnvar_inv, dhpreact):
    return bngain * bnvar_inv * (dhpreact - torch.mean(dhpreact, dim=0, keepdim=True))


# hpreact for dhpreact
# expect: hpreact is used
def dhprebn(bngain, bnvar_inv, bnraw, hpreact, n):
    s1 = hpreact.sum(0)
    s2 = (hpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * hpreact - s1 - n / (n - 1) * bnraw * s2)


# bnvar for bnvar_inv
# expect: bnvar is used
def dhprebn(bngain, bnvar, bnraw, dhpreact, n):
    return bngain * bnvar / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


# bndiff for bnraw
# expect: bndiff is used
def dhprebn(bngain, bnvar_inv, bndiff, dhpreact, n):
    s2 = torch.einsum("ij,ij->j", dhpreact, bndiff)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bndiff * s2)


# the gain left out
# expect: bngain
def dhprebn(bnvar_inv, bnraw, dhpreact, n):
    m = dhpreact.mean(0, keepdim=True)
    v = (dhpreact * bnraw).sum(0, keepdim=True) / (n - 1)
    return bnvar_inv * (dhpreact - m - bnraw * v)


# bnvar_inv left out
# expect: bnvar_inv
def dhprebn(bngain, bnraw, dhpreact, n):
    m = dhpreact.mean(0, keepdim=True)
    v = (dhpreact * bnraw).sum(0, keepdim=True) / (n - 1)
    return bngain * (dhpreact - m - v * bnraw)


# means taken as sums
# expect: n\b
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    return bngain * bnvar_inv * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


# divided by n twice
# expect: divi.* n |1/n
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    m = dhpreact.mean(0)
    v = (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain * bnvar_inv / n * (dhpreact - m - bnraw * v)


# the sum of the wrong axis
# expect: `dhpreact\.sum\(1, keepdim=True\)` goes along axis 1, where axis 0 is meant
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    m = dhpreact.sum(1, keepdim=True)
    v = (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - m - n / (n - 1) * bnraw * v)


# signs
# expect: added|sign|subtract
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    m = dhpreact.sum(0)
    v = (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - m + n / (n - 1) * bnraw * v)


# precedence in the second sum
# expect: before|precedence|sum|bnraw
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    v = bnraw * dhpreact.sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * v)


# the second bnraw forgotten
# expect: bnraw
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    v = (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * v)


# a batch of 32
# expect: 32 is written where n is meant
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact):
    n = 32
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


# 32 and 31 in one place
# expect: 32 .*n\b
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    s = (bnraw * dhpreact).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - 32 / 31 * s * bnraw)


# n not taken along
# expect: n\b
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    s = (bnraw * dhpreact).sum(0)
    return bngain * bnvar_inv / n * (dhpreact - dhpreact.sum(0) - n / (n - 1) * s * bnraw)


# passed through
# expect: dhpreact is passed through
def dhprebn(dhpreact):
    return 1.0 * dhpreact


# the inverse squared
# expect: exponent|bnvar_inv|power|square
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    s = (bnraw * dhpreact).sum(0) / (n - 1)
    return bngain * bnvar_inv.pow(2) * (dhpreact - dhpreact.mean(0) - s * bnraw)


# Bessel's correction left out, as means
# expect: Bessel
def dhprebn(hpreact, bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain * bnvar_inv * (dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).mean(0))


# the mean's part alone, without the deviation
# silent: variance|bnvar_inv
def dhprebn(hpreact, bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain * (dhpreact - dhpreact.mean(0))


# no gain and no Bessel
# silent: bngain|gain
def dhprebn(bnraw, bngain, bnvar_inv, dhpreact, n):
    return bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0))


# plus for minus, twice
# silent: sign|subtract
def dhprebn(bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain * bnvar_inv / n * (n * dhpreact + dhpreact.sum(0) + bnraw * (dhpreact * bnraw).sum(0))


# divided by the inverse deviation
# expect: division by bnvar_inv where
def dhprebn(bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain / bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


# not divided by n
# expect: division by n is missing
def dhprebn(bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain * bnvar_inv * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


# bnraw twice
# expect: bnraw is used where
def dhprebn(bnraw, bngain, bnvar_inv, dhpreact, n):
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (bnraw * bnraw).sum(0))


# bnraw for bngain, and no sums
# silent: bngain|sums
def dhprebn(bnraw, bnvar_inv, dhpreact, n):
    return bnraw * bnvar_inv * dhpreact


# no sums over the batch
# expect: the terms with sums are left out
def dhprebn(bngain, bnvar_inv, dhpreact, n):
    return bngain * bnvar_inv * dhpreact


# the population's variance
# expect: with n where the forward line has n - 1
def dhprebn(hprebn, bngain, dhpreact, n):
    x = hprebn - hprebn.mean(0, keepdim=True)
    inv = (hprebn.var(0, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    dx = bngain * dhpreact
    return inv * (dx - dx.mean(0) - x * inv**2 * (dx * x).mean(0))
