# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
#: setup bngain -> gamma; bnbias -> beta
#: forward hpreact = bngain * bnraw + bnbias -> hpreact = bnraw * gamma + beta
# %%
#: ex1 bngain -> gamma; bnbias -> beta
#: cmps 'bngain', dbngain, bngain -> 'gamma', dgamma, gamma; 'bnbias', dbnbias, bnbias -> 'beta', dbeta, beta
# %%
#: ex2
# %%
#: ex3 bngain -> gamma
