# expect: ex1 dprobs error: ValueError: probs are not what I thought (line 5)
# expect: ex1 dh error: RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x27 and 64x27); `dlogits @ W2` has (32, 27) and (64, 27) (line 9)
# expect: ex1 dW2 exact
def dprobs(probs, dlogprobs):
    raise ValueError("probs are not what I thought")


def dh(W2, dlogits):
    return dlogits @ W2


def dW2(h, dlogits):
    return h.T @ dlogits
