# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dhpreact
cmp('hpreact', dhpreact, hpreact)
dhpreact = hpreact.grad # so that what follows is exact
#: ex1 dbngain..dC
dlogprobs_like = torch.zeros_like(logprobs.grad).shape
# %%
#: ex2
# %%
dhpreact = hpreact.grad
#: ex3
