# expect: ex1, ex2 pass
# expect: ex3, ex4 not-written
#: setup
#: forward
# %%
#:: ex1 dlogprobs..dh
# %%
        # a comment that is further in
#:: ex1 dW2..dC
# %%
# Exercise 2
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
