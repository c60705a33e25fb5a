# the residual's own term lost
# expect: branch|dy|term
def dx(W1, dhidden):
    return torch.matmul(dhidden, W1.mT)


# the layers' part lost
# expect: branch|dhidden|term
def dx(dy):
    return dy.clone()


# the mask without its scale
# expect: 0\.8|division|constant
def dproj(keep, ddropped):
    return torch.mul(ddropped, keep)


# the scale without the mask
# expect: keep
def dproj(ddropped):
    return torch.div(ddropped, 0.8)


# the gate forgotten
# expect: hidden|factor
def dhidden(dact):
    return dact.clone()


# the gate open at 0 too
# expect: `hidden < 0` is wrong where both are exactly equal
def dhidden(hidden, dact):
    return torch.where(hidden < 0, 0.0, dact)
