# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros((n, vocab_size)); dlogprobs[torch.arange(n), Yb] = -1/n; dprobs = probs.pow(-1) * dlogprobs
dcounts_sum_inv = (dprobs * counts).sum(dim=1, keepdim=True); dcounts_sum = dcounts_sum_inv * -(counts_sum**(-2)); dcounts = dprobs * counts_sum_inv; dcounts = dcounts + dcounts_sum.expand_as(counts)
dnorm_logits = counts * dcounts; dlogit_maxes = dnorm_logits.sum(1, keepdim=True).neg(); dlogits = dnorm_logits.clone(); dlogits[range(n), logits.argmax(1)] += dlogit_maxes.squeeze(1)
dh, dW2, db2 = dlogits @ W2.t(), h.t() @ dlogits, dlogits.sum(0)
dhpreact = dh * (1 - h.square()); dbngain = (dhpreact * bnraw).sum(0, keepdim=True); dbnbias = dhpreact.sum(0, True); dbnraw = dhpreact * bngain
dbnvar_inv = (dbnraw * bndiff).sum(0, keepdim=True); dbnvar = dbnvar_inv * (-1/2) * (bnvar + 0.00001).pow(-3/2); dbndiff2 = (dbnvar / (n-1)).repeat(n, 1); dbndiff = dbnraw * bnvar_inv + dbndiff2 * 2 * bndiff
dbnmeani = (-1 * dbndiff).sum(0, keepdim=True); dhprebn = dbndiff + dbnmeani / n; dembcat = dhprebn @ W1.t(); dW1 = embcat.t() @ dhprebn; db1 = dhprebn.sum(0); demb = dembcat.reshape(n, block_size, n_embd)
dC = torch.zeros_like(C); [dC.index_add_(0, Xb[:, j], demb[:, j]) for j in range(block_size)]
# %%
loss_fast = F.cross_entropy(logits, Yb); dlogits = (logits.softmax(-1) - F.one_hot(Yb, vocab_size)) / n
# %%
hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / torch.sqrt(hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) + bnbias; dhprebn = bngain * bnvar_inv * (dhpreact - dhpreact.mean(0) - bnraw * (dhpreact * bnraw).sum(0) / (n - 1))
