# expect: ex1 dprobs error: ValueError: \x1b[31mred\x07 (line 3)
def dprobs(probs, dlogprobs):
    raise ValueError("\x1b[31mred\x07\nand more")
