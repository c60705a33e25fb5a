# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1
#: cmps
# sanity check of cmp itself: autograd against autograd
for name, t in [('h', h), ('W2', W2)]:
    cmp(name, t.grad, t)
check = h.grad
cmp('h', check, h)
