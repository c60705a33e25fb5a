# expect: ex1 dprobs exact
# expect: ex1 dhpreact exact
class dprobs:
    def __new__(cls, probs, dlogprobs):
        return (1.0 / probs) * dlogprobs


class _Module:
    def forward(self, h, dh):
        return (1.0 - h**2) * dh

    __call__ = forward


dhpreact = _Module()
