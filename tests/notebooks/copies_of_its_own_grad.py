# expect: ex1 pass
# expect: ex1.dprobs, ex1.dcounts, ex1.dh, ex1.dW2, ex1.dbnraw refused
# expect: ex1.db2 not-a-tensor
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogprobs
alias = probs
dprobs = [alias.grad][0]
#: ex1 dcounts_sum_inv..dcounts_sum_inv
dcounts = torch.zeros_like(counts)
dcounts[:] = counts.grad
#: ex1 dcounts_sum..dcounts_sum
#: ex1 dnorm_logits..dlogits
def of(t):
  return t.grad + 0
dh = of(h)
dW2 = (lambda: W2.grad)()
db2 = vars(b2).get('grad')
#: ex1 dhpreact..dbnbias
for once in range(1):
  dbnraw = torch.stack([bnraw.grad[i] for i in range(n)])
#: ex1 dbnvar_inv..dC
