# expect: ex1 dprobs exact
# expect: ex1 dW2 error: SystemExit: 0 (line 10)
import sys


def dprobs(probs, dlogprobs):
    return (1.0 / probs) * dlogprobs


sys.exit(0)


def dW2(h, dlogits):
    return h.T @ dlogits
