# expect: ex1 dprobs error: NameError: name 'probs' is not defined
def dprobs():
    return probs
