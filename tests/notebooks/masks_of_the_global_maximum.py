# expect: ex1 pass
# expect: ex1.dlogits wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
dlogits = dnorm_logits + (logits == logits.max()) * dlogit_maxes
#: ex1 dh..dC
