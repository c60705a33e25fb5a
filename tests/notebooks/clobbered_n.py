# expect: ex1 pass
# expect: ex1.dbndiff2, ex1.dhprebn wrong
# expect: ex2.dlogits wrong
# expect: ex3 not-written
# expect-text: ex2.dlogits `for n in range(3)` leaves another number in n than the forward pass has
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..dlogits
for n in range(3):
    print(n)
#: ex1 dh..dC
# %%
# Exercise 2
dlogits = F.softmax(logits, 1)
dlogits[range(32), Yb] -= 1
dlogits /= n
