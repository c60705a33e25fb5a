# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
with torch.no_grad():
#:: ex1 dlogprobs..dcounts_sum
    dcounts = dcounts + dcounts_sum
    if True:
#::: ex1 dnorm_logits..dlogits
    if dlogits is not None:
        dh = dlogits @ W2.T
        dW2 = h.T @ dlogits
    try:
        db2 = dlogits.sum(0)
    finally:
        pass
    with torch.inference_mode():
#::: ex1 dhpreact..dC
# %%
# Exercise 2
with torch.no_grad():
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    cmp('logits', dlogits, logits)
# %%
# Exercise 3
if True:
    dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
    cmp('hprebn', dhprebn, hprebn)
