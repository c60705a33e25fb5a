import torch
import torch.nn as nn
import torch.nn.functional as F


class ESPCN(nn.Module):
    def __init__(self, channels, upscale=2):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 5, 1, 2)
        self.conv2 = nn.Conv2d(channels, upscale**2, 3, 1, 1)
        self.pixel_shuffle = nn.PixelShuffle(upscale)
        self.prelu = nn.PReLU()
        self.upscale = upscale

    def forward(self, x, target):
        feat = self.prelu(self.conv1(x))
        out = self.pixel_shuffle(self.conv2(feat))
        base = F.interpolate(x, scale_factor=self.upscale, mode="bilinear", align_corners=False)
        near = F.interpolate(x, scale_factor=self.upscale, mode="nearest")
        return F.smooth_l1_loss(out + 0.5 * base + 0.5 * near, target) + 0.1 * F.huber_loss(out, target, delta=0.5)


def example(g, n=2, channels=3, size=6):
    return torch.randn(n, 1, size, size, generator=g), torch.randn(n, 1, 2 * size, 2 * size, generator=g)
