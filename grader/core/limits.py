"""What a submission may be, and what it may send, so that it can't stall the process that judges it.

Each limit with the largest that is honest: of 927 notebooks that learners of the lectures have published,
316 of them of the fourth's, and of all solutions. `python -m benchmarks.trusted` measures what the worst
submission at the limits costs the trusted side, kind by kind; `tests/judging/test_stalled.py` holds it to
that. The aim: 2 s of processor time and 200 MB. A usual submission costs 0.03 s.
"""

# a file
MAX_SOURCE = 1 << 20  # bytes of Python; honest: 41 kB
MAX_NOTEBOOK = 32 << 20  # bytes; honest: 3.2 MB
MAX_TEXT = 48 << 20  # and in memory, where one emoji makes each of its characters four bytes; honest: 13 MB
MAX_VALUES = 400_000  # of a notebook's JSON; honest: 33,000
MAX_CODE = 1 << 20  # characters of a notebook's code, and of its text without pictures; honest: 113,000
MAX_LINES = 100_000  # of a notebook's cells, each of which has one more; honest: 3,500
OLD = 10  # the part of these that a notebook of nbformat 3 may have, which is to be converted
MAX_METADATA = 8 << 20  # of a platform's list of submissions, which no student writes

# what is read of a source to explain a mistake; more is judged without
EXPLAINED = 100_000  # bytes, whose tree takes a thousand times as many; honest: 20,000
MAX_CHANGED = 400  # nodes of a function that is run with changes; honest: 141
MAX_CHANGES = 8000  # of all functions of a submission: 0.1 ms each; what one that hangs takes is half
ASKING = 800  # changes that a question to the oracle counts as, of which there are two a function: 60 ms
OUTPUT_CHANGES = 1500  # of the functions that one output rests on
OUTPUT_ROUND = 2  # seconds of processor time of a run of such changes
OUTPUT_FIRSTS = 40  # of them that are paired with all others, where no single one tells
OUTPUT_PAIRS = 300  # pairs of changes of one function that are tried, beside those of the likeliest
OUTPUT_PAIRS_CPU = 1.0  # seconds of processor time of all pairs of one output
OUTPUT_CPU = 5  # and of all of a submission's, after which no more begin

# what a run sends
MAX_ELEMENTS = 1 << 20  # of a tensor: a wrong shape of more is reported by its shape alone; honest: 6400
MAX_SENT = 24 << 20  # bytes of all results; honest: 0.6 MB
VALUE = 200  # bytes that a value of plain data counts as: decoding it, and comparing it, costs 5 µs
MAX_PLAIN = 20_000  # values of one result of plain data; honest: 600

# what is asked because of it
MAX_CHOICES = 150  # upstream gradients for which autograd is asked again, on a probe; 3 ms each
