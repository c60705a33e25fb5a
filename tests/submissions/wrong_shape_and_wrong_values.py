# expect: ex1 dcounts_sum_inv wrong-shape: came (32,), wanted (32, 1)
# expect: ex1 dW2 wrong-shape: came (27, 64), wanted (64, 27)
# expect-not: ex1 dcounts_sum_inv right
# expect-not: ex1 dW2 right
def dcounts_sum_inv(counts, dprobs):
    return -(counts * dprobs).sum(1)


def dW2(h, dlogits):
    return dlogits.T @ h * 2
