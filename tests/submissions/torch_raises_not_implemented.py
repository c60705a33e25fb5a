# expect: ex1 dW2 error: not implemented for 'Bool'
# torch says NotImplementedError where a kernel lacks a dtype: a mistake, not a stub
def dW2(h, dlogits):
    return (h > 0).T @ (dlogits > 0)
