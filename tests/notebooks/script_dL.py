# as: script
# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
#: ex1 with dL_
#: cmps with dL_
