# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
# Exercise 2 does all of the above in one line!
#: ex1 dh..dhpreact
# exercise 3 will make this bit shorter
#: ex1 dbngain..dC
# %%
#: ex2
# %%
#: ex3
