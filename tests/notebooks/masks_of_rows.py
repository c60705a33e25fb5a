# expect: ex1 pass
# expect: ex1.dlogits wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
mask = torch.zeros_like(logits)
mask[logits.argmax(1)] = 1
dlogits = dnorm_logits + mask * dlogit_maxes
#: ex1 dh..dC
