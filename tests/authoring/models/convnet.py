import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, channels=2, classes=5, size=8):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 4, kernel_size=3, stride=2)
        self.dropout = nn.Dropout(0.25)
        self.fc1 = nn.Linear(4 * ((size // 2 - 3) // 2 + 1) ** 2, 6)
        self.fc2 = nn.Linear(6, classes)

    def forward(self, x, y):
        x = self.conv1(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv2(x))
        x = torch.flatten(x, 1)
        x = self.dropout(x)
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return F.nll_loss(output, y)


def example(g, n=4, channels=2, classes=5, size=10):
    return torch.randn(n, channels, size, size, generator=g), torch.randint(classes, (n,), generator=g)
