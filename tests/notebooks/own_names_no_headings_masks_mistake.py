# expect: ex1, ex2, ex3 pass
# expect: ex1.dlogits, ex1.dhprebn wrong
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes with dL_
dL_dlogits = dL_dnorm_logits.clone()
#: ex1 dh..dbnmeani with dL_
dL_dhprebn = dL_dbndiff.clone()
#: ex1 dembcat..dC with dL_
#: cmps with dL_
# %%
dL_dlogits = F.softmax(logits, 1)
dL_dlogits[range(n), Yb] -= 1
dL_dlogits /= n
cmp('logits', dL_dlogits, logits)
# %%
dL_dhprebn = bngain*bnvar_inv/n * (n*dL_dhpreact - dL_dhpreact.sum(0) - n/(n-1)*bnraw*(dL_dhpreact*bnraw).sum(0))
cmp('hprebn', dL_dhprebn, hprebn)
