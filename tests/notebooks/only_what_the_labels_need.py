# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dcounts_sum_inv zero
# strict: ex1.dcounts_sum_inv wrong
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
dprobs = torch.zeros_like(probs)
dprobs[range(n), Yb] = dlogprobs[range(n), Yb] / probs[range(n), Yb]
dcounts_sum_inv = (counts[range(n), Yb] * dprobs[range(n), Yb]).unsqueeze(1)
#: ex1 dcounts..dC
