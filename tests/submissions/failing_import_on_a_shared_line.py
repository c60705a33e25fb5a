# expect: ex1 dh exact
# expect: ex1 dW2 exact
# expect: ex1 db2 error: NameError: plotting is not defined: line 8 failed, ModuleNotFoundError
# expect: ex1 dprobs error: ModuleNotFoundError: No module named 'no_such_helpers' (line 10)
# expect: ex1 dcounts not-written: the file has no function dcounts
from __future__ import annotations

import no_such_module as plotting; import torch

from no_such_helpers import dprobs


def dh(W2: NotThere, dlogits: NotThere) -> NotThere:
    return torch.matmul(dlogits, W2.T)


def dW2(h: NotThere, dlogits: NotThere) -> NotThere:
    return h.T @ dlogits


def db2(dlogits):
    return plotting.shown(dlogits.sum(0))
