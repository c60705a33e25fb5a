# expect: ex1, ex2, ex3 not-written
# expect: ex4 pass
# expect-text: ex4.dbngain found as dgamma
#: setup
# %% [markdown]
# ### Exercise 4
# %%
#: ex4 bngain -> gamma; bnbias -> beta; bnraw -> x_hat; bnvar -> spread; bnmean -> centre
