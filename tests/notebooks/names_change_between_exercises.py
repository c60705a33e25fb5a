# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
# expect-text: ex3.dhprebn found as dL_dhprebn
#: setup
#: forward
# %%
#: ex1 with dL_
# %%
#: ex2
# %%
# Exercise 3: what it receives has the name that exercise 1 gave it
dL_dhprebn = bngain*bnvar_inv/n * (n*dL_dhpreact - dL_dhpreact.sum(0) - n/(n-1)*bnraw*(dL_dhpreact*bnraw).sum(0))
