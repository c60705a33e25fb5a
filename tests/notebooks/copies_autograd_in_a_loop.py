# expect: ex1 pass
# expect: ex1.dh refused, wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
for _ in range(1):
    dh = h.grad.clone()
    cmp('h', dh, h)
#: ex1 dW2..dC
