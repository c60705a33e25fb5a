# every row marks every label
# expect: whole columns are marked
def dlogprobs(logprobs, labels, dpicked):
    g = torch.zeros_like(logprobs)
    g[:, :, labels] = dpicked
    return g
