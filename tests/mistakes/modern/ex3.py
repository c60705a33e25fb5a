# the scale of the scores is forgotten
# expect: \(2 \* P\)|scale|factor|P
def drq(rk, dscores):
    return dscores @ rk


# not transposed
# expect: transpos
def drk(rq, dscores, P):
    return dscores @ rq / (2 * P) ** 0.5


# the other of the pair
# expect: r2|1|stack|second|other
def dr1(dpairs):
    return dpairs[..., 1]


# the second way is forgotten
# expect: dr2|way|branch|missing
def dq1(cos, dr1):
    return dr1 * cos


# a sign
# expect: sign|forward|rotat
def dq2(cos, sin, dr1, dr2):
    return dr2 * cos + dr1 * sin


# the second stands first
# expect: dq1|order|exchanged|dq2|swapped
def dq(dq1, dq2):
    return torch.stack([dq2, dq1], -1).flatten(2)


# not rotated at all
# expect: local gradient of rk
def dk(drk):
    return drk.clone()
