# expect: ex1 dbnmeani wrong
# expect: ex1 db2 wrong
# expect: ex1 dbnbias wrong-dtype: float64
def dbnmeani(dbndiff):
    return dbndiff.sum(0)


def db2(dlogits):
    return -dlogits.sum(0, keepdim=True)


def dbnbias(dhpreact):
    return dhpreact.sum(0).double()
