import torch
import torch.nn as nn


class Mamba(nn.Module):
    """A selective state space, scanned step by step."""

    def __init__(self, d_model, d_state, expand=2):
        super().__init__()
        d_inner = expand * d_model
        self.in_proj = nn.Linear(d_model, 2 * d_inner, bias=False)
        self.conv1d = nn.Conv1d(d_inner, d_inner, kernel_size=3, groups=d_inner, padding=2)
        self.x_proj = nn.Linear(d_inner, 1 + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(1, d_inner)
        A = torch.arange(1, d_state + 1, dtype=torch.float32).repeat(d_inner, 1)
        self.A_log = nn.Parameter(torch.log(A))
        self.D = nn.Parameter(torch.ones(d_inner))
        self.out_proj = nn.Linear(d_inner, d_model, bias=False)
        self.d_state = d_state

    def forward(self, x):
        b, l, d = x.shape
        x, res = self.in_proj(x).chunk(2, dim=-1)
        x = x.transpose(1, 2)
        x = self.conv1d(x)[:, :, :l]
        x = nn.functional.silu(x.transpose(1, 2))
        A = -torch.exp(self.A_log.float())
        x_dbl = self.x_proj(x)
        delta, B, C = x_dbl.split(split_size=[1, self.d_state, self.d_state], dim=-1)
        delta = nn.functional.softplus(self.dt_proj(delta))
        deltaA = torch.exp(torch.einsum("bld,dn->bldn", delta, A))
        deltaB_x = torch.einsum("bld,bln,bld->bldn", delta, B, x)
        h = torch.zeros(b, x.shape[2], self.d_state)
        ys = []
        for i in range(l):
            h = deltaA[:, i] * h + deltaB_x[:, i]
            y = torch.einsum("bdn,bn->bd", h, C[:, i, :])
            ys.append(y)
        y = torch.stack(ys, dim=1)
        y = y + x * self.D
        y = y * nn.functional.silu(res)
        return self.out_proj(y)


def example(g, b=2, l=3, d_model=3, d_state=2):
    return torch.randn(b, l, d_model, generator=g)
