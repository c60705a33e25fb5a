# expect: ex1 dbnmeani exact: (64,) for (1, 64): the same but for a leading 1, keepdim=True keeps it
# expect: ex1 db2 exact: (1, 27) for (27,): the same but for a leading 1, sum without keepdim, or .squeeze(0), drops it
# expect: ex1 dbngain exact: the same but for a leading 1
# expect: ex1 dprobs exact: (1, 32, 27) for (32, 27)
def dbnmeani(dbndiff):
    return -dbndiff.sum(0)


def db2(dlogits):
    return dlogits.sum(0, keepdim=True)


def dbngain(bnraw, dhpreact):
    return (bnraw * dhpreact).sum(0)


def dprobs(probs, dlogprobs):
    return ((1.0 / probs) * dlogprobs)[None]
