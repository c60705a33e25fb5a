# expect: ex1 dprobs not-finite: 1 of 864 not finite, the first is NaN at [3, 4]
# expect: ex1 dh not-finite: 64 of 2048 not finite, the first is -inf at [31, 0]
# expect: ex1 db2 not-finite: 27 of 27 not finite, the first is NaN at [0]
# expect: ex1 dW2 not-finite: the first is -inf at [0, 0]
def dprobs(probs, dlogprobs):
    d = dlogprobs / probs
    d[3, 4] = float("nan")
    return d


def dh(W2, dlogits):
    d = dlogits @ W2.T
    d[-1] = -float("inf")
    return d


def db2(dlogits):
    return dlogits.sum(0) * float("nan")


def dW2(h, dlogits):
    return (h.T @ dlogits) / 0.0
