# expect: ex1 dprobs not-written: the file has no function dprobs
# expect: ex1 dlogits exact
# expect: ex3 dhprebn not-written: the file has no function dhprebn
import torch.nn.functional as F


def dlogits(logits, dnorm_logits, dlogit_maxes):
    return dnorm_logits + F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
