# --- dlogits ---

# the labels' step forgotten
# expect: label|one_hot|term|ys
def dlogits(probs, dnll, n):
    return dnll * probs / n


# --- dsquares ---

# divided by the number of rows
# expect: the division by `squares\.shape\[0\]` is meant by its square: an exponent is missing
def dsquares(squares, dpenalty):
    return 0.01 * dpenalty * torch.ones_like(squares) / squares.shape[0]


# not a mean but a sum
# expect: numel|division|times
def dsquares(squares, dpenalty):
    return 0.01 * dpenalty * torch.ones_like(squares)


# --- dW ---

# the regularisation forgotten
# expect: squares
def dW(xenc, dlogits):
    return xenc.T @ dlogits


# the 2 of the square forgotten
# expect: 2|constant|factor
def dW(xenc, W, dlogits, dsquares):
    return xenc.T @ dlogits + W * dsquares


# the number of weights as a number
# expect: 729 is written where vocab_size \* vocab_size is meant
def dsquares(squares, dpenalty):
    return 0.01 / 729 * torch.ones_like(squares) * dpenalty
