# --- dC ---

# assigned, so that only one of the gradients of a row stays
# expect: assign|only the last
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d[Xb] = demb
    return d


# += with an index adds once for each row
# expect: assign|only the last
def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d[Xb] += demb
    return d


# --- demb ---

# concatenated where a new axis is meant (the verdict says it)
# expect: cat is used where stack is meant
def demb(dfirst, dsecond, dthird):
    return torch.cat([dfirst, dsecond, dthird], 1)


# the places in the wrong order
# expect: dthird and dfirst are exchanged
def demb(dfirst, dsecond, dthird):
    return torch.stack([dthird, dsecond, dfirst], 1)


# --- dsecond ---

# the lecture's width, written as a number
# expect: 2 is written where n_embd is meant
def dsecond(dembcat):
    return dembcat[:, 2:4]
