# expect: ex1 pass
# expect: ex1.dlogits, ex1.dhprebn wrong
# expect: ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
dlogits = dnorm_logits.clone()
cmp('logits', dlogits, logits)
#: ex1 dh..dbnmeani
dhprebn = dbndiff + dbnmeani
cmp('hprebn', dhprebn, hprebn)
#: ex1 dembcat..dC
# %%
dlogits_fast = F.softmax(logits, 1)
dlogits_fast[range(n), Yb] -= 1
dlogits_fast /= n
cmp('logits', dlogits_fast, logits)
# %%
dhprebn_fast = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
cmp('hprebn', dhprebn_fast, hprebn)
