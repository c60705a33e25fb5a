# the slope of the tanh's argument left out
# expect: ^a term is missing: the one with fc$
def dfc(fc, dact):
    t = torch.tanh((2 / torch.pi) ** 0.5 * (fc + 0.044715 * fc**3))
    return dact * 0.5 * (1 + t)


# c left out of the inner derivative
# expect: c is missing once
def dfc(fc, dact):
    c = (2 / torch.pi) ** 0.5
    t = torch.tanh(c * (fc + 0.044715 * fc**3))
    slope = 1 + 3 * 0.044715 * fc**2
    return (0.5 * (1 + t) + 0.5 * fc * (1 - t**2) * slope) * dact
