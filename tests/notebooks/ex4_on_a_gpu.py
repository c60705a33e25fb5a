# expect: ex4 pass
# expect: ex1, ex2, ex3 not-written
#: setup
#: forward
# %%
device = 'cuda' if torch.cuda.is_available() else 'cpu'
#: ex4 dC = torch.zeros_like(C) -> dC = torch.zeros_like(C).to(device); h = torch.tanh(hpreact) -> h = torch.tanh(hpreact).to(device)
