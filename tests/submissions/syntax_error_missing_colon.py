# expect: ex1 dprobs error: SyntaxError: expected ':' (line 3)
# expect: ex1 dW2 exact
def dprobs(probs, dlogprobs)
    return 1.0 / probs * dlogprobs


def dW2(h, dlogits):
    return h.T @ dlogits
