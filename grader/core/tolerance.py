"""The rule's numbers: how far an answer may be from what it is held against (see `judging.compare`)."""

RTOL = 1e-5  # of the largest element
ATOL = 2e-6  # of the size that the answer would have if nothing in it cancelled
FLOOR = 1e-9  # of the largest number of plain data, beside RTOL of each number's own size
