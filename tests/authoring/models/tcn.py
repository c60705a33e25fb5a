import torch
import torch.nn as nn
import torch.nn.functional as F


class CausalConv1d(nn.Module):
    def __init__(self, cin, cout, kernel_size, dilation):
        super().__init__()
        self.pad = (kernel_size - 1) * dilation
        self.conv = nn.Conv1d(cin, cout, kernel_size, dilation=dilation)

    def forward(self, x):
        return self.conv(F.pad(x, (self.pad, 0)))


class TCN(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.first = CausalConv1d(channels, width, 2, dilation=1)
        self.second = CausalConv1d(width, width, 2, dilation=2)
        self.skip = nn.Conv1d(channels, width, 1)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x, y):
        h = self.act(self.first(x))
        h = self.act(self.second(h))
        h = h + self.skip(x)
        pooled = h.mean(dim=-1)
        pred = F.normalize(pooled, dim=1)
        return F.smooth_l1_loss(pred, y)


def example(g, n=3, channels=2, width=5, T=7):
    return torch.randn(n, channels, T, generator=g), torch.randn(n, width, generator=g)
