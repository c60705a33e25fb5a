# expect: ex1 dprobs error: ZeroDivisionError: division by zero (line 3)
def scale(t):
    return t * (1 / 0)


def dprobs(probs, dlogprobs):
    return scale(dlogprobs) / probs
