# expect: ex1 dprobs error: dprobs is not a function
# expect: ex1 dW2 error: dW2 is not a function
import torch

dprobs = 3
dW2 = torch.zeros(64, 27)
