# expect: ex1, ex2, ex3, ex4 pass
#: setup
#: forward
# %%
#: ex1
# %%
#: ex2
# %%
#: ex3
# %%
#: ex4 with torch.no_grad(): -> if True:; p.data += -lr * grad -> p.data -= lr * grad
