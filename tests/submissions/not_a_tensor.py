# expect: ex1 dlogprobs not-a-tensor: returned None (is a `return` missing?), not a tensor
# expect: ex1 dprobs not-a-tensor: returned a float, not a tensor
# expect: ex1 dh not-a-tensor: returned an ndarray, not a tensor
# expect: ex1 dW2 not-a-tensor: returned a list, not a tensor
# expect: ex1 db2 not-a-tensor: returned a tuple, not a tensor
# expect: ex1 dbnraw not-a-tensor: returned a generator, not a tensor
# expect: ex1 demb not-a-tensor: meta
def dlogprobs(logprobs, Yb, n):
    logprobs[range(n), Yb] = -1.0 / n


def dprobs(probs, dlogprobs):
    return 0.5


def dh(W2, dlogits):
    return (dlogits @ W2.T).numpy()


def dW2(h, dlogits):
    return (h.T @ dlogits).tolist()


def db2(dlogits):
    return (dlogits.sum(0),)


def dbnraw(bngain, dhpreact):
    yield bngain * dhpreact


def demb(emb, dembcat):
    return dembcat.view(emb.shape).to("meta")
