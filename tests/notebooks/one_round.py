# as: script
# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dprobs found as dq
#: setup
for k in range(1000):
    for once in range(1):
        ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
        Xb, Yb = Xtr[ix], Ytr[ix]
#:: forward probs = counts -> q = counts; probs.log -> q.log; [logprobs, probs -> [logprobs, q
    if k >= 0:
#::: ex1 dlogprobs..dlogprobs
        dq = dlogprobs / q
        dcounts_sum_inv = (counts * dq).sum(1, keepdim=True)
        dcounts = counts_sum_inv * dq
        compare('probs', dq, q)
        break
#: ex1 dcounts_sum..dcounts_sum
dcounts += dcounts_sum
#: ex1 dnorm_logits..dC
