# expect: ex1 pass
# expect: ex1.dlogprobs, ex1.dhpreact, ex1.dbnvar, ex1.dlogits wrong
# expect: ex1.db2 wrong-shape
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dlogprobs wrong: your forward line `loss = logprobs[range(n), Yb].mean()` is not `loss = -logprobs[range(n), Yb].mean()`, whose gradient is graded; the sign is wrong
# expect-text: ex1.dhpreact wrong: your forward line `h = torch.relu(hpreact)` is not `h = torch.tanh(hpreact)`
# expect-text: ex1.db2 wrong shape: your forward line `logits = h @ W2 + b2.mean()` is not
# expect-text: ex1.dbnvar wrong: your forward line `bnvar_inv = (bnvar - 1e-05) **
# expect-text: ex1.dlogits logit_maxes is used where logits is meant
#: setup
#: forward loss = - -> loss = ; torch.tanh -> torch.relu; bnvar + 1e-5 -> bnvar - 1e-5; + b2 -> + b2.mean(); counts_sum = counts.sum(1, keepdims=True) -> counts_sum = counts @ torch.ones(27, 1)
# %%
#: ex1 -1.0/n -> 1.0/n; (1 - h**2) * dh -> (h > 0) * dh; db2 = dlogits.sum(0) -> db2 = dlogits.sum(); bnvar + 1e-5 -> bnvar - 1e-5; F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) -> F.one_hot(logit_maxes.max(1).indices, 27)
