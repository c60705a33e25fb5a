# expect: ex1 pass
# expect: ex1.demb, ex1.dbnmeani, ex1.dbndiff, ex1.dbndiff2 not-written
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dembcat found as demb
# expect-text: ex1.demb your emb is what is called embcat here
#: setup
#: forward emb = C[Xb] -> emb = C[Xb].flatten(1); embcat = emb.view(emb.shape[0], -1) -> pass; embcat @ -> emb @; embcat, emb -> emb
# %%
#: ex1 dlogprobs..dbnvar_inv
#: ex1 dbnvar..dbnvar
dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
demb = dhprebn @ W1.T
dW1 = emb.T @ dhprebn
db1 = dhprebn.sum(0)
dC = torch.zeros_like(C)
part = demb.view(*Xb.shape, -1)
for i in range(n):
  for j in range(block_size):
    dC[Xb[i, j]] += part[i, j]
cmp('emb', demb, emb)
