# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
def back_pick(shape, rows, columns):
    out = torch.zeros(shape)
    out[rows, columns] = -1.0 / len(columns)
    return out

def back_product(x, y, dout):
    """d of x * y, for both."""
    return unbroadcast(y * dout, x), unbroadcast(x * dout, y)

def unbroadcast(d, like):
    for axis, size in enumerate(like.shape):
        if size == 1 and d.shape[axis] != 1:
            d = d.sum(axis, keepdim=True)
    return d

def back_linear(x, W, dout):
    return dout @ W.T, x.T @ dout, dout.sum(0)

# %%
dlogprobs = back_pick(logprobs.shape, range(n), Yb)
dprobs = dlogprobs / probs
dcounts, dcounts_sum_inv = back_product(counts, counts_sum_inv, dprobs)
dcounts_sum = dcounts_sum_inv * (-1) * counts_sum ** -2
dcounts += dcounts_sum
dnorm_logits = dcounts * norm_logits.exp()
dlogit_maxes = unbroadcast(-dnorm_logits, logit_maxes)
where = torch.zeros_like(logits).scatter_(1, logits.max(1, keepdim=True).indices, 1.0)
dlogits = dnorm_logits + where * dlogit_maxes
dh, dW2, db2 = back_linear(h, W2, dlogits)
dhpreact = dh - dh * h**2
dbngain, dbnraw = back_product(bngain, bnraw, dhpreact)
dbnbias = unbroadcast(dhpreact, bnbias)
dbndiff, dbnvar_inv = back_product(bndiff, bnvar_inv, dbnraw)
dbnvar = dbnvar_inv * -0.5 * bnvar_inv ** 3
dbndiff2 = dbnvar.expand(n, -1) / (n - 1)
dbndiff = dbndiff + dbndiff2 * bndiff * 2
dbnmeani = unbroadcast(-dbndiff, bnmeani)
dhprebn = dbndiff + dbnmeani.expand(n, -1) / n
dembcat, dW1, db1 = back_linear(embcat, W1, dhprebn)
demb = dembcat.view(*emb.shape)
def scatter_rows(table, index, rows):
    out = torch.zeros_like(table)
    for row, which in zip(rows.view(-1, rows.shape[-1]), index.view(-1)):
        out[which] += row
    return out
dC = scatter_rows(C, Xb, demb)
# %%
#: ex2
# %%
#: ex3
