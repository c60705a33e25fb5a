# the slope of the tanh's argument left out
# expect: ^a term is missing: the one with fc$
def dfc(fc, dact):
    t = torch.tanh((2 / torch.pi) ** 0.5 * (fc + 0.044715 * fc**3))
    return dact * 0.5 * (1 + t)
