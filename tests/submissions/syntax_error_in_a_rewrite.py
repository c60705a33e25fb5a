# expect: ex1 dprobs error: SyntaxError
# The stub stayed above; the learner's own version, which has the mistake, is the one that counts.
def dprobs(probs, dlogprobs):
    raise NotImplementedError("dprobs: not written yet")


def dprobs(probs, dlogprobs):
    return 1.0 / probs * dlogprobs)
