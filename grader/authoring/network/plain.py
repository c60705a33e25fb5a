"""Layers of torch in plain steps: what a trace runs in place of those that hide several lines.

PLAIN always: the recurrent layers, attention in one call. ATOMIC as `--chunk atomic` asks: the norms,
softmax, cross entropy, linear and gelu as the lecture takes them apart.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.network.recurrent import RECURRENT

Tensor = torch.Tensor
BATCH_NORM = F.batch_norm


def attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Any = None, dropout_p: float = 0.0, **more: Any
) -> Tensor:
    is_causal, scale = more.get("is_causal", False), more.get("scale")
    if more.get("enable_gqa"):
        groups = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(groups, -3)
        value = value.repeat_interleave(groups, -3)
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    if is_causal:
        later = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(attn_mask == 0, float("-inf"))
    elif attn_mask is not None:
        scores = scores + attn_mask
    padded = more.get("padded")  # of MultiheadAttention; floats, as an encoder layer makes them, are added
    if padded is not None:
        scores = scores.masked_fill(padded, float("-inf")) if padded.dtype == torch.bool else scores + padded
    att = torch.softmax(scores, -1)
    if dropout_p:
        att = F.dropout(att, dropout_p)
    return att @ value


def multihead(self: Any, query: Tensor, key: Tensor, value: Tensor, **more: Any) -> Any:
    attn_mask, is_causal = more.get("attn_mask"), more.get("is_causal", False)
    key_padding_mask = more.get("key_padding_mask")
    if self.bias_k is not None or query.dim() != 3:
        raise NotImplementedError("this use of MultiheadAttention: write its projections out")
    if not self.batch_first:
        query, key, value = (x.transpose(0, 1) for x in (query, key, value))
    apart = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
    wq, wk, wv = apart if self.in_proj_weight is None else self.in_proj_weight.chunk(3)
    bq, bk, bv = self.in_proj_bias.chunk(3) if self.in_proj_bias is not None else (None,) * 3
    size = (self.num_heads, self.head_dim)
    q = F.linear(query, wq, bq).unflatten(-1, size).transpose(1, 2)
    k = F.linear(key, wk, bk).unflatten(-1, size).transpose(1, 2)
    v = F.linear(value, wv, bv).unflatten(-1, size).transpose(1, 2)
    padded = None if key_padding_mask is None else key_padding_mask.view(key.shape[0], 1, 1, key.shape[1])
    causal = is_causal and attn_mask is None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = attn_mask == 0  # here True is what is left out
    out = attention(q, k, v, attn_mask, self.dropout * self.training, is_causal=causal, padded=padded)
    out = out.transpose(1, 2).flatten(2)
    out = F.linear(out, self.out_proj.weight, self.out_proj.bias)
    return (out if self.batch_first else out.transpose(0, 1)), None


def linear(input: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
    y = input @ weight.transpose(0, 1)
    return y if bias is None else y + bias


def softmax(input: Tensor, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    shifted = input - input.amax(dim, keepdim=True).detach()
    e = shifted.exp()
    total = e.sum(dim, keepdim=True)
    return e / total


def log_softmax(input: Tensor, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    shifted = input - input.amax(dim, keepdim=True).detach()
    e = shifted.exp()
    total = e.sum(dim, keepdim=True)
    return shifted - total.log()


def layer_norm(input: Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    dims = list(range(-len(shape), 0))
    return _normed(input, dims, weight, bias, eps)


def _normed(x: Tensor, dims: list[int], gain: Any, bias: Any, eps: float) -> Tensor:
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    square = centred**2
    var = square.mean(dims, keepdim=True)
    inv = (var + eps) ** -0.5
    xhat = centred * inv
    scaled = xhat if gain is None else xhat * gain
    return scaled if bias is None else scaled + bias


def rms_norm(input: Tensor, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Tensor:
    square = input**2
    mean = square.mean(list(range(-len(normalized_shape), 0)), keepdim=True)
    inv = (mean + (torch.finfo(torch.float32).eps if eps is None else eps)) ** -0.5
    xhat = input * inv
    return xhat if weight is None else xhat * weight


def _saved(saved: Sequence[Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of batch_norm and instance_norm after the first, by name."""
    names = ("running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
    return {"eps": 1e-5, **dict.fromkeys(names[:4]), **dict(zip(names, saved, strict=False)), **more}


def batch_norm(input: Tensor, *saved: Any, **more: Any) -> Tensor:
    given = _saved(saved, more)
    dims = [0, *range(2, input.dim())]
    shape = [1, -1, *(1 for _ in dims[1:])]
    own = [given[k] for k in ("running_mean", "running_var", "weight", "bias")]
    mean, var, gain, shift = (x if x is None or input.dim() == 2 else x.view(shape) for x in own)
    if given.get("training"):
        return _normed(input, dims, gain, shift, given["eps"])
    inv: Tensor = (var + given["eps"]) ** -0.5
    xhat: Tensor = (input - mean) * inv
    scaled = xhat if gain is None else xhat * gain
    return scaled if shift is None else scaled + shift


def batch_norm_saved(input: Tensor, *saved: Any, **more: Any) -> Tensor:
    """With saved statistics in steps: torch's own line takes none that are asked for a gradient."""
    return (BATCH_NORM if _saved(saved, more).get("training") else batch_norm)(input, *saved, **more)


def cross_entropy(input: Tensor, target: Tensor, *rest: Any, reduction: str = "mean", **more: Any) -> Tensor:
    if input.dim() != 2 or target.is_floating_point() or rest or more:
        raise NotImplementedError("this use of cross_entropy, taken apart")
    logprobs = log_softmax(input, 1)
    picked = logprobs.gather(1, target.unsqueeze(1))
    total = picked.mean() if reduction == "mean" else picked.sum()
    return -total


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "none":
        cdf = 0.5 * (1 + torch.erf(input / math.sqrt(2)))
        return input * cdf
    cube = input**3
    inner = math.sqrt(2 / math.pi) * (input + 0.044715 * cube)
    bent = torch.tanh(inner)
    return 0.5 * input * (1 + bent)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    dot = (x1 * x2).sum(dim)
    lengths: Tensor = x1.norm(dim=dim).clamp(min=eps) * x2.norm(dim=dim).clamp(min=eps)
    return dot / lengths


def glu(input: Tensor, dim: int = -1) -> Tensor:
    value, gate = input.chunk(2, dim)
    return value * torch.sigmoid(gate)


def instance_norm(input: Tensor, *saved: Any, **more: Any) -> Tensor:
    given = _saved(saved, more)
    if not given.get("use_input_stats", given.get("training", True)):
        raise NotImplementedError("instance norm with saved statistics: write it as a batch norm")
    return F.group_norm(input, input.shape[1], given["weight"], given["bias"], given["eps"])


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, **more: Any) -> Tensor:
    eps, reduction = more.get("eps", 1e-6), more.get("reduction", "mean")
    if more.get("p", 2) != 2 or more.get("swap"):
        raise NotImplementedError("this triplet loss: write its distances out")
    near: Tensor = (anchor - positive + eps).norm(dim=-1)
    far = (anchor - negative + eps).norm(dim=-1)
    each = torch.relu(near - far + more.get("margin", 1.0))
    return _mean(each, reduction)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, **more: Any) -> Tensor:
    if p != 2:
        raise NotImplementedError("a distance that is not the second: write it out")
    difference: Tensor = x1 - x2 + eps
    distance: Tensor = difference.norm(dim=-1, **more)
    return distance


def _mean(each: Tensor, reduction: str) -> Tensor:
    return each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()


def cosine_embedding(x1: Tensor, x2: Tensor, target: Tensor, margin: float = 0, **more: Any) -> Tensor:
    cosine = cosine_similarity(x1, x2, -1)
    apart = torch.relu(cosine - margin)
    each = torch.where(target > 0, 1 - cosine, apart)
    return _mean(each, more.get("reduction", "mean"))


def margin_ranking(x1: Tensor, x2: Tensor, target: Tensor, margin: float = 0, **more: Any) -> Tensor:
    each = torch.relu(-target * (x1 - x2) + margin)
    return _mean(each, more.get("reduction", "mean"))


def embedding_bag(input: Tensor, weight: Tensor, offsets: Any = None, *rest: Any, **more: Any) -> Tensor:
    mode, each = more.get("mode", rest[3] if len(rest) > 3 else "mean"), more.get("per_sample_weights")
    if input.dim() != 2:
        raise NotImplementedError("bags that begin at offsets: give them as rows, or write the sums out")
    rows = F.embedding(input, weight)
    rows = rows if each is None else rows * each.unsqueeze(-1)
    return rows.amax(1) if mode == "max" else rows.mean(1) if mode == "mean" else rows.sum(1)


def weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    square = (v**2).sum([k for k in range(v.dim()) if k != dim % v.dim()], keepdim=True)
    return g * v / square.sqrt()


PLAIN: tuple[tuple[Any, str, Any], ...] = (
    *RECURRENT,
    (nn.MultiheadAttention, "forward", multihead),
    (F, "scaled_dot_product_attention", attention),
    (F, "cosine_similarity", cosine_similarity),
    (torch, "cosine_similarity", cosine_similarity),
    (F, "batch_norm", batch_norm_saved),
    (F, "triplet_margin_loss", triplet),
    (F, "pairwise_distance", pairwise_distance),
    (F, "cosine_embedding_loss", cosine_embedding),
    (F, "margin_ranking_loss", margin_ranking),
    (F, "embedding_bag", embedding_bag),
    (F, "glu", glu),
    (F, "instance_norm", instance_norm),
    (torch, "_weight_norm", weight_norm),
    (sys.modules["torch.nn.utils.weight_norm"], "_weight_norm", weight_norm),
)
ATOMIC: tuple[tuple[Any, str, Any], ...] = (
    (F, "linear", linear),
    (F, "softmax", softmax),
    (F, "log_softmax", log_softmax),
    (torch, "softmax", softmax),
    (torch, "log_softmax", log_softmax),
    (torch.Tensor, "softmax", softmax),
    (torch.Tensor, "log_softmax", log_softmax),
    (F, "layer_norm", layer_norm),
    (F, "rms_norm", rms_norm),
    (F, "batch_norm", batch_norm),
    (F, "cross_entropy", cross_entropy),
    (F, "gelu", gelu),
)


@contextlib.contextmanager
def in_plain_steps(atomic: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for owner, name, function in (*PLAIN, *(ATOMIC if atomic else ())):
            stack.enter_context(mock.patch.object(owner, name, function))
        # a distribution looks at its numbers first: a branch on values
        stack.enter_context(mock.patch.object(torch.distributions.Distribution, "_validate_args", False))
        yield
