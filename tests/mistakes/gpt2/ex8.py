# a transpose that the forward line has already
# expect: attprojw is transposed where it is meant as it is
def dy(attprojw, dx1):
    return dx1 @ attprojw.T
