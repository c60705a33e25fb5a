# expect: ex1 dprobs error: RecursionError: maximum recursion depth exceeded
# expect: ex1 dW2 exact
def dprobs(probs, dlogprobs):
    return dprobs(probs, dlogprobs)


def dW2(h, dlogits):
    return h.T @ dlogits
