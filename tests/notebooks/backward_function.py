# expect: ex1 pass
# expect: ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
def backward():
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0/n
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = -counts_sum**-2 * dcounts_sum_inv
    dcounts += dcounts_sum
    dnorm_logits = dcounts * counts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
    dlogits = dnorm_logits.clone()
    dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
    cmp('logits', dlogits, logits)
    return dlogprobs, dprobs, dcounts_sum_inv, dcounts, dcounts_sum, dnorm_logits, dlogit_maxes, dlogits
dlogprobs, dprobs, dcounts_sum_inv, dcounts, dcounts_sum, dnorm_logits, dlogit_maxes, dlogits = backward()
#: ex1 dh..dC
# %%
def exercise2():
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    cmp('logits', dlogits, logits)
    return dlogits
dlogits = exercise2()
# %%
def exercise3():
    dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
    cmp('hprebn', dhprebn, hprebn)
    return dhprebn
dhprebn = exercise3()
