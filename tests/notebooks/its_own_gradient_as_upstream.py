# expect: ex1 not-written
# expect: ex1.dh error
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dh NameError: name 'dh' is not defined
#: setup
#: forward
# %%
pre = (1 - h**2) * dh
cmp('h', pre, h)
