# expect: ex1 dbnvar exact
def dbnvar(bnvar, eps=1e-5, dbnvar_inv=None, /):
    return (-0.5 * (bnvar + eps) ** -1.5) * dbnvar_inv
