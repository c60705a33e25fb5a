import torch
from torch import nn


def double_conv(a, b):
    return nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(1, b), nn.SiLU(),
    )


class Level(nn.Module):
    """One level of a U-Net: down, through the bottom, up, and the skip connection."""

    def __init__(self, cin, width):
        super().__init__()
        self.enc = double_conv(cin, width)
        self.pool = nn.AvgPool2d(2)
        self.mid = double_conv(width, 2 * width)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.dec = double_conv(2 * width, width)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, img, mask):
        skip = self.enc(img)
        x = self.mid(self.pool(skip))
        x = torch.cat([self.up(x), skip], dim=1)
        logits = self.out(self.dec(x)).squeeze(1)
        return nn.functional.binary_cross_entropy_with_logits(logits, mask)


def example(g, n=3, cin=2, width=4, s=6):
    return {
        "img": torch.randn(n, cin, s, s, generator=g),
        "mask": (torch.rand(n, s, s, generator=g) > 0.5).float(),
    }
