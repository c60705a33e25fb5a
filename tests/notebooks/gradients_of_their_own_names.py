# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dlogprobs found as g0
# expect-text: ex1.dC found as table_gradient
#: setup
#: forward
# %%
g0 = torch.zeros_like(logprobs)
g0[range(n), Yb] = -1.0/n
g1 = g0 / probs
cmp('logprobs', g0, logprobs)
cmp('probs', g1, probs)
#: ex1 dcounts_sum_inv..demb dprobs -> g1
table_gradient = torch.zeros_like(C)
table_gradient.index_add_(0, Xb.view(-1), demb.view(-1, n_embd))
cmp('a typed label', table_gradient, C)
