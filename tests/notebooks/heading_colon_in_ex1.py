# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
# Exercise 1: backprop through the whole thing manually
#: ex1 dlogprobs..dhpreact
# Exercise 3: see below, all of this in one go
#: ex1 dbngain..dC
# %%
#: ex2
# %%
#: ex3
