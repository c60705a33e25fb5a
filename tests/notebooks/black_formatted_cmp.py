# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 with my_
cmp(
    "logprobs",
    my_dlogprobs,
    logprobs,
)
cmp(
    "probs", my_dprobs, probs
)
#: cmps with my_
# %%
# Exercise 2
my_dlogits = F.softmax(logits, 1)
my_dlogits[range(n), Yb] -= 1
my_dlogits /= n
cmp(
    "logits",
    my_dlogits,
    logits,
)
# %%
# Exercise 3
my_dhprebn = bngain*bnvar_inv/n * (n*my_dhpreact - my_dhpreact.sum(0) - n/(n-1)*bnraw*(my_dhpreact*bnraw).sum(0))
cmp(
    "hprebn",
    my_dhprebn,
    hprebn,
)
