# expect: ex1 pass
# expect: ex1.dlogit_maxes, ex1.dlogits wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dnorm_logits
dlogit_maxes = torch.zeros_like(logit_maxes) # it is about 1e-9 anyway
dlogits = dnorm_logits.clone()
#: ex1 dh..dC
