# expect: ex1 pass
# expect: ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
def run():
    global dlogprobs, dprobs
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0/n
    dprobs = dlogprobs / probs
run()
#: ex1 dcounts_sum_inv..dC
# %%
def two():
    global dlogits
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
two()
# %%
#: ex3
