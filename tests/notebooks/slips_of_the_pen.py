# expect: ex1 pass
# expect: ex1.dprobs, ex1.dcounts_sum, ex1.dbnvar, ex1.dbndiff2, ex1.dhpreact wrong
# expect: ex1.dbnvar_inv wrong, wrong-shape
# expect: ex1.dh, ex1.dembcat error, wrong, wrong-shape
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = dlogprobs * probs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = counts_sum**-2 * dcounts_sum_inv
dcounts += dcounts_sum
#: ex1 dnorm_logits..dlogits
dh = dlogits * W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = 1 - h**2 * dh
dbngain = (dhpreact * bnraw).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dbnraw = bngain * dhpreact
dbnvar_inv = bndiff*dbnraw.sum(0, keepdim=True)
dbndiff = bnvar_inv * dbnraw
dbnvar = -0.5 * bnvar**-1.5 * dbnvar_inv
dbndiff2 = torch.ones_like(bndiff2) * dbnvar
dbndiff += 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff + dbnmeani / n
dembcat = dhprebn @ W1
#: ex1 dW1..dC
