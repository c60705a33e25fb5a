# expect: ex1 dprobs error: there is nothing called dlogprob to pass to dprobs; did you mean dlogprobs?
# expect: ex1 dW2 error: there is nothing called hh to pass to dW2; did you mean h?
# expect: ex1 dh error: there is nothing called quux to pass to dh
def dprobs(probs, dlogprob):
    return dlogprob / probs


def dW2(hh, dlogits):
    return hh.T @ dlogits


def dh(quux, dlogits):
    return dlogits @ quux.T
