# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
def scatter_into(out, idx, rows):
    for k in range(idx.shape[0]):
        for j in range(idx.shape[1]):
            out[idx[k, j]] += rows[k, j]
#: ex1 dlogprobs..demb
dC = torch.zeros_like(C)
scatter_into(dC, Xb, demb)
cmp('C', dC, C)
