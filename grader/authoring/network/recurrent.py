"""Recurrent layers and cells in plain steps, one place of a sequence after another."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

Tensor = torch.Tensor


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, weights: list[Any]) -> tuple[Tensor, Tensor]:
    wx, wh, *biases = weights
    z = F.linear(x, wx, biases[0] if biases else None) + F.linear(h, wh, biases[1] if biases else None)
    i, f, g, o = z.chunk(4, dim=1)
    i = torch.sigmoid(i)
    f = torch.sigmoid(f)
    g = torch.tanh(g)
    o = torch.sigmoid(o)
    c = f * c + i * g
    h = o * torch.tanh(c)
    return h, c


def gru_cell(x: Tensor, h: Tensor, weights: list[Any]) -> Tensor:
    wx, wh, *biases = weights
    zx = F.linear(x, wx, biases[0] if biases else None)
    zh = F.linear(h, wh, biases[1] if biases else None)
    rx, ux, nx = zx.chunk(3, dim=1)
    rh, uh, nh = zh.chunk(3, dim=1)
    r = torch.sigmoid(rx + rh)
    u = torch.sigmoid(ux + uh)
    new = torch.tanh(nx + r * nh)
    return (1 - u) * new + u * h


def rnn_cell(x: Tensor, h: Tensor, weights: list[Any], relu: bool = False) -> Tensor:
    wx, wh, *biases = weights
    z = F.linear(x, wx, biases[0] if biases else None) + F.linear(h, wh, biases[1] if biases else None)
    return torch.relu(z) if relu else torch.tanh(z)


def _steps(module: Any, x: Tensor, state: Any, cell: Callable[..., Any]) -> tuple[Tensor, Any]:
    """A recurrent layer, step by step and layer by layer; state: of all layers, as torch has it."""
    if getattr(module, "proj_size", 0) or x.dim() != 3:
        raise NotImplementedError(
            "a recurrent layer with a projection, or without a batch: write its steps out"
        )
    x = x if not module.batch_first else x.transpose(0, 1)
    pair = isinstance(module, nn.LSTM)
    cell = functools.partial(cell, relu=True) if getattr(module, "nonlinearity", "") == "relu" else cell
    zeros = torch.zeros(x.shape[1], module.hidden_size)
    rows = list(x.unbind(0))
    last, there = [], rows
    ways = 2 if module.bidirectional else 1
    for at, names in enumerate(module._all_weights):  # by layer, in each the way there and the way back
        back, weights = at % ways, [getattr(module, name) for name in names]
        own: Any = (zeros, zeros) if pair else zeros
        if state is not None:
            own = tuple(s[at] for s in state) if pair else state[at]
        side = []
        for row in reversed(rows) if back else rows:
            own = cell(row, *own, weights) if pair else cell(row, own, weights)
            side.append(own[0] if pair else own)
        last.append(own)
        there = side if not back else [torch.cat(both, 1) for both in zip(there, reversed(side), strict=True)]
        if back or ways == 1:
            more = module.dropout and module.training and at + 1 < len(module._all_weights)
            rows = [F.dropout(row, module.dropout) for row in there] if more else there
    out = torch.stack(rows, 1 if module.batch_first else 0)
    if pair:
        return out, (torch.stack([h for h, _ in last]), torch.stack([c for _, c in last]))
    return out, torch.stack(last)


def _layer(cell: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, input, hx=None: _steps(self, input, hx, cell)


def _weights(self: Any) -> list[Any]:
    return [self.weight_ih, self.weight_hh, *([self.bias_ih, self.bias_hh] if self.bias else [])]


def lstm_one(self: Any, input: Tensor, hx: Any = None) -> Any:
    zeros = torch.zeros(input.shape[0], self.hidden_size)
    h, c = hx or (zeros, zeros)
    return lstm_cell(input, h, c, _weights(self))


def gru_one(self: Any, input: Tensor, hx: Any = None) -> Any:
    h = torch.zeros(input.shape[0], self.hidden_size) if hx is None else hx
    return gru_cell(input, h, _weights(self))


RECURRENT: tuple[tuple[Any, str, Any], ...] = (
    (nn.LSTM, "forward", _layer(lstm_cell)),
    (nn.GRU, "forward", _layer(gru_cell)),
    (nn.RNN, "forward", _layer(rnn_cell)),
    (nn.LSTMCell, "forward", lstm_one),
    (nn.GRUCell, "forward", gru_one),
)
