# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dcounts found as dexp_logits
# expect-text: ex1.dbnvar found as dspread
#: setup n = batch_size -> pass; Xb, Yb = Xtr[ix], Ytr[ix] -> inputs, labels = Xtr[ix], Ytr[ix]; bngain -> gamma; bnbias -> beta
# %%
embedded = F.embedding(inputs, C)
flat = embedded.flatten(1)
pre = flat @ W1 + b1
mean = pre.mean(dim=0, keepdim=True)
centred = pre - mean
squares = centred.square()
spread = torch.sum(squares, dim=0, keepdim=True) / (batch_size - 1)
scale = 1 / torch.sqrt(spread + 1e-5)
normed = scale * centred
hpreact = beta + normed * gamma
act = hpreact.tanh()
scores = torch.matmul(act, W2) + b2
largest = scores.amax(dim=1, keepdim=True)
shifted = scores - largest
exp_logits = torch.exp(shifted)
total = exp_logits.sum(axis=1, keepdims=True)
total_inv = 1.0 / total
q = exp_logits * total_inv
logq = torch.log(q)
loss = -logq[torch.arange(batch_size), labels].mean()
# %%
dlogq = torch.zeros_like(logq)
dlogq[range(batch_size), labels] = -1.0/batch_size
dq = dlogq / q
dtotal_inv = (exp_logits * dq).sum(1, keepdim=True)
dtotal = -total**-2 * dtotal_inv
dexp_logits = total_inv * dq + dtotal
dshifted = dexp_logits * exp_logits
dlargest = -dshifted.sum(1, keepdim=True)
dscores = dshifted + F.one_hot(scores.argmax(1), vocab_size) * dlargest
dact = dscores @ W2.T
dW2 = act.T @ dscores
db2 = dscores.sum(0)
dhpreact = (1 - act**2) * dact
dgamma = (dhpreact * normed).sum(0, keepdim=True)
dbeta = dhpreact.sum(0, keepdim=True)
dnormed = gamma * dhpreact
dscale = (centred * dnormed).sum(0, keepdim=True)
dspread = -0.5 * (spread + 1e-5)**-1.5 * dscale
dsquares = torch.ones_like(squares) * dspread / (batch_size - 1)
dcentred = scale * dnormed + 2 * centred * dsquares
dmean = -dcentred.sum(0, keepdim=True)
dpre = dcentred + dmean / batch_size
dflat = dpre @ W1.T
dW1 = flat.T @ dpre
db1 = dpre.sum(0)
dembedded = dflat.view(embedded.shape)
dC = torch.zeros_like(C)
dC.index_add_(0, inputs.flatten(), dembedded.flatten(0, 1))
