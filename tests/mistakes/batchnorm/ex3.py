# --- dhprebn ---

# n where the standard deviation has n - 1
# expect: n
def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    return dbnraw / bnstdi + (hprebn - bnmeani) / (n * bnstdi) * dbnstdi + dbnmeani / n


# only straight through
# expect: dbnstdi|dbnmeani|branch|bnraw
def dhprebn(bnstdi, dbnraw):
    return dbnraw / bnstdi


# --- dbnstdi ---

# not summed over the batch
# expect: sum
def dbnstdi(bnraw, bnstdi, dbnraw):
    return -bnraw * dbnraw / bnstdi


# --- db1 ---

# zero, since it is about zero
# expect: zero
def db1(dhprebn):
    return torch.zeros_like(dhprebn[0])


# the division by bnstdi forgotten in the second way
# expect: division by bnstdi is missing
def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    return dbnraw / bnstdi + dbnstdi * (hprebn - bnmeani) / (n - 1) + dbnmeani / n
