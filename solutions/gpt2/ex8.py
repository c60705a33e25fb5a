"""The whole of GPT-2, backwards: the gradients of sixteen parameters, and eleven on the way.

One block between the embeddings and the head, at a tiny size: what is missing to the real network is more of
the same. Its parameters are llm.c's sixteen tensors, under its names (there one tensor holds that of all
blocks, so that they stand for the 148 of a checkpoint, which has four of each block transposed):
wte and wpe; in the block ln1, qkv, attproj, ln2, fc and fcproj with a weight (w) and a bias (b) each; and lnf
before the head. Weights are stored as linear layers store them, (channels out, channels in), and the forward
pass transposes them.

Walk from the loss to the embeddings. You know every step from the exercises before, so each is asked
in one go. When all pass, you can train this network without autograd.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, max_T=8, V=11, Vp=13, nh=2, hs=5),
    "probe-1": dict(seed=1, B=4, T=6, max_T=8, V=11, Vp=13, nh=2, hs=5),
    "probe-2": dict(seed=2, B=2, T=5, max_T=7, V=8, Vp=10, nh=3, hs=4),
    "probe-3": dict(seed=3, B=5, T=3, max_T=7, V=6, Vp=9, nh=2, hs=4),
}

HINTS = {
    "dlogits": {
        "concept": """
As at the head of the small network: the softmax of the first V logits, 1 less at the label, over the
number of positions. The padding takes no part.
""",
        "shapes": """
dlogits has the shape of logits: 4×6×13.
Only 4×6×11 of it have to do with the loss; the last 2 of each row are there all the same.
""",
        "formula": """
    dlogits[b,t,v] = (p[v] − [v = Yb[b,t]])/(B · T)  where v < V, else 0

p[v] = exp(logits[b,t,v]) / Σ_w exp(logits[b,t,w]), with w below V as well. […] is 1 where it holds, else 0.
""",
    },
    "dx2": {
        "concept": """
The last LayerNorm, in one step: a number of a row reaches the normalised row directly, through the mean and
through the variance.
""",
        "formula": """
    dx2[b,t,i] = rstdf[b,t,0] · (g[i] − s − normf[b,t,i] · r)

g[i] = lnfw[i] · dlnf[b,t,i], and s and r are the row's means of g[i] and of g[i] · normf[b,t,i].
""",
    },
    "dfc": {
        "concept": """
GELU with tanh, in one step: by the product rule the gate, and the number times the gate's slope.
""",
        "formula": """
    dfc[b,t,i] = (0.5 · (1 + τ) + 0.5 · x · (1 − τ²) · u′) · dact[b,t,i]

x is fc[b,t,i], τ = tanh u with u = c · (x + 0.044715 · x³), c the square root of 2/π, and u′ the derivative
of u with respect to x.
""",
    },
    "dx1": {
        "concept": """
A join of the stream: what comes straight down, and what comes back through the MLP's LayerNorm.
""",
        "formula": """
    dx1[b,t,i] = dx2[b,t,i] + rstd2[b,t,0] · (g[i] − s − norm2[b,t,i] · r)

g[i] = ln2w[i] · dln2[b,t,i], and s and r are the row's means of g[i] and of g[i] · norm2[b,t,i].
""",
    },
    "dqkv": {
        "concept": """
All of attention, backwards: y as heads; the product of att and v; the softmax in each row; the scaled product
of queries and keys; and the three blocks side by side.
""",
        "formula": """
    dqkv[b,t,c] = the block that c lies in, at head h and number d of that head:
        in q: hs^−0.5 · Σ_j e[t,j] · k[b,h,j,d]
        in k: hs^−0.5 · Σ_i e[i,t] · q[b,h,i,d]
        in v: Σ_i att[b,h,i,t] · g[i,d]

g[i,d] is dy as heads, a[i,j] = Σ_d g[i,d] · v[b,h,j,d] is the gradient of att, and
e[i,j] = att[b,h,i,j] · (a[i,j] − Σ_l att[b,h,i,l] · a[i,l]) that of the scores.
""",
    },
    "dx0": {
        "concept": """
The first join of the stream: what comes straight down, and what comes back through the attention's LayerNorm.
""",
        "formula": """
    dx0[b,t,i] = dx1[b,t,i] + rstd1[b,t,0] · (g[i] − s − norm1[b,t,i] · r)

g[i] = ln1w[i] · dln1[b,t,i], and s and r are the row's means of g[i] and of g[i] · norm1[b,t,i].
""",
    },
}


def inputs(g, B, T, max_T, V, Vp, nh, hs):
    """Tokens, labels, the causal mask and the sixteen parameters. Biases and gains are random: zeros hide
    mistakes.
    """
    if Vp < V or max_T <= T:
        raise ValueError("the tables are as long as what is looked up in them, wpe is longer")
    C = nh * hs

    def linear(fan_out, fan_in):
        return torch.randn((fan_out, fan_in), generator=g) * fan_in**-0.5

    def gain():
        return torch.randn(C, generator=g) * 0.3 + 1.0

    def bias(size):
        return torch.randn(size, generator=g) * 0.1

    return {
        "wte": torch.randn((Vp, C), generator=g) * 0.5,
        "wpe": torch.randn((max_T, C), generator=g) * 0.5,
        "ln1w": gain(),
        "ln1b": bias(C),
        "qkvw": linear(3 * C, C),
        "qkvb": bias(3 * C),
        "attprojw": linear(C, C),
        "attprojb": bias(C),
        "ln2w": gain(),
        "ln2b": bias(C),
        "fcw": linear(4 * C, C),
        "fcb": bias(4 * C),
        "fcprojw": linear(C, 4 * C),
        "fcprojb": bias(C),
        "lnfw": gain(),
        "lnfb": bias(C),
        "future": torch.ones((T, T), dtype=torch.bool).triu(1),
        "Xb": torch.randint(0, V, (B, T), generator=g),
        "Yb": torch.randint(0, V, (B, T), generator=g),
    }


def forward(
    wte, wpe, ln1w, ln1b, qkvw, qkvb, attprojw, attprojb,
    ln2w, ln2b, fcw, fcb, fcprojw, fcprojb, lnfw, lnfb,
    future, Xb, Yb, B, T, V, nh, hs,
):  # fmt: skip
    # tokens and their positions
    x0 = wte[Xb] + wpe[:T]
    # attention
    rstd1 = (x0.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm1 = (x0 - x0.mean(-1, keepdim=True)) * rstd1
    ln1 = norm1 * ln1w + ln1b
    qkv = ln1 @ qkvw.T + qkvb
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    att = torch.softmax((q @ k.mT * hs**-0.5).masked_fill(future, float("-inf")), -1)
    y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    x1 = x0 + (y @ attprojw.T + attprojb)
    # MLP
    rstd2 = (x1.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm2 = (x1 - x1.mean(-1, keepdim=True)) * rstd2
    ln2 = norm2 * ln2w + ln2b
    fc = ln2 @ fcw.T + fcb
    act = F.gelu(fc, approximate="tanh")
    x2 = x1 + (act @ fcprojw.T + fcprojb)
    # head
    rstdf = (x2.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    normf = (x2 - x2.mean(-1, keepdim=True)) * rstdf
    lnf = normf * lnfw + lnfb
    logits = lnf @ wte.T
    loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    return loss


def dlogits(logits, Yb, B, T, V):
    """dlogits (4, 6, 13): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    Upstream: none, the loss itself (its gradient is 1)
    """
    kept = F.softmax(logits[:, :, :V], -1) - F.one_hot(Yb, V)
    dlogits = torch.zeros_like(logits)
    dlogits[:, :, :V] = kept / (B * T)
    return dlogits


def dlnf(wte, dlogits):
    """dlnf (4, 6, 10): the gradient of the loss with respect to lnf.

    Forward:  logits = lnf @ wte.T
    Upstream: dlogits (4, 6, 13)
    """
    return dlogits @ wte


def dlnfw(normf, dlnf):
    """dlnfw (10,): the gradient of the loss with respect to lnfw.

    Forward:  lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    return (normf * dlnf).sum((0, 1))


def dlnfb(dlnf):
    """dlnfb (10,): the gradient of the loss with respect to lnfb.

    Forward:  lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    return dlnf.sum((0, 1))


def dx2(normf, rstdf, lnfw, dlnf):
    """dx2 (4, 6, 10): the gradient of the loss with respect to x2.

    Forward:  the lines from rstdf down to lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    g = dlnf * lnfw
    return rstdf * (g - g.mean(-1, keepdim=True) - normf * (g * normf).mean(-1, keepdim=True))


def dfcprojw(act, dx2):
    """dfcprojw (10, 40): the gradient of the loss with respect to fcprojw.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    return dx2.flatten(0, 1).T @ act.flatten(0, 1)


def dfcprojb(dx2):
    """dfcprojb (10,): the gradient of the loss with respect to fcprojb.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    return dx2.sum((0, 1))


def dact(fcprojw, dx2):
    """dact (4, 6, 40): the gradient of the loss with respect to act.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    return dx2 @ fcprojw


def dfc(fc, dact):
    """dfc (4, 6, 40): the gradient of the loss with respect to fc.

    Forward:  act = F.gelu(fc, approximate="tanh")
    Upstream: dact (4, 6, 40)
    With c, the square root of 2/pi, gelu(x) is 0.5 * x * (1 + tanh(c * (x + 0.044715 * x**3))).
    """
    c = (2 / torch.pi) ** 0.5
    t = torch.tanh(c * (fc + 0.044715 * fc**3))
    slope = c * (1 + 3 * 0.044715 * fc**2)
    return (0.5 * (1 + t) + 0.5 * fc * (1 - t**2) * slope) * dact


def dfcw(ln2, dfc):
    """dfcw (40, 10): the gradient of the loss with respect to fcw.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    return dfc.flatten(0, 1).T @ ln2.flatten(0, 1)


def dfcb(dfc):
    """dfcb (40,): the gradient of the loss with respect to fcb.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    return dfc.sum((0, 1))


def dln2(fcw, dfc):
    """dln2 (4, 6, 10): the gradient of the loss with respect to ln2.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    return dfc @ fcw


def dln2w(norm2, dln2):
    """dln2w (10,): the gradient of the loss with respect to ln2w.

    Forward:  ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10)
    """
    return (norm2 * dln2).sum((0, 1))


def dln2b(dln2):
    """dln2b (10,): the gradient of the loss with respect to ln2b.

    Forward:  ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10)
    """
    return dln2.sum((0, 1))


def dx1(norm2, rstd2, ln2w, dln2, dx2):
    """dx1 (4, 6, 10): the gradient of the loss with respect to x1.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
              the lines from rstd2 down to ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10), dx2 (4, 6, 10)
    A join: two gradients meet.
    """
    g = dln2 * ln2w
    back = rstd2 * (g - g.mean(-1, keepdim=True) - norm2 * (g * norm2).mean(-1, keepdim=True))
    return dx2 + back


def dattprojw(y, dx1):
    """dattprojw (10, 10): the gradient of the loss with respect to attprojw.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    return dx1.flatten(0, 1).T @ y.flatten(0, 1)


def dattprojb(dx1):
    """dattprojb (10,): the gradient of the loss with respect to attprojb.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    return dx1.sum((0, 1))


def dy(attprojw, dx1):
    """dy (4, 6, 10): the gradient of the loss with respect to y.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    return dx1 @ attprojw


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  the lines from q down to y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dy (4, 6, 10)
    """
    dheads = dy.reshape(B, T, nh, hs).transpose(1, 2)
    datt = dheads @ v.mT
    dscores = att * (datt - (att * datt).sum(-1, keepdim=True)) * hs**-0.5
    parts = (dscores @ k, dscores.mT @ q, att.mT @ dheads)
    return torch.cat([d.transpose(1, 2).reshape(B, T, nh * hs) for d in parts], -1)


def dqkvw(ln1, dqkv):
    """dqkvw (30, 10): the gradient of the loss with respect to qkvw.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    return dqkv.flatten(0, 1).T @ ln1.flatten(0, 1)


def dqkvb(dqkv):
    """dqkvb (30,): the gradient of the loss with respect to qkvb.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    return dqkv.sum((0, 1))


def dln1(qkvw, dqkv):
    """dln1 (4, 6, 10): the gradient of the loss with respect to ln1.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    return dqkv @ qkvw


def dln1w(norm1, dln1):
    """dln1w (10,): the gradient of the loss with respect to ln1w.

    Forward:  ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10)
    """
    return (norm1 * dln1).sum((0, 1))


def dln1b(dln1):
    """dln1b (10,): the gradient of the loss with respect to ln1b.

    Forward:  ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10)
    """
    return dln1.sum((0, 1))


def dx0(norm1, rstd1, ln1w, dln1, dx1):
    """dx0 (4, 6, 10): the gradient of the loss with respect to x0.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
              the lines from rstd1 down to ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10), dx1 (4, 6, 10)
    The other join.
    """
    g = dln1 * ln1w
    back = rstd1 * (g - g.mean(-1, keepdim=True) - norm1 * (g * norm1).mean(-1, keepdim=True))
    return dx1 + back


def dwpe(wpe, dx0, T):
    """dwpe (8, 10): the gradient of the loss with respect to wpe.

    Forward:  x0 = wte[Xb] + wpe[:T]
    Upstream: dx0 (4, 6, 10)
    A context of T positions leaves the rows from T on alone.
    """
    dwpe = torch.zeros_like(wpe)
    dwpe[:T] = dx0.sum(0)
    return dwpe


def dwte(wte, Xb, lnf, dx0, dlogits):
    """dwte (13, 10): the gradient of the loss with respect to wte.

    Forward:  x0 = wte[Xb] + wpe[:T]
              logits = lnf @ wte.T
    Upstream: dx0 (4, 6, 10), dlogits (4, 6, 13)
    The same matrix at both ends of the network.
    """
    dwte = dlogits.flatten(0, 1).T @ lnf.flatten(0, 1)
    dwte.index_add_(0, Xb.flatten(), dx0.flatten(0, 1))
    return dwte
