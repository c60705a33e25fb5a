# expect: ex1 dprobs exact
# expect: ex1 dW2 wrong
def dprobs(probs, dlogprobs):
    raise NotImplementedError


def dprobs(probs, dlogprobs):
    return (1.0 / probs) * dlogprobs


def dW2(h, dlogits):
    return h.T @ dlogits


def dW2(h, dlogits):
    return 2 * h.T @ dlogits
