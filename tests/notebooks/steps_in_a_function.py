# expect: ex1 pass
# expect: ex1.dbnbias wrong, wrong-shape
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
def softmax_back(dlogprobs):
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = -counts_sum**-2 * dcounts_sum_inv
    dcounts = dcounts + dcounts_sum
    dnorm_logits = dcounts * counts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
    dlogits = dnorm_logits + F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes
    return dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits = softmax_back(dlogprobs)
# %%
def affine_back(d, x, W):
    """returns dx, dW, db"""
    cmp_ok = True
    return [d @ W.T, x.T @ d, d.sum(0)]
(dh, dW2, db2) = affine_back(dlogits, h, W2)
dhpreact = (1 - h**2) * dh
def bn_affine_back(d):
    return dict(gain=(d * bnraw).sum(0, keepdim=True), bias=d.sum(1, keepdim=True), raw=d * bngain)
bn_out = bn_affine_back(dhpreact)
dbngain = bn_out['gain']
dbnbias = bn_out['bias']
dbnraw = bn_out['raw']
#: ex1 dbnvar_inv..dbnvar_inv
dbndiff = bnvar_inv * dbnraw
#: ex1 dbnvar..dbndiff2
dbndiff += 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff + dbnmeani / n
dembcat, dW1, db1 = affine_back(dhprebn, embcat, W1)
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
for ctx, rows in zip(Xb.tolist(), demb):
    for token, row in zip(ctx, rows):
        dC[token] += row
