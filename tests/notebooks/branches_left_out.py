# expect: ex1 pass
# expect: ex1.dcounts, ex1.dlogits, ex1.dbndiff, ex1.dhprebn wrong
# expect-text: ex1.dcounts counts_sum
# expect-text: ex1.dlogits logit_maxes
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = -counts_sum**-2 * dcounts_sum_inv
dnorm_logits = dcounts * counts
dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
dlogits = dnorm_logits.clone()
#: ex1 dh..dbnvar_inv
dbndiff = bnvar_inv * dbnraw
dbnvar = -0.5 * (bnvar + 1e-5)**-1.5 * dbnvar_inv
dbndiff2 = torch.ones_like(bndiff2) * dbnvar / (n - 1)
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff.clone()
#: ex1 dembcat..dC
