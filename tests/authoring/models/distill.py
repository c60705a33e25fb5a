import torch
import torch.nn as nn
import torch.nn.functional as F


def make_mlp(dims, act=nn.ReLU):
    layers = []
    for i in range(len(dims) - 2):
        layers += [nn.Linear(dims[i], dims[i + 1]), nn.BatchNorm1d(dims[i + 1]), act()]
    layers.append(nn.Linear(dims[-2], dims[-1]))
    return nn.Sequential(*layers)


class Distillation(nn.Module):
    def __init__(self, input_dim, hidden_dim, num_classes, T=2.0, alpha=0.3):
        super().__init__()
        self.teacher = make_mlp([input_dim, 2 * hidden_dim, num_classes])
        self.student = make_mlp([input_dim, hidden_dim, num_classes], act=nn.Tanh)
        self.T = T
        self.alpha = alpha
        for p in self.teacher.parameters():
            p.requires_grad_(False)

    def forward(self, x, y):
        with torch.no_grad():
            teacher_logits = self.teacher(x)
        student_logits = self.student(x)
        soft_loss = F.kl_div(
            F.log_softmax(student_logits / self.T, dim=1),
            F.softmax(teacher_logits / self.T, dim=1),
            reduction="batchmean",
        ) * (self.T ** 2)
        hard_loss = F.cross_entropy(student_logits, y, label_smoothing=0.1)
        return self.alpha * hard_loss + (1 - self.alpha) * soft_loss


def example(g, batch=6, input_dim=5, hidden_dim=4, num_classes=3):
    return torch.randn(batch, input_dim, generator=g), torch.randint(0, num_classes, (batch,), generator=g)
