# --- dxtanh ---

# by the input
# expect: xtanh
def dxtanh(xtanh, dytanh):
    return (1 - xtanh**2) * dytanh


# not squared
# expect: exponent
def dxtanh(ytanh, dytanh):
    return (1 - ytanh) * dytanh


# --- dxsigmoid ---

# the derivative of tanh
# expect: 1 - ysigmoid squared
def dxsigmoid(ysigmoid, dysigmoid):
    return (1 - ysigmoid**2) * dysigmoid


# --- dxrelu ---

# open at 0 too
# expect: open where xrelu is exactly 0
def dxrelu(xrelu, dyrelu):
    dxrelu = dyrelu.clone()
    dxrelu[xrelu < 0] = 0
    return dxrelu


# a linear unit
# expect: passed through
def dxrelu(dyrelu):
    return dyrelu


# the input itself, not whether it is positive
# expect: relu itself is used where its derivative is meant
def dxrelu(xrelu, dyrelu):
    return F.relu(xrelu) * dyrelu


# --- dxleaky ---

# a plain ReLU
# expect: negative side
def dxleaky(xleaky, dyleaky):
    return (xleaky > 0) * dyleaky


# torch's own slope
# expect: 0.01
def dxleaky(xleaky, dyleaky):
    return torch.where(xleaky > 0, 1.0, 0.01) * dyleaky


# --- dxelu ---

# the output, without the 1
# expect: 1|term
def dxelu(xelu, yelu, dyelu):
    return torch.where(xelu > 0, dyelu, yelu * dyelu)
