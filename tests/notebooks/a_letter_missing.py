# expect: ex1 pass
# expect: ex1.dbndiff2 not-written
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dbnvar
bndiff2 = torch.ones_like(bndiff2) * dbnvar / (n - 1)
cmp('bndiff2', dbndiff2, bndiff2)
# %%
dbndiff += 2 * bndiff * dbndiff2
#: ex1 dbnmeani..dC
