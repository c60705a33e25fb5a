# expect: ex4 pass
# expect: ex4.dbngain wrong
# expect: ex4.training wrong
# expect: ex1 pass
# expect: ex2, ex3 not-written
#: setup
#: forward
# %%
#: ex1
# %%
#: ex4 dbngain = (bnraw * dhpreact) -> dbngain = (hpreact * dhpreact)
