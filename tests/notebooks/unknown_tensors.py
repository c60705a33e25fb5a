# expect: ex1 pass
# expect: ex1.dbnraw, ex1.dbndiff, ex1.dh error
# expect: ex2, ex3, ex4 not-written
# expect-text: ex1.dbnraw `scale` is not known: is it bngain? --rename says what it is called here
# expect-text: ex1.dh `weights` is not known: --rename says what it is called here
#: setup bngain -> scale
weights = torch.randn((n_hidden, vocab_size))
#: forward hpreact = bngain * bnraw + bnbias -> hpreact = scale * torch.sigmoid(bnraw) + bnbias
# %%
#: ex1 dlogprobs..dlogits
dh = dlogits @ weights.T
#: ex1 dW2..dbnbias
dbnraw = scale * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
dbndiff = bnvar_inv * dhpreact * scale
#: ex1 dbnvar..dbndiff2
dbndiff += 2 * bndiff * dbndiff2
#: ex1 dbnmeani..dC
