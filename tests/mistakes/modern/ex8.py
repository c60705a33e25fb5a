# not a mean
# expect: h|w|mean
def da(dm, h, w):
    return dm[:, :, None, None].expand(-1, -1, h, w)


# one of two sizes
# expect: w|h|mean
def da(dm, h, w):
    return (dm / h)[:, :, None, None].expand(-1, -1, h, w)


# everybody gets it
# expect: max|largest|everywhere|all|each|place|where
def dc(c, dp):
    return dp.repeat_interleave(2, 2).repeat_interleave(2, 3)


# divided among the four
# expect: max|largest|mean|place|average|where
def dc(c, dp):
    return dp.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4


# the mean over the examples
# expect: mean|n|B|N|divid|factor
def db(dc):
    return dc.sum((2, 3)).mean(0)


# over the places alone
# expect: shape|axis|sum
def db(dc):
    return dc.sum((2, 3))


# the kernel is reversed
# expect: flip|reversed|i|place
def dx(x, K, dc):
    height, width = dc.shape[2:]
    out = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            out[:, :, i : i + height, j : j + width] += torch.einsum("nohw,ok->nkhw", dc, K[:, :, 2 - i, 1 - j])
    return out[:, :, 1:-1]


# the wrong rows are cut off
# silent: row|zeros|pad
def dx(x, K, dc):
    height, width = dc.shape[2:]
    out = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            out[:, :, i : i + height, j : j + width] += torch.einsum("nohw,ok->nkhw", dc, K[:, :, i, j])
    return out[:, :, :-2]
