# expect: ex1 dprobs error: Rude: (its message can't be read) (line 10)
# expect: ex1 dh exact
class Rude(Exception):
    def __str__(self):
        raise RuntimeError("no")


def dprobs(probs, dlogprobs):
    # the next line is the one to name
    raise Rude


def dh(W2, dlogits):
    return dlogits @ W2.T
