# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
class Linear:
    def __init__(self, x, W):
        self.x, self.W = x, W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(0)
        return dout @ self.W.T

class Tanh:
    def __init__(self, out):
        self.out = out
    def backward(self, dout):
        return (1 - self.out**2) * dout
# %%
#: ex1 dlogprobs..dlogits
second = Linear(h, W2)
dh = second.backward(dlogits)
dW2, db2 = second.dW, second.db
dhpreact = Tanh(h).backward(dh)
#: ex1 dbngain..dhprebn
first = Linear(embcat, W1)
dembcat = first.backward(dhprebn)
dW1, db1 = first.dW, first.db
#: ex1 demb..dC
# %%
#: ex2
# %%
#: ex3
