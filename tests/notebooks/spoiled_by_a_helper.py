# expect: ex1 pass
# expect: ex1.dh, ex1.dprobs wrong
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
def clip(t, m=1e-3):
    t.clamp_(-m, m)
    return t
def rescale(t):
    t *= 10
#: ex1
# %%
dh_clipped = clip(dh)
rescale(dprobs)
