# expect: ex1 pass
# expect: ex1.dcounts_sum, ex1.dbnmeani, ex1.dbndiff2 not-written
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = dlogprobs * (1/probs)
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
# counts_sum and its inverse in one go
dcounts = counts_sum_inv * dprobs - counts_sum_inv**2 * dcounts_sum_inv
dnorm_logits = counts * dcounts
dlogit_maxes = -(counts * dcounts).sum(1, keepdim=True)
dlogits = dnorm_logits + F.one_hot(logits.argmax(1), vocab_size) * dlogit_maxes
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1 - h**2) * (dlogits @ W2.T)
dbngain = (dhpreact * bnraw).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dbnraw = bngain * (1 - h**2) * dh
dbnvar_inv = (bndiff * bngain * dhpreact).sum(0, keepdim=True)
dbnvar = -0.5 * (bnvar + 1e-5)**-1.5 * (bndiff * dbnraw).sum(0, keepdim=True)
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbnvar / (n - 1)
# the mean's branch inside
dhprebn = dbndiff - dbndiff.mean(0)
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = (dhprebn @ W1.T).view(emb.shape)
dC = torch.zeros_like(C).index_add_(0, Xb.flatten(), demb.flatten(0, 1))
