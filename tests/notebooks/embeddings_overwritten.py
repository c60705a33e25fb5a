# expect: ex1 pass
# expect: ex1.dC wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..demb
dC = torch.zeros_like(C)
dC[Xb] += demb
