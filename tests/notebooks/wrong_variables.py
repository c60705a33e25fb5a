# expect: ex1 pass
# expect: ex1.dbnvar_inv, ex1.dbnvar, ex1.dhpreact, ex1.dW1 wrong
# expect: ex3.dhprebn wrong
# expect: ex2, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..db2
dhpreact = (1 - hpreact**2) * dh
dbngain = (dhpreact * bnraw).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dbnraw = bngain * dhpreact
dbnvar_inv = (bnraw * dbnraw).sum(0, keepdim=True)
dbndiff = bnvar_inv * dbnraw
dbnvar = -0.5 * (bnvar_inv + 1e-5)**-1.5 * dbnvar_inv
dbndiff2 = torch.ones_like(bndiff2) * dbnvar / (n - 1)
dbndiff += 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff + dbnmeani / n
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dbndiff
#: ex1 db1..dC
# %%
# Exercise 3
dhprebn = bngain*bnvar_inv/n * (n*hpreact - hpreact.sum(0) - n/(n-1)*bnraw*(hpreact*bnraw).sum(0))
