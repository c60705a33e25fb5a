# a transpose that the forward line has already
# expect: wte is transposed where it is meant as it is
def dx(wte, dlogits):
    return dlogits @ wte.T
