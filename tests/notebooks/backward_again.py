# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
loss.backward(retain_graph=True)
logits.retain_grad()
print(logits.grad[0], W1.grad.shape, (C.grad != 0).sum())
#: ex1 dlogprobs..dnorm_logits
print((dnorm_logits - norm_logits.grad).abs().max())
assert torch.allclose(dnorm_logits, norm_logits.grad)
#: ex1 dlogit_maxes..dC
for name, theirs, mine in (('C', C, dC), ('W1', W1, dW1)):
    cmp(name, mine, theirs)
# %%
#: ex2
loss.backward()
# %%
#: ex3
