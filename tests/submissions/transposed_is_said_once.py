# expect: ex1 dW2 wrong-shape: wrong shape: h and dlogits are exchanged; came (27, 64), wanted (64, 27) (line 4)
# expect-not: ex1 dW2 transposed; came
def dW2(h, dlogits):
    return dlogits.T @ h
