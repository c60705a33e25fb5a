# expect: ex1 pass
# expect: ex1.dprobs, ex1.dh, ex1.demb, ex1.dlogits refused
# expect: ex1.dbnvar wrong
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dcounts probs.grad is taken for the upstream gradient, dprobs
# expect-text: ex1.dbnvar_inv bnraw.grad is taken for the upstream gradient, dbnraw
# expect-text: ex1.dbnvar is not the local gradient
# expect-text: ex1.dh refused: h.grad is autograd's own
# expect-text: ex1.dlogits refused: logits.grad is autograd's own
#: setup
#: forward
# %%
#: ex1
dprobs = logprobs.grad / probs + 0 * probs.grad
up = probs.grad
dcounts = counts_sum_inv * up + counts_sum.grad
dlogits = logits.grad * (norm_logits.grad == norm_logits.grad)
same = h
dh = h.grad + 0 * dlogits @ W2.T
dW2 = h.T @ logits.grad
dbnvar_inv = (bndiff * bnraw.grad.clone()).sum(0, keepdim=True)
dbnvar = (bnvar + 1e-5)**-0.5 * bnvar_inv.grad
demb = C.grad[Xb] * 0 + embcat.grad.view(emb.shape)
