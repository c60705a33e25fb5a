# expect: ex1 dlogprobs not-written: the file has no function dlogprobs
# expect: ex1 dC not-written: the file has no function dC
