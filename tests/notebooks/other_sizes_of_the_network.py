# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup n_hidden = 64 -> n_hidden = 200; batch_size = 32 -> batch_size = 16
#: forward
# %%
#: ex1
# %%
#: ex2
# %%
#: ex3
