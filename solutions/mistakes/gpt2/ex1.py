"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dx(w, norm, rstd, dout):
    """w multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    return rstd * w * (dout - dout.mean(-1, keepdim=True) - norm * (dout * norm).mean(-1, keepdim=True))


def dx(w, norm, rstd, dout):
    """the sums run over the examples, as in a batch norm: a layer norm's run over the channels"""
    g = dout * w
    return rstd * (g - g.mean((0, 1)) - norm * (g * norm).mean((0, 1)))
