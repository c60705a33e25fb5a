# expect: ex1 dcounts_sum wrong: autograd has
# expect: ex1 dbnmeani wrong: of 64 elements differ
# expect: ex1 dbnvar wrong
def dcounts_sum(counts_sum, dcounts_sum_inv):
    return counts_sum**-2 * dcounts_sum_inv


def dbnmeani(dbndiff):
    return 2 * dbndiff.sum(0, keepdim=True)


def dbnvar(bnvar, dbnvar_inv):
    return (0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv
