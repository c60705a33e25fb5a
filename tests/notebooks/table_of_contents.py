# expect: ex1, ex2, ex3 pass
# expect: ex4 pass
# %% [markdown]
# # Becoming a backprop ninja
# - Exercise 1: the whole graph
# - Exercise 2: cross entropy
# - Exercise 3: batch norm
# - Exercise 4: training
# %%
#: setup
#: forward
# %%
#: ex1
# %%
dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n
# %%
#: ex3
# %%
#: ex4
