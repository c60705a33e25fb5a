# expect: ex1 dprobs error: SyntaxError
# expect: ex1 dhpreact exact
# The decorator belongs to dhpreact, whatever became of dprobs.
import functools


def negated(f):
    @functools.wraps(f)
    def g(*args, **kwargs):
        return -f(*args, **kwargs)

    return g


def dprobs(probs, dlogprobs):
    return 1.0 / probs * dlogprobs)


@negated
def dhpreact(h, dh):
    return -((1.0 - h**2) * dh)
