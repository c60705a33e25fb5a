# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1
mine = {'dlogprobs': dlogprobs, 'dC': dC}
for name, value in mine.items():
    value = value * 0
    print(name, value.abs().max())
del mine
