# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dC
print(dC.shape
