# expect: ex1 dprobs error: SystemExit: 3 (line 7)
# expect: ex1 dW2 exact
import sys


def dprobs(probs, dlogprobs):
    sys.exit(3)


def dW2(h, dlogits):
    return h.T @ dlogits
