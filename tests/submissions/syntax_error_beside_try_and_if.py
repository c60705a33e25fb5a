# expect: ex1 dprobs error: SyntaxError
# expect: ex1 dlogprobs exact
# expect: ex1 db2 exact
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    ZEROS = None
else:
    ZEROS = torch.zeros_like


def dprobs(probs, dlogprobs):
    return 1.0 / probs * dlogprobs)


def dlogprobs(logprobs, Yb, n):
    d = ZEROS(logprobs)
    d[range(n), Yb] = -1.0 / n
    return d


def db2(dlogits):
    return dlogits.sum(0)
