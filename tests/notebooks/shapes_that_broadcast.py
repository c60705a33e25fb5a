# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dbnmeani the same but for a leading 1
# strict: ex1.dbnvar_inv, ex1.dbnmeani wrong-shape, approximate, exact
#: setup
#: forward
# %%
#: ex1 dlogprobs..dW2
db2 = dlogits.sum(0, keepdim=True)
dhpreact = (1 - h**2) * dh
dbngain = (dhpreact * bnraw).sum(0)
dbnbias = dhpreact.sum(0)
dbnraw = bngain * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0)
dbnvar = -0.5 * (bnvar + 1e-5)**-1.5 * dbnvar_inv
dbndiff2 = dbnvar / (n - 1)
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0)
dhprebn = dbndiff + dbnmeani / n
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0, keepdim=True)
demb = dembcat.view(emb.shape)
#: ex1 dC..dC
