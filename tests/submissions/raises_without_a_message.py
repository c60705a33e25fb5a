# expect: ex1 dprobs error: error: AssertionError (line 3)
def dprobs(probs, dlogprobs):
    assert probs is dlogprobs
    return dlogprobs / probs
