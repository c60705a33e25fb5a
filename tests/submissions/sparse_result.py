# expect: ex1 dlogprobs exact
import torch


def dlogprobs(logprobs, Yb, n):
    at = torch.stack([torch.arange(n), Yb])
    return torch.sparse_coo_tensor(at, torch.full((n,), -1.0 / n), logprobs.shape, is_coalesced=True)
