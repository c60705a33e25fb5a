"""Five activations, and what each lets through backwards.

An activation works on every number by itself, so its backward pass is one number for each: the local
gradient, times the upstream gradient that arrives there. The lecture's histograms are pictures of it. Where a
tanh or a sigmoid is flat, almost nothing comes back: the neuron is saturated. Where a ReLU is
off, nothing at all does; one that is off for every example never learns again, it is dead.

Each activation here has an input and an output of its own. Write the gradient of each input.

Parameters are passed by name; you may ask for others, which `grader show` lists.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=8, n_hidden=6)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, n_hidden=13),
    "probe-3": dict(seed=3, n=9, n_hidden=5),
}


def inputs(g, n, n_hidden):
    """Pre-activations twice as wide as a standard normal, so that some of them saturate. A ReLU's, and a leaky
    ReLU's, may be 0.
    """
    names = ("xtanh", "xsigmoid", "xrelu", "xleaky", "xelu")
    drawn = {name: 2 * torch.randn((n, n_hidden), generator=g) for name in names}
    drawn["xrelu"][1, 1] = drawn["xrelu"][-1, -1] = 0
    drawn["xleaky"][1, 2] = drawn["xleaky"][-1, -2] = 0
    return drawn


def forward(xtanh, xsigmoid, xrelu, xleaky, xelu):
    ytanh = torch.tanh(xtanh)
    ysigmoid = torch.sigmoid(xsigmoid)
    yrelu = F.relu(xrelu)
    yleaky = F.leaky_relu(xleaky, 0.1)
    yelu = F.elu(xelu)
    # any loss will do
    total = ytanh + ysigmoid + yrelu + yleaky + yelu
    loss = (total**2).mean()
    return loss


def dxtanh(ytanh, dytanh):
    """dxtanh (8, 6): the gradient of the loss with respect to xtanh.

    Forward:  ytanh = torch.tanh(xtanh)
    Upstream: dytanh (8, 6)
    Between -1 and 1. What is it where the output is 0, and what near 1?
    """
    return (1.0 - ytanh**2) * dytanh


def dxsigmoid(ysigmoid, dysigmoid):
    """dxsigmoid (8, 6): the gradient of the loss with respect to xsigmoid.

    Forward:  ysigmoid = torch.sigmoid(xsigmoid)
    Upstream: dysigmoid (8, 6)
    A tanh pressed between 0 and 1. It passes a quarter of what arrives at best.
    """
    return ysigmoid * (1.0 - ysigmoid) * dysigmoid


def dxrelu(xrelu, dyrelu):
    """dxrelu (8, 6): the gradient of the loss with respect to xrelu.

    Forward:  yrelu = F.relu(xrelu)
    Upstream: dyrelu (8, 6)
    It is max(0, x), which is off at 0 as well.
    """
    return (xrelu > 0) * dyrelu


def dxleaky(xleaky, dyleaky):
    """dxleaky (8, 6): the gradient of the loss with respect to xleaky.

    Forward:  yleaky = F.leaky_relu(xleaky, 0.1)
    Upstream: dyleaky (8, 6)
    It is x where x is positive and 0.1·x elsewhere, so that no neuron is ever dead. At exactly 0 its slope counts
    as 0.1.
    """
    return torch.where(xleaky > 0, dyleaky, 0.1 * dyleaky)


def dxelu(xelu, yelu, dyelu):
    """dxelu (8, 6): the gradient of the loss with respect to xelu.

    Forward:  yelu = F.elu(xelu)
    Upstream: dyelu (8, 6)
    It is x where x is positive, and exp(x) - 1 elsewhere.
    """
    return torch.where(xelu > 0, dyelu, (yelu + 1.0) * dyelu)
