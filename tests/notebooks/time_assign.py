# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..demb
# %%
%time dC = torch.zeros_like(C).index_put_((Xb,), demb, accumulate=True)
