# as: script
# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dprobs found as dq
#: setup
class Network:
  def __init__(self, C, W1, b1):
    self.C, self.W1, self.b1 = C, W1, b1

  def forward(self, Xb):
    self.emb = self.C[Xb]
    self.embcat = self.emb.view(self.emb.shape[0], -1)
    self.hprebn = self.embcat @ self.W1 + self.b1
    self.bnmeani = 1/n*self.hprebn.sum(0, keepdim=True)
    self.bndiff = self.hprebn - self.bnmeani
    self.bndiff2 = self.bndiff**2
    self.bnvar = 1/(n-1)*(self.bndiff2).sum(0, keepdim=True)
    self.bnvar_inv = (self.bnvar + 1e-5)**-0.5
    self.bnraw = self.bndiff * self.bnvar_inv
    self.hpreact = bngain * self.bnraw + bnbias
    self.h = torch.tanh(self.hpreact)
    self.logits = self.h @ W2 + b2
    self.logit_maxes = self.logits.max(1, keepdim=True).values
    self.norm_logits = self.logits - self.logit_maxes
    self.counts = self.norm_logits.exp()
    self.counts_sum = self.counts.sum(1, keepdims=True)
    self.counts_sum_inv = self.counts_sum**-1
    self.q = self.counts * self.counts_sum_inv
    self.logprobs = self.q.log()
    self.loss = -self.logprobs[range(n), Yb].mean()

  def backward(self):
    self.dlogprobs = torch.zeros_like(self.logprobs)
    self.dlogprobs[range(n), Yb] = -1.0/n
    self.dq = self.dlogprobs / self.q
    self.dcounts_sum_inv = (self.counts * self.dq).sum(1, keepdim=True)
    self.dcounts = self.counts_sum_inv * self.dq
    self.dcounts_sum = -self.counts_sum**-2 * self.dcounts_sum_inv
    self.dcounts += self.dcounts_sum
    self.dnorm_logits = self.dcounts * self.counts
    self.dlogit_maxes = -self.dnorm_logits.sum(1, keepdim=True)
    self.dlogits = self.dnorm_logits.clone()
    self.dlogits += F.one_hot(self.logits.max(1).indices, num_classes=27) * self.dlogit_maxes

net = Network(C, W1, b1)
net.forward(Xb)
net.loss.backward()
net.backward()
cmp('probs', net.dq, net.q)
dlogits = net.dlogits.clone()
h, hpreact, bnraw, bnvar, bndiff, bndiff2 = net.h, net.hpreact, net.bnraw, net.bnvar, net.bndiff, net.bndiff2
#: ex1 dh..dC
