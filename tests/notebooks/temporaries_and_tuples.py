# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
tmp = torch.zeros_like(logprobs)
tmp[range(n), Yb] = 1
tmp = tmp * (-1 / n)
dlogprobs = tmp
tmp = 1 / probs
dprobs = tmp * dlogprobs
tmp = counts * dprobs
dcounts_sum_inv, part = tmp.sum(1, keepdim=True), counts_sum_inv * dprobs
dcounts_sum = -dcounts_sum_inv * counts_sum_inv ** 2
other = torch.ones_like(counts) * dcounts_sum
dcounts = part + other
dnorm_logits = dcounts * counts
(dlogit_maxes, direct) = ((-dnorm_logits).sum(1, keepdim=True), dnorm_logits)
tmp = torch.zeros_like(logits)
tmp[range(n), logits.max(1)[1]] = 1
dlogits = direct + tmp * dlogit_maxes
[dh, dW2, db2] = [dlogits @ W2.T, h.T @ dlogits, dlogits.sum(0)]
tmp = 1 - h**2
dhpreact = tmp * dh
tmp = dhpreact * bnraw
dbngain = tmp.sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dbnraw = bngain * dhpreact
tmp = bndiff * dbnraw
dbnvar_inv = tmp.sum(0, keepdim=True)
branch_1 = bnvar_inv * dbnraw
eps = 1e-5
dbnvar = dbnvar_inv * (-0.5 * (bnvar + eps)**(-1.5))
dbndiff2 = dbnvar * torch.full_like(bndiff2, 1 / (n - 1))
branch_2 = 2 * bndiff * dbndiff2
dbndiff = branch_1 + branch_2
dbnmeani = -dbndiff.sum(0, keepdim=True)
branch_1 = dbndiff
branch_2 = dbnmeani / n
dhprebn = branch_1 + branch_2
dembcat, dW1, db1 = dhprebn @ W1.T, embcat.T @ dhprebn, dhprebn.sum(0)
demb = dembcat.view(emb.shape)
dC = tmp = torch.zeros_like(C)
for place, letter in enumerate(Xb.flatten()):
    tmp[letter] += demb.reshape(-1, n_embd)[place]
# %%
# Exercise 2
p = F.softmax(logits, dim=1)
y = F.one_hot(Yb, num_classes=vocab_size).float()
dlogits = (p - y) / n
# %%
# Exercise 3
sum_1 = dhpreact.sum(0, keepdim=True)
sum_2 = (dhpreact * bnraw).sum(0, keepdim=True)
scale = bngain * bnvar_inv
dhprebn = scale * (dhpreact - sum_1 / n - bnraw * sum_2 / (n - 1))
