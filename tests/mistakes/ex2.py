# no division by n
# expect: division by n is missing
def dlogits(logits, Yb, n):
    d = logits.softmax(-1)
    for i in range(n):
        d[i, Yb[i]] -= 1
    return d


# softmax alone
# expect: label
def dlogits(logits, n):
    p = torch.exp(logits)
    p = p / p.sum(1, keepdim=True)
    return p / n


# softmax alone, not averaged
# expect: label
def dlogits(logits):
    return torch.softmax(logits, dim=1)


# the sign
# expect: sign
def dlogits(logits, Yb, n):
    return (F.one_hot(Yb, logits.shape[1]) - F.softmax(logits, dim=1)) / n


# plus one
# expect: added|sign|\+ ?1|plus|subtract
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1)
    d[torch.arange(n), Yb] += 1
    return d / n


# only the -1 is divided
# expect: (only|softmax).*(n|divi)|divi
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1)
    d[range(n), Yb] -= 1 / n
    return d


# only the softmax is divided
# expect: label|divi|n\b
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1) / n
    d[range(n), Yb] -= 1
    return d


# softmax down the columns
# expect: dim|column|axis
def dlogits(logits, Yb, n):
    d = torch.softmax(logits, 0)
    d[range(n), Yb] -= 1
    return d / n


# columns for all rows
# expect: label|every row|all rows|columns
def dlogits(logits, Yb, n):
    d = torch.softmax(logits, 1)
    d[:, Yb] -= 1
    return d / n


# log_softmax
# expect: log
def dlogits(logits, Yb, n):
    d = F.log_softmax(logits, 1)
    d[range(n), Yb] -= 1
    return d / n


# logits, not softmax
# expect: softmax
def dlogits(logits, Yb, n):
    return (logits - F.one_hot(Yb, logits.shape[1])) / n


# set to -1
# expect: label|assign|=
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1)
    d[range(n), Yb] = -1
    d /= n
    return d


# a batch of 32
# expect: 32 is written where n is meant
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1)
    d[range(n), Yb] -= 1
    return d / 32


# divided by n twice
# expect: divi.* n |1/n
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1) / n
    d[range(n), Yb] -= 1 / n
    return d / n


# divided by the number of elements
# expect: vocab_size|element
def dlogits(logits, Yb):
    return (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / logits.numel()


# n - 1
# expect: n - 1
def dlogits(logits, Yb, n):
    return (F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / (n - 1)


# not normalised
# expect: normal|exp|softmax
def dlogits(logits, Yb, n):
    d = logits.exp()
    d[range(n), Yb] -= 1
    return d / n


# a batch of 32 in range
# expect: 32 is written where n is meant
def dlogits(logits, Yb, n):
    d = F.softmax(logits, 1)
    d[range(32), Yb] -= 1
    return d / n


# 27 classes
# expect: 27 is written where vocab_size is meant
def dlogits(logits, Yb, n):
    return (F.softmax(logits, 1) - F.one_hot(Yb, num_classes=27)) / n


# softmax down the columns
# expect: `F\.softmax\(logits, dim=0\)` goes along axis 0, where axis 1 is meant
def dlogits(logits, Yb, n):
    d = F.softmax(logits, dim=0)
    d[range(n), Yb] -= 1
    return d / n
