# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
cmp('logprobs', dlogprobs, logprobs)
# %%
dlogprobs.shape, probs.shap
# %%
dprobs = dlogprobs * probs**-1
cmp('probs', dprobs, probs)
# %%
1/0
# %%
(dprobs * counts_sum_inv).shape
print(tmp)
# %%
dcounts = dprobs * counts_sum_inv
dcounts_sum_inv = torch.sum(dprobs * counts, 1, keepdim=True)
cmp('counts_sum_inv', dcounts_sum_inv, counts_sum_inv)
# %%
dcounts_sum = -dcounts_sum_inv / counts_sum**2
cmp('counts_sum', dcounts_sum, counts_sum)
# %%
a = torch.randn(3, 3)
b = a.sum(1, keepdims=True)
a, b, a @ b.T
# %%
dcounts = dcounts + torch.ones_like(counts) * dcounts_sum
cmp('counts', dcounts, counts)
# %%
#: ex1 dnorm_logits..dlogits
# %%
import matplotlib.pyplot as plt
plt.figure(figsize=(8, 4))
plt.imshow(dlogits.detach(), cmap='gray')
# %%
#: ex1 dh..db2
# %%
#: ex1 dhpreact..dbndiff2
cmp('bndiff2', dbndiff2, bndiff2)
# %%
dbndiff += 2 * bndiff * dbndiff2
# %%
#: ex1 dbnmeani..dC
#: cmps
# %%
#: ex2
# %%
undefined_name + 1
#: ex3
