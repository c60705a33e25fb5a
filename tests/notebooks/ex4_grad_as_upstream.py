# expect: ex1, ex2, ex3 not-written
# expect: ex4 pass
# expect-text: ex4.dhpreact h.grad is taken for the upstream gradient, dh
#: setup
# %%
#: ex4 (1.0 - h**2) * dh -> (1.0 - h**2) * h.grad
