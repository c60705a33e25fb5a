# as: crlf
# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup
#: forward
# %%
#: ex1 dlogprobs..demb
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
	for j in range(Xb.shape[1]):
		ix = Xb[k,j]
		dC[ix] += demb[k,j]
# %%
#: ex2
# %%
#: ex3
