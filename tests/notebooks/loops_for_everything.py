# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
for i in range(n):
    dlogprobs[i, Yb[i]] = -1 / n
dprobs = torch.stack([dlogprobs[i] / probs[i] for i in range(n)])
dcounts_sum_inv = torch.zeros_like(counts_sum_inv)
for i in range(n):
    for j in range(vocab_size):
        dcounts_sum_inv[i] += counts[i, j] * dprobs[i, j]
dcounts = counts_sum_inv * dprobs
dcounts_sum = -counts_sum**-2 * dcounts_sum_inv
for i, row in enumerate(dcounts):
    row += dcounts_sum[i]
dnorm_logits = dcounts * counts
dlogit_maxes = torch.tensor([[-float(row.sum())] for row in dnorm_logits])
dlogits = dnorm_logits.clone()
i = 0
while i < n:
    dlogits[i, logits[i].argmax()] += dlogit_maxes[i, 0]
    i += 1
#: ex1 dh..dhpreact
dbngain = sum(dhpreact[i] * bnraw[i] for i in range(n))[None, :]
dbnbias = torch.zeros_like(bnbias)
for i in range(n):
    dbnbias += dhpreact[i]
#: ex1 dbnraw..demb
dC = torch.zeros_like(C)
for row, targets in enumerate(Xb.tolist()):
    for column, letter in enumerate(targets):
        dC[letter] = dC[letter] + demb[row, column]
