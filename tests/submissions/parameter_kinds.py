# expect: ex1 dprobs exact
# expect: ex1 dW2 exact
# expect: ex1 dh exact
# expect: ex1 dbnvar exact
# expect: ex1 dlogprobs exact
# expect: ex1 dbnraw exact
# expect: ex1 dhpreact exact
# expect: ex1 db2 exact
# expect: ex1 dbnbias exact
import torch


def dprobs(*, probs, dlogprobs):
    return (1.0 / probs) * dlogprobs


def dW2(h, dlogits, /):
    return h.T @ dlogits


def dh(dlogits, /, *, W2):
    return dlogits @ W2.T


def dbnvar(bnvar, dbnvar_inv, eps=1e-5):
    return (-0.5 * (bnvar + eps) ** -1.5) * dbnvar_inv


def dlogprobs(logprobs, Yb, n=None):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -1.0 / n
    return d


def dbnraw(bngain, dhpreact, **kwargs):
    assert not kwargs
    return bngain * dhpreact


def dhpreact(h, dh, *args, **kwargs):
    return (1.0 - h**2) * dh


def db2(dlogits: "torch.Tensor", axis: int = 0) -> "torch.Tensor":
    return dlogits.sum(axis)


def dbnbias(dhpreact, axis=0, *, keepdim=True):
    return dhpreact.sum(axis, keepdim=keepdim)
