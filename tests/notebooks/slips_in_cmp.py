# expect: ex1 pass
# expect: ex2, ex3, ex4 not-written
#: setup
#: forward
# %%
#: ex1
#: cmps cmp('hpreact', dhpreact, hpreact) -> cmp('hpreact', dh, hpreact); cmp('counts_sum', dcounts_sum, counts_sum) -> cmp('counts_sum', dcounts_sum_inv, counts_sum); cmp('b1', db1, b1) -> cmp('b1', db2, b1)
