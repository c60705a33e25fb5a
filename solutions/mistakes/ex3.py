"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    """Bessel's correction, n / (n - 1), is left out"""
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0))


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    """the exponent of bnvar_inv is off: it is squared"""
    s = (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain * bnvar_inv**2 * (dhpreact - dhpreact.mean(0) - bnraw * s)


def dhprebn(hprebn, bngain, dhpreact, n):
    """the variance is taken with n where the forward line has n - 1: var's correction is left out"""
    centred = hprebn - hprebn.mean(0)
    inv = ((centred**2).mean(0) + 1e-5) ** -0.5
    raw = centred * inv
    return bngain * inv / n * (n * dhpreact - dhpreact.sum(0) - raw * (dhpreact * raw).sum(0))


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact):
    """the sums run over the neurons, as in a layer norm: a batch norm's run over the examples"""
    g = bngain * dhpreact
    return bnvar_inv * (g - g.mean(-1, keepdim=True) - bnraw * (g * bnraw).mean(-1, keepdim=True))
