"""WaveNet's own layer: a gate, a residual and a skip connection.

The paper's layer has more than a convolution and a tanh. Two convolutions run side by side: one goes
through a tanh and says what, the other through a sigmoid and says how much; their product is the
layer's activation z. From there one path goes to the next layer, added to the layer's input (the
residual), and one goes straight to the output (the skip connection). In the paper a ReLU follows the sum of
all layers' skips; here there is one layer, and the ReLU is on the residual path.

Every such fork in the forward pass is a sum on the way back. The dilation is a size here: past holds
x, `dilation` steps later.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=4, T=6, dilation=2, n_embd=5, n_hidden=7, n_skip=3, vocab_size=9)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=2, T=8, dilation=3, n_embd=4, n_hidden=6, n_skip=5, vocab_size=11),
    "probe-3": dict(seed=3, n=3, T=7, dilation=1, n_embd=6, n_hidden=4, n_skip=8, vocab_size=5),
}


HINTS = {
    "dx": {
        "concept": """
x is read by four lines, and the gradients that come back through them add up. In the line of res it is a summand:
the upstream gradient comes back as it is. In the lines of filt and gate it is a factor of a matrix product: what
comes back is a product of dfilt and Wfnow, and one of dgate and Wgnow.

The line of past moves x later by `dilation` positions, which is how many before has. So its gradient moves as many
positions earlier: position t of x gets what arrives at position t + dilation of past. The last positions of x fell
off the end, and get nothing this way.
"""
    },
}


def inputs(g, n, T, dilation, n_embd, n_hidden, n_skip, vocab_size):
    """A layer's input, zeros for what was before its start, and its weights; drawn with the generator g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    return {
        "x": torch.randn((n, T, n_embd), generator=g),
        "before": torch.zeros(n, dilation, n_embd),
        "Wfpast": matrix(n_embd, n_hidden),
        "Wfnow": matrix(n_embd, n_hidden),
        "Wgpast": matrix(n_embd, n_hidden),
        "Wgnow": matrix(n_embd, n_hidden),
        "Wskip": matrix(n_hidden, n_skip),
        "Wres": matrix(n_hidden, n_embd),
        "Wa": matrix(n_skip, vocab_size),
        "Wb": matrix(n_embd, vocab_size),
        "labels": torch.randint(0, vocab_size, (n * T,), generator=g),
    }


def forward(x, before, Wfpast, Wfnow, Wgpast, Wgnow, Wskip, Wres, Wa, Wb, labels, n, T):
    past = torch.cat([before, x], 1)[:, :T]
    # what, and how much of it
    filt = past @ Wfpast + x @ Wfnow
    gate = past @ Wgpast + x @ Wgnow
    value = torch.tanh(filt)
    share = torch.sigmoid(gate)
    z = value * share
    # to the output, and to the next layer
    skip = z @ Wskip
    res = x + z @ Wres
    logits = skip @ Wa + torch.relu(res) @ Wb
    loss = F.cross_entropy(logits.view(n * T, -1), labels)
    return loss


def dz(Wskip, Wres, dskip, dres):
    """dz (4, 6, 7): the gradient of the loss with respect to z.

    Forward:  skip = z @ Wskip
              res = x + z @ Wres
    Upstream: dskip (4, 6, 3), dres (4, 6, 5)
    Two ways out of the layer, so two gradients meet here.
    """
    return dskip @ Wskip.T + dres @ Wres.T


def dvalue(share, dz):
    """dvalue (4, 6, 7): the gradient of the loss with respect to value.

    Forward:  z = value * share
    Upstream: dz (4, 6, 7)
    """
    return share * dz


def dshare(value, dz):
    """dshare (4, 6, 7): the gradient of the loss with respect to share.

    Forward:  z = value * share
    Upstream: dz (4, 6, 7)
    """
    return value * dz


def dfilt(value, dvalue):
    """dfilt (4, 6, 7): the gradient of the loss with respect to filt.

    Forward:  value = torch.tanh(filt)
    Upstream: dvalue (4, 6, 7)
    """
    return (1.0 - value**2) * dvalue


def dgate(share, dshare):
    """dgate (4, 6, 7): the gradient of the loss with respect to gate.

    Forward:  share = torch.sigmoid(gate)
    Upstream: dshare (4, 6, 7)
    The sigmoid's derivative is simplest in terms of its output.
    """
    return share * (1.0 - share) * dshare


def dpast(Wfpast, Wgpast, dfilt, dgate):
    """dpast (4, 6, 5): the gradient of the loss with respect to past.

    Forward:  filt = past @ Wfpast + x @ Wfnow
              gate = past @ Wgpast + x @ Wgnow
    Upstream: dfilt (4, 6, 7), dgate (4, 6, 7)
    Both convolutions read it.
    """
    return dfilt @ Wfpast.T + dgate @ Wgpast.T


def dx(Wfnow, Wgnow, dres, dfilt, dgate, dpast, dilation):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  res = x + z @ Wres
              filt = past @ Wfpast + x @ Wfnow
              gate = past @ Wgpast + x @ Wgnow
              past = torch.cat([before, x], 1)[:, :T]
    Upstream: dres (4, 6, 5), dfilt (4, 6, 7), dgate (4, 6, 7),
              dpast (4, 6, 5)
    Read by four lines. The residual hands its own gradient on unchanged; don't lose it.
    """
    dx = dres + dfilt @ Wfnow.T + dgate @ Wgnow.T
    dx[:, :-dilation] += dpast[:, dilation:]
    return dx
