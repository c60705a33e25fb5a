# expect: ex1 dhprebn approximate: graded for what it uses: dhpreact
# expect: ex1 dlogits approximate: graded for what it uses: no upstream gradient
# expect: ex1 dW1 approximate: graded for what it uses: dhpreact
def dlogits(probs, Yb, n):
    d = probs.clone()
    d[range(n), Yb] -= 1
    return d / n


def dhprebn(bngain, bnraw, bnvar_inv, dhpreact, n):
    d = dhpreact
    return bngain * bnvar_inv / n * (n * d - d.sum(0) - n / (n - 1) * bnraw * (d * bnraw).sum(0))


def dW1(embcat, bngain, bnraw, bnvar_inv, dhpreact, n):
    return embcat.T @ dhprebn(bngain, bnraw, bnvar_inv, dhpreact, n)
