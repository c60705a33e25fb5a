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

LECTURE = dict(n=2, Cin=4, Cout=5, h=4, w=3, V=6)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=3, Cin=2, Cout=7, h=4, w=5, V=6),
    "probe-3": dict(seed=3, n=4, Cin=5, Cout=6, h=3, w=2, V=7),
}

HINTS = {
    "dc": {
        "shapes": """
dc has the shape of c: 2×5×8×6.
dp arrives as 2×5×4×3, a number for each square of 2 by 2. Each goes to one of the four places of its square; to the
other three this way gives 0.
""",
    },
    "dK": {
        "shapes": """
dK has the shape of K: 5×4×3×2.
dc arrives as 2×5×8×6, and x is 2×4×8×7, or 2×4×10×7 with the zeros. For each of the 3 by 2 places of the window, what
the window saw there is 2×4×8×6. Of dc and that, the sum over examples, height and width leaves 5×4.
""",
    },
    "dx": {
        "shapes": """
dx has the shape of x: 2×4×8×7.
dc arrives as 2×5×8×6, and K[:, :, i, j] is 5×4: their product, summed over the 5, is 2×4×8×6. Each of the 3 by 2 places
of the window puts one such into 2×4×10×7, at its own place; of that, the first and the last row go.
""",
    },
}


def inputs(g, n, Cin, Cout, h, w, V):
    """Pictures that pooling makes h by w, a kernel of 3 by 2, a bias and a head; drawn with the generator g."""
    return {
        "x": torch.randn((n, Cin, 2 * h, 2 * w + 1), generator=g),
        "K": torch.randn((Cout, Cin, 3, 2), generator=g) * (6 * Cin) ** -0.5,
        "b": torch.randn(Cout, generator=g) * 0.3,
        "Whead": torch.randn((Cout, V), generator=g),
        "labels": torch.randint(0, V, (n,), generator=g),
    }


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
    return (dm / (h * w))[:, :, None, None].repeat(1, 1, h, w)


def dp(p, da):
    """dp (2, 5, 4, 3): the gradient of the loss with respect to p.

    Forward:  a = torch.relu(p)
    Upstream: da (2, 5, 4, 3)
    """
    return da * (p > 0)


def dc(c, p, dp):
    """dc (2, 5, 8, 6): the gradient of the loss with respect to c.

    Forward:  p = F.max_pool2d(c, 2)
    Upstream: dp (2, 5, 4, 3)
    Where in its square was the largest?
    """
    best, dbest = (t.repeat_interleave(2, 2).repeat_interleave(2, 3) for t in (p, dp))
    return dbest * (c == best)


def db(dc):
    """db (5,): the gradient of the loss with respect to b.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    """
    return dc.sum((0, 2, 3))


def dK(x, K, dc):
    """dK (5, 4, 3, 2): the gradient of the loss with respect to K.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    One number of the kernel met the whole picture, moved by its place in the window.
    """
    height, width = dc.shape[2:]
    padded = F.pad(x, (0, 0, 1, 1))
    dK = torch.zeros_like(K)
    for i in range(3):
        for j in range(2):
            seen = padded[:, :, i : i + height, j : j + width]
            dK[:, :, i, j] = torch.einsum("nohw,nkhw->ok", dc, seen)
    return dK


def dx(x, K, dc):
    """dx (2, 4, 8, 7): the gradient of the loss with respect to x.

    Forward:  c = F.conv2d(x, K, b, padding=(1, 0))
    Upstream: dc (2, 5, 8, 6)
    A number of the picture was seen through up to six places of the window. The zeros around it are no part of x.
    """
    height, width = dc.shape[2:]
    dpadded = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            dpadded[:, :, i : i + height, j : j + width] += torch.einsum("nohw,ok->nkhw", dc, K[:, :, i, j])
    return dpadded[:, :, 1:-1]
