# expect: ex1 pass
# expect: ex1.dcounts_sum_inv, ex1.dlogit_maxes, ex1.dbnmeani, ex1.db1 wrong-shape
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dprobs
dcounts_sum_inv = counts * dprobs
dcounts = counts_sum_inv * dprobs
dcounts_sum = -counts_sum**-2 * dcounts_sum_inv.sum(1, keepdim=True)
dcounts += dcounts_sum
dnorm_logits = dcounts * counts
dlogit_maxes = -dnorm_logits
dlogits = dnorm_logits + F.one_hot(logits.argmax(1), vocab_size) * dlogit_maxes.sum(1, keepdim=True)
#: ex1 dh..dbndiff2
dbndiff += 2 * bndiff * dbndiff2
dbnmeani = -dbndiff
dhprebn = dbndiff + dbnmeani.sum(0) / n
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn
demb = dembcat.view(emb.shape)
#: ex1 dC..dC
