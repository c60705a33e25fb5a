# expect: ex1 dprobs wrong-dtype: float64, wanted float32; the values are right
# expect: ex1 dh wrong-dtype: float64, wanted float32
# expect-not: ex1 dh right
# expect: ex1 dlogprobs wrong-dtype: int64, wanted float32
# expect: ex1 dW2 wrong-dtype: float16, wanted float32
# expect: ex1 db2 wrong-dtype: complex64, wanted float32
# expect: ex1 dbnraw wrong-dtype: bool, wanted float32
def dprobs(probs, dlogprobs):
    return dlogprobs.double() / probs.double()


def dh(W2, dlogits):
    return -(dlogits.double() @ W2.T.double())


def dlogprobs(logprobs):
    return logprobs.long()


def dW2(h, dlogits):
    return (h.T @ dlogits).half()


def db2(dlogits):
    return dlogits.sum(0) + 0j


def dbnraw(dhpreact):
    return dhpreact > 0
