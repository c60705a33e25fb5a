# expect: ex1 not-written
# expect: ex1.dlogprobs, ex1.dprobs, ex1.dcounts_sum_inv, ex1.dcounts_sum, ex1.dh, ex1.dhpreact, ex1.dbngain, ex1.dW2 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dh found as act_grad; the cmp holds it against the gradient of pre, another tensor
# expect-text: ex1.dhpreact found as pre_grad
# expect-text: ex1.dprobs found as g1
#: setup
#: forward hpreact = -> pre =; tanh(hpreact) -> tanh(pre); h = torch -> act = torch; h @ W2 -> act @ W2; h, hpreact -> act, pre
# %%
#: ex1 dlogprobs..dlogprobs
g1 = dlogprobs / probs
check_gradient("probs", g1, probs)
g2 = (counts * g1).sum(1, keepdim=True)
g3 = -counts_sum**-2 * g2
for label, mine, theirs in [("counts_sum_inv", g2, counts_sum_inv), ("dL/dcounts_sum", g3, counts_sum)]:
  cmp(label, mine, theirs)
act_grad = dlogits @ W2.T
cmp('act', act_grad, pre)
pre_grad = (1 - act**2) * act_grad
cmp('pre', pre_grad, act)
dbngain = (bnraw * pre_grad).sum(0, keepdim=True)
weights = act.T @ dlogits
print((weights - W2.grad).abs().max())
