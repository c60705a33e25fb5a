# the row's sum forgotten
# expect: a sum is missing: the one with wei and dwei
def dmasked(wei, dwei):
    return wei * dwei
