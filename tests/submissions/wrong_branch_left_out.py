# expect: ex1 dbndiff wrong: the branch through bnraw is left out: only what comes through bndiff2 is there; at
# expect: ex1 dhprebn wrong: the branch through bndiff is left out: only what comes through bnmeani is there; at
# expect: ex1 dcounts wrong: autograd has
# expect: ex1 dnorm_logits exact
def dbndiff(bndiff, dbndiff2):
    return 2 * bndiff * dbndiff2


def dhprebn(hprebn, dbnmeani, n):
    return dbnmeani.expand_as(hprebn) / n


def dcounts(counts_sum_inv, dprobs):
    return counts_sum_inv * dprobs


def dnorm_logits(counts, dcounts):
    return counts * dcounts
