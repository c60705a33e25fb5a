# expect: ex1 dprobs wrong
def dprobs(probs, dlogprobs):
    return -dlogprobs / probs
