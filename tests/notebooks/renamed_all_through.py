# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
# expect-text: ex1.dlogit_maxes found as dlogits_maxes
# expect-text: ex1.dbndiff2 found as dbatch_norm_diff2
#: setup
# %%
emb = C[Xb]
emb_cat = emb.view(emb.shape[0], -1)
h_prebn = emb_cat @ W1 + b1
batch_norm_mean = 1/n*h_prebn.sum(0, keepdim=True)
batch_norm_diff = h_prebn - batch_norm_mean
batch_norm_diff2 = batch_norm_diff**2
batch_norm_var = 1/(n-1)*(batch_norm_diff2).sum(0, keepdim=True)
batch_norm_var_inv = (batch_norm_var + 1e-5)**-0.5
batch_norm_raw = batch_norm_diff * batch_norm_var_inv
h_preact = bngain * batch_norm_raw + bnbias
h = torch.tanh(h_preact)
logits = h @ W2 + b2
logits_maxes = logits.max(1, keepdim=True).values
normed_logits = logits - logits_maxes
counts = normed_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
lprobs = probs.log()
loss = -lprobs[range(n), Yb].mean()
for p in parameters:
  p.grad = None
loss.backward()
# %%
dlprobs = torch.zeros_like(lprobs)
dlprobs[range(n), Yb] = -1.0/n
dprobs = dlprobs / probs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts_sum = -counts_sum**-2 * dcounts_sum_inv
dcounts += dcounts_sum
dnormed_logits = dcounts * counts
dlogits_maxes = -dnormed_logits.sum(1, keepdim=True)
dlogits = dnormed_logits + F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogits_maxes
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dh_preact = (1 - h**2) * dh
dbngain = (dh_preact * batch_norm_raw).sum(0, keepdim=True)
dbnbias = dh_preact.sum(0, keepdim=True)
dbatch_norm_raw = bngain * dh_preact
dbatch_norm_var_inv = (batch_norm_diff * dbatch_norm_raw).sum(0, keepdim=True)
dbatch_norm_diff = batch_norm_var_inv * dbatch_norm_raw
dbatch_norm_var = -0.5 * (batch_norm_var + 1e-5)**-1.5 * dbatch_norm_var_inv
dbatch_norm_diff2 = torch.ones_like(batch_norm_diff2) * dbatch_norm_var / (n - 1)
dbatch_norm_diff += 2 * batch_norm_diff * dbatch_norm_diff2
dbatch_norm_mean = -dbatch_norm_diff.sum(0, keepdim=True)
dh_prebn = dbatch_norm_diff.clone()
dh_prebn += dbatch_norm_mean / n
demb_cat = dh_prebn @ W1.T
dW1 = emb_cat.T @ dh_prebn
db1 = dh_prebn.sum(0)
demb = demb_cat.view(emb.shape)
dC = torch.zeros_like(C)
for i in range(Xb.shape[0]):
  for j in range(Xb.shape[1]):
    dC[Xb[i, j]] += demb[i, j]
# cmp('lprobs', dlprobs, lprobs)
# %% [markdown]
# ### Exercise 2
# %%
dlogits = (F.softmax(logits, 1) - F.one_hot(Yb, vocab_size)) / n
cmp('logits', dlogits, logits)
# %% [markdown]
# ### Exercise 3
# %%
dh_prebn = bngain*batch_norm_var_inv/n * (n*dh_preact - dh_preact.sum(0) - n/(n-1)*batch_norm_raw*(dh_preact*batch_norm_raw).sum(0))
cmp('h_prebn', dh_prebn, h_prebn)
