# expect: ex1 pass
# expect: ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
# all grads in one dictionary
grads = {}
grads['logprobs'] = torch.zeros_like(logprobs)
grads['logprobs'][range(n), Yb] = -1.0/n
grads['probs'] = grads['logprobs'] / probs
grads['counts_sum_inv'] = (grads['probs'] * counts).sum(1, keepdim=True)
grads['counts_sum'] = -grads['counts_sum_inv'] / counts_sum**2
grads['counts'] = grads['probs'] * counts_sum_inv + grads['counts_sum']
grads['norm_logits'] = grads['counts'] * counts
grads['logit_maxes'] = -grads['norm_logits'].sum(1, keepdim=True)
grads['logits'] = grads['norm_logits'] + F.one_hot(logits.argmax(1), 27) * grads['logit_maxes']
grads['h'] = grads['logits'] @ W2.T
grads['W2'] = h.T @ grads['logits']
grads['b2'] = grads['logits'].sum(0)
grads['hpreact'] = grads['h'] * (1 - h*h)
grads['bngain'] = (grads['hpreact'] * bnraw).sum(0, keepdim=True)
grads['bnbias'] = grads['hpreact'].sum(0, keepdim=True)
grads['bnraw'] = grads['hpreact'] * bngain
grads['bnvar_inv'] = (grads['bnraw'] * bndiff).sum(0, keepdim=True)
grads['bnvar'] = -0.5 * grads['bnvar_inv'] * bnvar_inv**3
grads['bndiff2'] = grads['bnvar'] / (n-1) * torch.ones_like(bndiff2)
grads['bndiff'] = grads['bnraw'] * bnvar_inv + 2 * bndiff * grads['bndiff2']
grads['bnmeani'] = -grads['bndiff'].sum(0, keepdim=True)
grads['hprebn'] = grads['bndiff'] + grads['bnmeani'] / n
grads['embcat'] = grads['hprebn'] @ W1.T
grads['W1'] = embcat.T @ grads['hprebn']
grads['b1'] = grads['hprebn'].sum(0)
grads['emb'] = grads['embcat'].view_as(emb)
grads['C'] = torch.zeros_like(C)
for i in range(n):
    for j in range(3):
        grads['C'][Xb[i, j]] += grads['emb'][i, j]
for name, grad in grads.items():
    cmp(name, grad, globals()[name])
# %%
#: ex2
# %%
#: ex3
