# expect: ex1 pass
# expect: ex1.dbndiff wrong
# expect-text: ex1.dbndiff changes dbndiff after it was made
# expect-text: ex1.dnorm_logits changes dnorm_logits after it was made
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogit_maxes
dlogits = dnorm_logits
dlogits[range(n), logits.argmax(1)] += dlogit_maxes.view(-1)
#: ex1 dh..dbndiff2
dbndiff += 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff
dhprebn += dbnmeani / n
#: ex1 dembcat..dC
