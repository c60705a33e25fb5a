# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
import time
#: forward
# %%
#: ex1 dlogprobs..demb
t0 = time.time()
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
  for j in range(Xb.shape[1]):
    ix = Xb[k,j]
    dC[ix] += demb[k,j]
print('loop', time.time() - t0)
t0 = time.perf_counter()
dC2 = torch.zeros_like(C)
dC2.index_add_(0, Xb.view(-1), demb.view(-1, 10))
print('index_add', time.perf_counter() - t0, torch.allclose(dC, dC2))
dC3 = F.one_hot(Xb, vocab_size).float().view(-1, vocab_size).T @ demb.view(-1, n_embd)
dC_bad = torch.zeros_like(C); dC_bad[Xb] += demb
cmp('C', dC, C); cmp('C', dC2, C); cmp('C', dC3, C)
cmp('C bad', dC_bad, C)
