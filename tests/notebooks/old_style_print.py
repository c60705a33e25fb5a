# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
print('dlogits %s %f'
      % (tuple(dlogits.shape),
         dlogits.abs().max()))
#: ex1 dh..dC
