# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
from typing import Any
Tensor = torch.Tensor
dlogprobs: Tensor = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -n ** -1
dprobs: Tensor = dlogprobs / probs
dcounts_sum_inv: Any = (spread := counts * dprobs).sum(1, keepdim=True)
dcounts_sum = (once := -1 / counts_sum**2) * dcounts_sum_inv
dcounts: Tensor
dcounts = (counts_sum_inv * dprobs) + dcounts_sum
print((dnorm_logits := counts * dcounts).shape)
if (dlogit_maxes := -dnorm_logits.sum(1, keepdim=True)).shape == (n, 1):
    pass
dlogits = dnorm_logits.clone()
for row, column in enumerate(logits.argmax(1).tolist()):
    dlogits[row, column] += dlogit_maxes[row, 0]
dh: Tensor = dlogits @ W2.T
dW2: Tensor = h.T @ dlogits
db2: Tensor = dlogits.sum(0)
#: ex1 dhpreact..demb
dC = sum((torch.zeros_like(C).index_add_(0, Xb[:, j], demb[:, j]) for j in range(block_size)), torch.zeros_like(C))
