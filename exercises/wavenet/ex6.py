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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dz: not written yet")


def dvalue(share, dz):
    """dvalue (4, 6, 7): the gradient of the loss with respect to value.

    Forward:  z = value * share
    Upstream: dz (4, 6, 7)
    """
    raise NotImplementedError("dvalue: not written yet")


def dshare(value, dz):
    """dshare (4, 6, 7): the gradient of the loss with respect to share.

    Forward:  z = value * share
    Upstream: dz (4, 6, 7)
    """
    raise NotImplementedError("dshare: not written yet")


def dfilt(value, dvalue):
    """dfilt (4, 6, 7): the gradient of the loss with respect to filt.

    Forward:  value = torch.tanh(filt)
    Upstream: dvalue (4, 6, 7)
    """
    raise NotImplementedError("dfilt: not written yet")


def dgate(share, dshare):
    """dgate (4, 6, 7): the gradient of the loss with respect to gate.

    Forward:  share = torch.sigmoid(gate)
    Upstream: dshare (4, 6, 7)
    The sigmoid's derivative is simplest in terms of its output.
    """
    raise NotImplementedError("dgate: not written yet")


def dpast(Wfpast, Wgpast, dfilt, dgate):
    """dpast (4, 6, 5): the gradient of the loss with respect to past.

    Forward:  filt = past @ Wfpast + x @ Wfnow
              gate = past @ Wgpast + x @ Wgnow
    Upstream: dfilt (4, 6, 7), dgate (4, 6, 7)
    Both convolutions read it.
    """
    raise NotImplementedError("dpast: not written yet")


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
    raise NotImplementedError("dx: not written yet")
