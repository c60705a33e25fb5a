# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup W1 -> w1; W2 -> w2
#: forward embcat @ W1 + b1 -> torch.matmul(embcat, w1) + b1; h @ W2 + b2 -> h.matmul(w2) + b2
# %%
#: ex1 W1 -> w1; W2 -> w2
#: cmps 'W1', dW1, W1 -> 'w1', dw1, w1; 'W2', dW2, W2 -> 'w2', dw2, w2
# %%
#: ex2
# %%
#: ex3
