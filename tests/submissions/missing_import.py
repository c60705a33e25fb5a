# expect: ex1 dlogprobs error: NameError: name 'torch' is not defined
# expect: ex1 dW2 not-written: the file has no function dW2
# expect: ex1 dh exact
import torhc


def dlogprobs(logprobs, Yb, n):
    return torch.zeros_like(logprobs)


def dh(W2, dlogits):
    return dlogits @ W2.T
