# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dprobs found as probs.d
#: setup
#: forward
# %%
logprobs.d = torch.zeros_like(logprobs)
logprobs.d[range(n), Yb] = -1.0/n
probs.d = logprobs.d / probs
counts_sum_inv.d = (counts * probs.d).sum(1, keepdim=True)
counts_sum.d = -counts_sum**-2 * counts_sum_inv.d
counts.d = counts_sum_inv * probs.d + counts_sum.d
norm_logits.d = counts.d * counts
logit_maxes.d = -norm_logits.d.sum(1, keepdim=True)
logits.d = norm_logits.d + F.one_hot(logits.max(1).indices, num_classes=27) * logit_maxes.d
#: ex1 dh..dC
cmp('logits', logits.d, logits)
