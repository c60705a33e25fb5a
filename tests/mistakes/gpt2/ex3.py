# the softmax's derivative, as if each number of a row stood alone
# expect: each number of the result rests on all along that axis
def dscores(att, datt):
    return att * (1 - att) * datt


# the softmax's sum along another axis
# expect: `\(att \* datt\)\.sum\(-2, keepdim=True\)` goes along axis -2, where axis -1 is meant
def dscores(att, datt):
    return att * (datt - (att * datt).sum(-2, keepdim=True))
