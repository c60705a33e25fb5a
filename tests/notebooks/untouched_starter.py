# expect: ex1, ex2, ex3, ex4 not-written
# expect-text: ex1.dprobs nothing assigns dprobs
#: setup
#: forward
# %% [markdown]
# ## Exercise 1: backprop through the whole thing manually
# %%
# -----------------
# YOUR CODE HERE :)
# -----------------
# cmp('logprobs', dlogprobs, logprobs)
# cmp('probs', dprobs, probs)
# %%
# Exercise 2: backprop through cross_entropy but all in one go
loss_fast = F.cross_entropy(logits, Yb)
# dlogits = None # TODO. my solution is 3 lines
# cmp('logits', dlogits, logits)
# %%
# Exercise 3: backprop through batchnorm but all in one go
hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / torch.sqrt(hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) + bnbias
dhprebn = None # TODO. my solution is 1 (long) line
cmp('hprebn', dhprebn, hprebn)
