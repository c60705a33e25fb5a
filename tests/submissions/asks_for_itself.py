# expect: ex1 dprobs error: dprobs asks for dprobs itself
# expect: ex1 dC error: dC asks for dC itself
def dprobs(probs, dprobs):
    return dprobs


def dC(dC):
    return dC
