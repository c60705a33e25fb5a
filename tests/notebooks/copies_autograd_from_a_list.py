# expect: ex1 pass
# expect: ex1.dh, ex1.dW2, ex1.db2, ex1.dC, ex1.dW1, ex1.db1 refused, error, wrong, not-a-tensor
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
dh = torch.autograd.grad(-logprobs[range(n), Yb].mean(), h, retain_graph=True)[0]
dW2 = parameters[3].grad
db2 = getattr(b2, 'grad')
#: ex1 dhpreact..demb
dC, dW1, db1 = [p.grad for p in [C, W1, b1]]
