# expect: ex1 dprobs not-written
# expect: ex1 dlogprobs not-written
def dlogprobs(logprobs, Yb, n):
    """dlogprobs (32, 27): the gradient of the loss with respect to logprobs."""
    raise NotImplementedError("dlogprobs: not written yet")


def dprobs(probs, dlogprobs):
    raise NotImplementedError
