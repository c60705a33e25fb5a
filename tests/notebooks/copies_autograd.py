# expect: ex1 pass
# expect: ex1.dhpreact refused
# expect: ex1.dC refused
# expect: ex2.dlogits refused
# expect: ex3 pass
# expect: ex4 not-written
# expect-text: ex1.dhpreact hpreact.grad
# expect-text: ex1.dlogits norm_logits.grad is taken for the upstream gradient, dnorm_logits
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
dlogits = norm_logits.grad
dlogits += F.one_hot(logits.argmax(1), vocab_size) * dlogit_maxes
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = hpreact.grad.clone() # to stay exact
#: ex1 dbngain..demb
dC = torch.zeros_like(C.grad) + C.grad
# %%
loss_fast = F.cross_entropy(logits, Yb)
dlogits = logits.grad
# %%
#: ex3
