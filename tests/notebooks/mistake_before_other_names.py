# expect: ex1, ex2, ex3 pass
# expect: ex1.dhpreact wrong
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 with dL_
# %%
dL_dhpreact = dL_dhpreact * 2
# %%
#: ex2
# %%
# Exercise 3: a mistake in exercise 1 costs it nothing
dhprebn = bngain*bnvar_inv/n * (n*dL_dhpreact - dL_dhpreact.sum(0) - n/(n-1)*bnraw*(dL_dhpreact*bnraw).sum(0))
