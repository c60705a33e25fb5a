# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
try:
    dlogits = dnorm_logits.clone()
    dlogits[range(n), logits.argmax(1)] += dlogit_maxes.squeeze()
    cmp('logits', dlogits, logits)
except Exception as e:
    print('failed', e)
#: ex1 dh..dC
