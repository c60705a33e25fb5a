import torch
import torch.nn as nn
import torch.nn.functional as F


class MoE(nn.Module):
    def __init__(self, d_model, d_ff, num_experts=4, k=2):
        super().__init__()
        self.k = k
        self.num_experts = num_experts
        self.router = nn.Linear(d_model, num_experts, bias=False)
        self.w1 = nn.Parameter(torch.randn(num_experts, d_model, d_ff))
        self.w2 = nn.Parameter(torch.randn(num_experts, d_ff, d_model))

    def forward(self, x, target):
        logits = self.router(x)
        weights, selected = torch.topk(logits, self.k, dim=-1)
        weights = F.softmax(weights, dim=-1)
        gates = torch.zeros_like(logits).scatter(1, selected, weights)
        h = torch.einsum("nd,edf->nef", x, self.w1)
        h = F.gelu(h)
        y = torch.einsum("nef,efd->ned", h, self.w2)
        out = (gates.unsqueeze(-1) * y).sum(dim=1)
        z_loss = torch.logsumexp(logits, dim=-1).pow(2).mean()
        return F.mse_loss(out, target) + 0.001 * z_loss


def example(g, n=5, d_model=3, d_ff=6):
    return torch.randn(n, d_model, generator=g), torch.randn(n, d_model, generator=g)
