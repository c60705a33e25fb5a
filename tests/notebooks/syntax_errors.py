# expect: ex1 pass
# expect: ex1.dhpreact not-written
# expect-text: ex1.dhpreact its cell can't be read from a syntax error on ('(' was never closed) (cell [7], line 15)
# expect: ex2 pass
# expect: ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..db2
dhpreact = (1 - h**2 * dh
dbngain = nothing at all
# %%
def unfinished(
# %%
print 'an old print'
# %%
#: ex1 dbngain..dC
# %%
dlogits = softmax(logits
# %%
#: ex2
# %%
# Exercise 3
for i in range(3)
    print(i)
dhprebn = 1
