# expect: ex1 pass
# expect: ex1.dh wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1
# %%
row = dh[0]
row *= 0
