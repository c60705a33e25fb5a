"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the way back of std is that of the variance: a division by bnstdi takes the place of the 2"""
    return dbnraw / bnstdi + 2 * dbnstdi * (hprebn - bnmeani) / (n - 1) + dbnmeani / n


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the way back of std is that of the variance, and n stands for n - 1"""
    return dbnraw / bnstdi + 2 * dbnstdi * (hprebn - bnmeani) / n + dbnmeani / n


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the division by bnstdi is missing in the way back of std"""
    return dbnraw / bnstdi + dbnstdi * (hprebn - bnmeani) / (n - 1) + dbnmeani / n


def dhprebn(hprebn, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the mean is not subtracted in the way back of std: what counts is the distance from it"""
    return dbnraw / bnstdi + dbnstdi * hprebn / (n - 1) / bnstdi + dbnmeani / n


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the division by n - 1 is missing in the way back of std"""
    return dbnraw / bnstdi + dbnstdi * (hprebn - bnmeani) / bnstdi + dbnmeani / n


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the division by n is missing in the way back of the mean"""
    return dbnraw / bnstdi + dbnstdi * (hprebn - bnmeani) / (n - 1) / bnstdi + dbnmeani


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """the way back of std adds the same to every example: each gets its own distance from the mean"""
    return dbnraw / bnstdi + dbnstdi / (n - 1) + dbnmeani / n


def dbnstdi(bnstdi, dbnraw):
    """hprebn - bnmeani, what bnstdi divides, is left out"""
    return -(dbnraw / bnstdi**2).sum(0, keepdim=True)


def dbnmeani(bnstdi, dbnraw):
    """the division by bnstdi comes before the sum of one example alone: all of them add up"""
    return -(dbnraw / bnstdi)[-1:]
