"""Convolution and pooling: a small window that goes over a picture.

A convolution looks at a picture through a window. At each place it takes the product of what it sees and a
kernel, and sums over the window and all channels; every place is seen with the same kernel. Max pooling
keeps of each square of 2 by 2 the largest, and the mean over what is left of a picture is average pooling,
with one window for all of it.

In steps: pictures x (2, 4, 8, 7), that is examples, channels, height, width; a row of zeros above and
below; the kernel K (5, 4, 3, 2) and a bias b (5,) give c (2, 5, 8, 6); of each square the largest p (2, 5,
4, 3); a ReLU, a; its mean over height h = 4 and width w = 3, m (2, 5), and a matrix to the logits.

Everything here is sums of products. Write one number of c as a sum, with i and j in the window:

c[n,o,y,z] = b[o] + Σ K[o,k,i,j] · x[n,k,y+i−1,z+j]

and ask where K[o,k,i,j] stands in it, and where x does. A loop over the 3 by 2 places of the window, with
one product for each, is all that is needed.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, K, b, Whead, labels):
    # a window of 3 by 2, with a row of zeros above and below
    c = F.conv2d(x, K, b, padding=(1, 0))
    # of each square the largest
    p = F.max_pool2d(c, 2)
    a = torch.relu(p)
    # of each channel the mean, and the head
    m = a.mean((2, 3))
    logits = m @ Whead
    loss = F.cross_entropy(logits, labels)
    return loss


def da(dm, h, w):
    """da (2, 5, 4, 3): the gradient of the loss with respect to a.

    Forward:  m = a.mean((2, 3))
    Upstream: dm (2, 5)
    """
    raise NotImplementedError("da: not written yet")


def dp(p, da):
    """dp (2, 5, 4, 3): the gradient of the loss with respect to p.

    Forward:  a = torch.relu(p)
    Upstream: da (2, 5, 4, 3)
    """
    raise NotImplementedError("dp: not written yet")


def dc(c, p, dp):
    """dc (2, 5, 8, 6): the gradient of the loss with respect to c.

    Forward:  p = F.max_pool2d(c, 2)
    Upstream: dp (2, 5, 4, 3)
    Where in its square was the largest?
    """
    raise NotImplementedError("dc: not written yet")


def db(dc):
    """db (5,): the gradient of the loss with respect to b.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    """
    raise NotImplementedError("db: not written yet")


def dK(x, K, dc):
    """dK (5, 4, 3, 2): the gradient of the loss with respect to K.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    One number of the kernel met the whole picture, moved by its place in the window.
    """
    raise NotImplementedError("dK: not written yet")


def dx(x, K, dc):
    """dx (2, 4, 8, 7): the gradient of the loss with respect to x.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    A number of the picture was seen through up to six places of the window. The zeros around it are no part of x.
    """
    raise NotImplementedError("dx: not written yet")
