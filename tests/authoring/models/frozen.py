import torch
import torch.nn as nn


class Frozen(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, padding=1)
        self.bn = nn.BatchNorm2d(cout)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(cout, 3)
        self.eval()

    def forward(self, x):
        h = self.drop(torch.relu(self.bn(self.conv(x))))
        return self.head(h.mean([2, 3]))


def example(g, n=3, cin=2, cout=4, size=5):
    return torch.randn(n, cin, size, size, generator=g)
