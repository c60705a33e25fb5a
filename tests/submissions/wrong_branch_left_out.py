# expect: ex1 dbndiff wrong: a branch seems to be left out: no gradient that you use carries what flows back along bndiff -> bnraw
# expect: ex1 dhprebn wrong: a branch seems to be left out: no gradient that you use carries what flows back along hprebn -> bndiff
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
