# expect: ex1 dprobs error: SyntaxError: invalid syntax
# expect: ex1 dprobs error: (line 8)
# expect: ex1 dlogits exact
# expect: ex1 dW2 exact
# expect: ex1 dh not-written
def dprobs(probs, dlogprobs):
    # what a learner leaves behind at night
    return (1.0 / probs) * * dlogprobs


def dlogits(logits, dnorm_logits, dlogit_maxes):
    import torch.nn.functional as F

    return dnorm_logits + F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes


def dW2(h, dlogits):
    return h.T @ dlogits


def dh(W2, dlogits):
    raise NotImplementedError("dh: not written yet")
