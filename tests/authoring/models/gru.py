import torch
from torch import nn


class Regressor(nn.Module):
    """A GRU reads a sequence; its last memory gives one number."""

    def __init__(self, features, hidden):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.GRUCell(features, hidden)
        self.readout = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, 1))
        self.loss = nn.MSELoss()

    def forward(self, x, y):
        h = x.new_zeros(x.shape[0], self.hidden)
        for step in x.unbind(1):
            h = self.cell(step, h)
        return self.loss(self.readout(h).squeeze(-1), y)


def example(g, n=5, T=2, features=3, hidden=4):
    return torch.randn(n, T, features, generator=g), torch.randn(n, generator=g)
