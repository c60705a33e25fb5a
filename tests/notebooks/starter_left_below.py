# expect: ex1, ex2, ex3 not-written
# expect: ex4 pass
#: setup
# %%
#: ex4 grads = [dC -> dC, dW1, db1, dW2, db2, dbngain, dbnbias = [None] * 7;grads = [dC
