import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class LoRALinear(nn.Module):
    """A frozen linear layer and a low-rank update that is learned."""

    def __init__(self, in_features, out_features, r, lora_alpha=4):
        super().__init__()
        self.base = nn.Linear(in_features, out_features)
        self.base.weight.requires_grad = False
        self.base.bias.requires_grad = False
        self.lora_A = nn.Parameter(torch.zeros(r, in_features))
        self.lora_B = nn.Parameter(torch.zeros(out_features, r))
        self.scaling = lora_alpha / r
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + (x @ self.lora_A.T @ self.lora_B.T) * self.scaling


class Net(nn.Module):
    def __init__(self, d, h, c, r):
        super().__init__()
        self.fc1 = LoRALinear(d, h, r)
        self.fc2 = LoRALinear(h, c, r)

    def forward(self, x, y):
        x = F.relu(self.fc1(x))
        return F.cross_entropy(self.fc2(x), y)


def example(g, n=4, d=6, h=8, c=3, r=2):
    return torch.randn(n, d, generator=g), torch.randint(c, (n,), generator=g)
