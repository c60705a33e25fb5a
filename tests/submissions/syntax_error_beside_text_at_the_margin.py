# expect: ex1 dprobs error: SyntaxError
# expect: ex1 dW2 exact
def dprobs(probs, dlogprobs):
    return 1.0 / probs * dlogprobs)


def dW2(h, dlogits):
    """My notes, not indented:

h is 32 by 64, so
h.T @ dlogits is 64 by 27.
"""
    return h.T @ dlogits
