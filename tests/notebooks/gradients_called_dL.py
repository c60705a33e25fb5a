# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
# expect-text: ex1.dlogprobs found as dL_dlogprobs
# expect-text: ex2.dlogits found as dL_dlogits
#: setup
#: forward
# %%
#: ex1 with dL_
# %%
loss_fast = F.cross_entropy(logits, Yb)
dL_dlogits = F.softmax(logits, 1); dL_dlogits[range(n), Yb] -= 1; dL_dlogits /= n
# %%
hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / torch.sqrt(hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) + bnbias
dL_dhprebn = bngain*bnvar_inv/n * (n*dL_dhpreact - dL_dhpreact.sum(0) - n/(n-1)*bnraw*(dL_dhpreact*bnraw).sum(0))
