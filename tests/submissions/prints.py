# expect: ex1 dprobs exact
# expect: ex1 dW2 exact
import sys

print("at the top")


def dprobs(probs, dlogprobs):
    print("probs", probs.shape)
    return (1.0 / probs) * dlogprobs


def dW2(h, dlogits):
    sys.stdout.close()
    sys.stderr.close()
    return h.T @ dlogits
