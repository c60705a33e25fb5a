# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
dlogits = dnorm_logits.clone()
for i in range(n):
    k = logits[i].argmax()
    dlogits[i, k] += dlogit_maxes[i, 0]
    if i % 10 == 0: print(i, dlogits[i, k], logits.grad[i, k])
#: ex1 dh..dC
