# not averaged
# expect: division by n is missing
def dlogits(logits, Yb, n):
    return F.softmax(logits, 1) - F.one_hot(Yb, num_classes=logits.shape[1])


# no Bessel
# expect: Bessel|n ?/ ?\(n ?- ?1\)|n - 1
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, dbngain, dbnbias, n):
    return bngain * bnvar_inv / n * (n * dhpreact - dbnbias - bnraw * dbngain)


# no Bessel, from the sums themselves
# expect: Bessel|n ?/ ?\(n ?- ?1\)|n - 1
def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - bnraw * (bnraw * dhpreact).sum(0))


# 200 hidden units
# expect: 200 is written where n_hidden is meant
def db1(dhprebn):
    total = torch.zeros(200)
    for row in dhprebn:
        total += row
    return total


# the last write
# expect: last
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d[Xb] = demb
    return d


# tanh by its input
# expect: hpreact is used
def dhpreact(hpreact, dh):
    return (1 - hpreact**2) * dh


# a mean
# expect: the division by n is one too many
def dW1(embcat, dhprebn, n):
    return embcat.t() @ dhprebn / n


# a missing sum
# expect: sum.*missing
def dbngain(bnraw, dhpreact):
    return bnraw * dhpreact
