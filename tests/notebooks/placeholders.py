# expect: ex1.dlogprobs, ex1.dprobs pass
# expect: ex1, ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dlogprobs = dprobs = dcounts = dcounts_sum = dcounts_sum_inv = None
dnorm_logits, dlogit_maxes, dlogits = None, None, None
dh = None  # TODO
dW2 = ...
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = dlogprobs / probs
#: cmps
# %%
# Exercise 2: backprop through cross_entropy but all in one go
dlogits = None # TODO. my solution is 3 lines
cmp('logits', dlogits, logits)
# %%
# Exercise 3: backprop through batchnorm but all in one go
dhprebn = None # TODO. my solution is 1 (long) line
cmp('hprebn', dhprebn, hprebn)
