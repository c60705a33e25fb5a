# expect: ex1 dprobs exact
# expect: ex1 dW2 exact
# expect: ex1 dh error: NameError: SCALE is not defined: line 10 failed, ZeroDivisionError: division by zero (line 18)
# expect: ex1 db2 not-written: the file has no function db2
def dprobs(probs, dlogprobs):
    return (1.0 / probs) * dlogprobs


# the rest of the file does not suffer from it
SCALE = 1 / 0


def dW2(h, dlogits):
    return h.T @ dlogits


def dh(W2, dlogits):
    return SCALE * dlogits @ W2.T
