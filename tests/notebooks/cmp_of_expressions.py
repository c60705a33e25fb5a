# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
cmp('logits', dlogits + 0, logits)
cmp('probs', dlogprobs / probs, probs)
cmp('counts', (counts_sum_inv * dprobs + dcounts_sum), counts)
#: ex1 dh..dC
cmp('b2', db2.view(1, -1), b2)
cmp('W1', dW1.detach(), W1)
cmp('W1 transposed', embcat.T @ dhprebn, W1)
