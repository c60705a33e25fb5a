# expect: ex1 pass
# expect: ex1.dC wrong
# expect: ex2.dlogits, ex3.dhprebn wrong
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..demb
dC = torch.ones_like(C)
for k in range(Xb.shape[0]):
  for j in range(Xb.shape[1]):
    dC[Xb[k, j]] += demb[k, j]
# %%
loss_fast = F.cross_entropy(logits, Yb)
dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
# %%
hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / torch.sqrt(hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) + bnbias
dhprebn = bngain * bnvar_inv * dhpreact
