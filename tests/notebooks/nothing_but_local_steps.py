# expect: ex1 not-written
# expect: ex1.dprobs, ex1.dbngain, ex1.dh pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
dprobs = logprobs.grad / probs
dbngain = (bnraw * hpreact.grad).sum(0, keepdim=True)
dh = logits.grad @ W2.T
