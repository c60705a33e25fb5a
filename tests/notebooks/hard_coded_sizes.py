# expect: ex1, ex2 pass
# expect: ex3, ex4 not-written
# expect-text: ex1.dlogprobs right at the lecture's sizes only
# expect-text: ex2.dlogits right at the lecture's sizes only
# strict: ex1.dlogprobs, ex1.dbndiff2, ex1.demb, ex2.dlogits wrong, error, wrong-shape
#: setup
#: forward
# %%
dlogprobs = torch.zeros((32, 27))
dlogprobs[range(32), Yb] = -1.0/32
#: ex1 dprobs..dbnvar
dbndiff2 = torch.ones((32, 64)) / 31 * dbnvar
dbndiff += 2 * bndiff * dbndiff2
#: ex1 dbnmeani..db1
demb = dembcat.view(32, 3, 10)
#: ex1 dC..dC
# %%
# Exercise 2
dlogits = F.softmax(logits, 1)
dlogits[range(32), Yb] -= 1
dlogits = dlogits / 32
