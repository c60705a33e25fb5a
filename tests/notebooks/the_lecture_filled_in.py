# expect: ex1, ex2, ex3, ex4 pass
#: setup
#: forward
# %%
#: ex1
#: cmps
# %%
#: ex2
# %%
#: ex3
# %%
#: ex4
