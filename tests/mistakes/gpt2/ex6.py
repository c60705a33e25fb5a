# p1 as if the maximum had stayed
# expect: shrink is forgotten
def ds1(p1, l2, v1, out, dout):
    weights = p1 / l2
    return weights * (dout @ v1.T - (dout * out).sum(1, keepdim=True))
