# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[Yb] = -1.0/n
dprobs = dlogprobs / probs
dcounts = dprobs * counts
# %%
# that was wrong, once more from the top
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = dlogprobs / probs
dcounts_sum_inv = counts * dprobs
# %%
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
#: ex1 dcounts_sum..dlogit_maxes
dlogits = dnorm_logits
# %%
# aha: two branches
dlogits = dnorm_logits.clone() + F.one_hot(logits.argmax(1), vocab_size) * dlogit_maxes
#: ex1 dh..demb
dC = torch.ones_like(C)
# %%
dC = torch.zeros_like(C)
dC.index_put_((Xb,), demb, accumulate=True)
