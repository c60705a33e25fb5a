# expect: ex1 dprobs error: dcounts does not exist yet when the backward pass reaches dprobs (there is: dloss, dlogprobs)
# expect: ex1 dlogprobs error: dprobs does not exist yet when the backward pass reaches dlogprobs (there is: dloss)
def dprobs(probs, dcounts):
    return dcounts / probs


def dlogprobs(logprobs, dprobs):
    return dprobs
