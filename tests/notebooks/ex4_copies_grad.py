# expect: ex1, ex2, ex3 not-written
# expect: ex4 pass
# expect: ex4.dh, ex4.training refused
# expect-text: ex4.training h.grad is autograd's own
#: setup
# %%
#: ex4 dh = dlogits @ W2.T -> dh = h.grad
