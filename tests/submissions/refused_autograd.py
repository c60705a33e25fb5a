# expect: ex1 dprobs refused: Tensor.backward is refused: a gradient is to be written by hand
# expect: ex1 dh refused: torch.autograd.grad is refused
# expect: ex1 dW2 refused: torch.func.vjp is refused
# expect: ex1 db2 exact
# expect: ex1 dhprebn refused: torch.compile is refused
# expect: ex1 dhpreact refused: the forward pass, run again, is refused
import torch

# a stray backward on the top level, as a notebook's set-up has it, does nothing and harms nobody
x = torch.ones(3, requires_grad=True)
(x * 2).sum().backward()


def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n):
    return torch.tanh(C.sum())


def dprobs(probs, dlogprobs):
    p = probs.clone().requires_grad_()
    try:
        (p.log() * dlogprobs).sum().backward()
    except Exception:
        pass
    return p.grad


def dh(h, W2, b2, dlogits):
    h = h.clone().requires_grad_()
    return torch.autograd.grad(h @ W2 + b2, h, dlogits)[0]


def dW2(h, W2, b2, dlogits):
    return torch.func.vjp(lambda w: h @ w + b2, W2)[1](dlogits)[0]


def db2(dlogits):
    with torch.no_grad():
        return dlogits.sum(0)


def dhpreact(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n, h, dh):
    forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n)
    return (1 - h**2) * dh


@torch.compile
def dhprebn(dbndiff, dbnmeani, n):
    return dbndiff + dbnmeani / n
