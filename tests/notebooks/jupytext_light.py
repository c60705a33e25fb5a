# as: script
# expect: ex1 pass
# expect: ex1.dh not-written
# expect: ex2, ex3, ex4 not-written
# +
#: setup
# +
#: forward
# +
#: ex1 dlogprobs..dlogits

# +
dh = dlogits @ W2.T)

# +
#: ex1 dW2..dC
