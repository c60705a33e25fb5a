"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch
import torch.nn.functional as F


def dweighted(weighted):
    """it is divided by all places: by how many tokens belong to answers is meant, answer.sum()"""
    return -torch.ones_like(weighted) / weighted.numel()


def dweighted(weighted):
    """it is divided by the number of rows: by how many tokens belong to answers is meant, answer.sum()"""
    return -torch.ones_like(weighted) / len(weighted)


def dweighted(weighted, answer):
    """each row is divided by its own number of answer tokens: by that of all rows is meant"""
    return -torch.ones_like(weighted) / answer.sum(1, keepdim=True)


def dpicked(reward, answer, dweighted):
    """the mean reward is not subtracted: the weight is (reward - reward.mean()) · answer"""
    return (dweighted * reward * answer).unsqueeze(2)


def dpicked(reward, dweighted):
    """answer is left out of the weight: outside of the answers nothing comes back"""
    return (dweighted * (reward - reward.mean())).unsqueeze(2)


def dpicked(picked, dweighted):
    """the log probability stands for the weight: each is the other's local gradient"""
    return dweighted.unsqueeze(2) * picked


def dlogits(logits, tokens, dpicked):
    """at the tokens that were written there is nothing: it is 1 minus their probability"""
    p = F.softmax(logits, -1).scatter(2, tokens.unsqueeze(2), 0.0)
    return -p * dpicked


def dlogits(logits, tokens, dpicked):
    """this is the way back of the softmax: here it is log_softmax's, the one-hot tokens minus the probabilities"""
    p = F.softmax(logits, -1)
    d = torch.zeros_like(logits).scatter(2, tokens.unsqueeze(2), dpicked)
    return p * (d - (p * d).sum(-1, keepdim=True))


def dlogits(logits, tokens, dpicked):
    """the 1 at the tokens is not multiplied by dpicked: the whole bracket is"""
    return F.one_hot(tokens, logits.shape[-1]) - F.softmax(logits, -1) * dpicked


def dlogits(logits, tokens, dpicked):
    """the 1 at the tokens is not multiplied by dpicked, and the sign is wrong"""
    return F.softmax(logits, -1) * dpicked - F.one_hot(tokens, logits.shape[-1])


def dlogits(logits, tokens, dpicked):
    """the local gradient is alone: dpicked is a factor of it"""
    return F.one_hot(tokens, logits.shape[-1]) - F.softmax(logits, -1)


def dlogits(logits, tokens, dpicked):
    """the probabilities stand where they are to be subtracted from the one-hot tokens, multiplied by them"""
    return F.one_hot(tokens, logits.shape[-1]) * F.softmax(logits, -1) * dpicked


def dlogits(logits, tokens, dpicked):
    """it is divided by the probabilities once more, as of log(): logprobs is a log_softmax of logits"""
    p = F.softmax(logits, -1)
    return (F.one_hot(tokens, logits.shape[-1]) / p - 1) * dpicked


def dlogits(logits, tokens, dpicked):
    """the softmax is left out: log_softmax subtracts the log of a sum, and the probabilities come back from it"""
    return torch.zeros_like(logits).scatter(2, tokens.unsqueeze(2), dpicked)


def dlogits(logits, tokens, dpicked):
    """log probabilities are subtracted: probabilities are meant"""
    return (F.one_hot(tokens, logits.shape[-1]) - F.log_softmax(logits, -1)) * dpicked


def dlogits(logits, tokens, dpicked):
    """1 is subtracted from every entry: only at the tokens that were written there is a 1"""
    return (1 - F.softmax(logits, -1)) * dpicked


def dlogits(logits, tokens, dpicked):
    """it is divided by how many places there are: dpicked has what the loss divides by already"""
    return (F.one_hot(tokens, logits.shape[-1]) - F.softmax(logits, -1)) * dpicked / tokens.numel()


def dW(x, dlogits):
    """only the last example is there: those of all add up"""
    return x[-1].T @ dlogits[-1]


def dx(W, dlogits):
    """the product is with W as it is laid out by a view, not transposed"""
    return dlogits @ W.reshape(W.shape[1], W.shape[0])


def dlogits(logits, tokens, answer):
    """how much better or worse an answer was is left out: dpicked holds it"""
    inner = F.softmax(logits, -1) - F.one_hot(tokens, logits.shape[-1])
    return inner * answer.unsqueeze(2) / answer.sum()
