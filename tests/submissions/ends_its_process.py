# expect: ex1 dprobs error: ended its process (exit status 7)
# expect: ex1 dW2 exact
import os


def dprobs(probs, dlogprobs):
    os._exit(7)


def dW2(h, dlogits):
    return h.T @ dlogits
