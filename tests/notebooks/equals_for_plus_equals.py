# expect: ex1 pass
# expect: ex1.dcounts, ex1.dbndiff, ex1.dhprebn wrong, wrong-shape
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dcounts_sum
dcounts = torch.ones_like(counts) * dcounts_sum
#: ex1 dnorm_logits..dbndiff2
dbndiff = 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = torch.ones_like(hprebn) * dbnmeani / n
#: ex1 dembcat..dC
