# expect: ex1 dprobs exact
# expect: ex1 dW2 exact
import sys

print("at the top")


def dprobs(probs, dlogprobs):
    print("probs", probs.shape)
    return (1.0 / probs) * dlogprobs


def dW2(h, dlogits):
    print('to the other stream', file=sys.stderr, flush=True)
    return h.T @ dlogits
