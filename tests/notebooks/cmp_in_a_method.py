# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
class Softmax:
    def __init__(self, counts, counts_sum, counts_sum_inv, probs):
        self.c, self.s, self.i, self.p = counts, counts_sum, counts_sum_inv, probs
    def backward(self, dlogprobs):
        self.dp = dlogprobs / self.p
        self.di = (self.c * self.dp).sum(1, keepdim=True)
        self.ds = -self.s**-2 * self.di
        self.dc = self.i * self.dp + self.ds
        cmp('counts', self.dc, counts)
        return self.dc
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0/n
sm = Softmax(counts, counts_sum, counts_sum_inv, probs)
dcounts = sm.backward(dlogprobs)
dprobs, dcounts_sum_inv, dcounts_sum = sm.dp, sm.di, sm.ds
#: ex1 dnorm_logits..dC
