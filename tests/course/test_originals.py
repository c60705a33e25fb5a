"""Code as the lectures and their repositories have it, handed in for the suite's outputs: it passes.

Written anew, in the style and with the names of the originals. Where a task departs from them, its statement
says so, and the function is given the task's name and arguments here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from grader.core.exercise import File, How, Task
from grader.core.verdict import ItemReport, Verdict
from grader.judging import grade as grading
from grader.runner.host.client import Runner

ENGINE = """
import math

class Value:

  def __init__(self, data, _children=(), _op='', label=''):
    self.data = data
    self.grad = 0.0
    self._backward = lambda: None
    self._prev = set(_children)
    self._op = _op
    self.label = label

  def __repr__(self):
    return f"Value(data={self.data})"

  def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), '+')

    def _backward():
      self.grad += 1.0 * out.grad
      other.grad += 1.0 * out.grad
    out._backward = _backward

    return out

  def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), '*')

    def _backward():
      self.grad += other.data * out.grad
      other.grad += self.data * out.grad
    out._backward = _backward

    return out

  def __pow__(self, other):
    assert isinstance(other, (int, float)), "only supporting int/float powers for now"
    out = Value(self.data**other, (self,), f'**{other}')

    def _backward():
      self.grad += other * (self.data ** (other - 1)) * out.grad
    out._backward = _backward

    return out

  def __rmul__(self, other): # other * self
    return self * other

  def __truediv__(self, other): # self / other
    return self * other**-1

  def __neg__(self): # -self
    return self * -1

  def __sub__(self, other): # self - other
    return self + (-other)

  def __radd__(self, other): # other + self
    return self + other

  def tanh(self):
    x = self.data
    t = (math.exp(2*x) - 1)/(math.exp(2*x) + 1)
    out = Value(t, (self, ), 'tanh')

    def _backward():
      self.grad += (1 - t**2) * out.grad
    out._backward = _backward

    return out

  def exp(self):
    x = self.data
    out = Value(math.exp(x), (self, ), 'exp')

    def _backward():
      self.grad += out.data * out.grad
    out._backward = _backward

    return out

  def relu(self):
    out = Value(0 if self.data < 0 else self.data, (self,), 'ReLU')

    def _backward():
      self.grad += (out.data > 0) * out.grad
    out._backward = _backward

    return out

  def backward(self):

    topo = []
    visited = set()
    def build_topo(v):
      if v not in visited:
        visited.add(v)
        for child in v._prev:
          build_topo(child)
        topo.append(v)
    build_topo(self)

    self.grad = 1.0
    for node in reversed(topo):
      node._backward()


def tanh_from_exp(x):
  e = (2*x).exp()
  return (e - 1) / (e + 1)
"""

NETWORK = """
import random

class Neuron:

  def __init__(self, nin):
    self.w = [Value(random.uniform(-1,1)) for _ in range(nin)]
    self.b = Value(random.uniform(-1,1))

  def __call__(self, x):
    # w * x + b
    act = sum((wi*xi for wi, xi in zip(self.w, x)), self.b)
    out = act.tanh()
    return out

  def parameters(self):
    return self.w + [self.b]

class Layer:

  def __init__(self, nin, nout):
    self.neurons = [Neuron(nin) for _ in range(nout)]

  def __call__(self, x):
    outs = [n(x) for n in self.neurons]
    return outs[0] if len(outs) == 1 else outs

  def parameters(self):
    return [p for neuron in self.neurons for p in neuron.parameters()]

class MLP:

  def __init__(self, nin, nouts):
    sz = [nin] + nouts
    self.layers = [Layer(sz[i], sz[i+1]) for i in range(len(nouts))]

  def __call__(self, x):
    for layer in self.layers:
      x = layer(x)
    return x

  def parameters(self):
    return [p for layer in self.layers for p in layer.parameters()]

def squared_error(ypred, ys):
  return sum((yout - ygt)**2 for ygt, yout in zip(ys, ypred))

def zero_grad(parameters):
  for p in parameters:
    p.grad = 0.0

def descend(parameters, rate):
  for p in parameters:
    p.data += -rate * p.grad

def train(n, xs, ys, steps, rate):
  losses = []
  for k in range(steps):
    ypred = [n(x) for x in xs]
    loss = sum((yout - ygt)**2 for ygt, yout in zip(ys, ypred))
    for p in n.parameters():
      p.grad = 0.0
    loss.backward()
    for p in n.parameters():
      p.data += -rate * p.grad
    losses.append(loss.data)
  return losses
"""

BATCH_NORM = """
import torch

class BatchNorm1d:

  def __init__(self, dim, eps=1e-5, momentum=0.1):
    self.eps = eps
    self.momentum = momentum
    self.training = True
    # parameters (trained with backprop)
    self.gamma = torch.ones(dim)
    self.beta = torch.zeros(dim)
    # buffers (trained with a running 'momentum update')
    self.running_mean = torch.zeros(dim)
    self.running_var = torch.ones(dim)

  def __call__(self, x):
    # calculate the forward pass
    if self.training:
      xmean = x.mean(0, keepdim=True) # batch mean
      xvar = x.var(0, keepdim=True) # batch variance
    else:
      xmean = self.running_mean
      xvar = self.running_var
    xhat = (x - xmean) / torch.sqrt(xvar + self.eps) # normalize to unit variance
    self.out = self.gamma * xhat + self.beta
    # update the buffers
    if self.training:
      with torch.no_grad():
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * xmean
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * xvar
    return self.out

  def parameters(self):
    return [self.gamma, self.beta]
"""
MODULE = """
import torch
from torch import nn

class BatchNorm1d(nn.Module):

  def __init__(self, dim, eps=1e-5, momentum=0.1):
    super().__init__()
    self.eps, self.momentum = eps, momentum
    self.gamma = nn.Parameter(torch.ones(dim))
    self.beta = nn.Parameter(torch.zeros(dim))
    self.register_buffer("running_mean", torch.zeros(dim))
    self.register_buffer("running_var", torch.ones(dim))

  def forward(self, x):
    dim = tuple(range(x.ndim - 1))
    if self.training:
      mean, var = x.mean(dim), x.var(dim)
      with torch.no_grad():
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
    else:
      mean, var = self.running_mean, self.running_var
    return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta
"""
WAVENET = """
class FlattenConsecutive:

  def __init__(self, n):
    self.n = n

  def __call__(self, x):
    B, T, C = x.shape
    x = x.view(B, T//self.n, C*self.n)
    if x.shape[1] == 1:
      x = x.squeeze(1)
    self.out = x
    return self.out

  def parameters(self):
    return []
"""
THREE_AXES = BATCH_NORM.replace(
    """      xmean = x.mean(0, keepdim=True) # batch mean
      xvar = x.var(0, keepdim=True) # batch variance
""",
    """      if x.ndim == 2:
        dim = 0
      elif x.ndim == 3:
        dim = (0,1)
      xmean = x.mean(dim, keepdim=True) # batch mean
      xvar = x.var(dim, keepdim=True) # batch variance
""",
)

MINBPE = """
def get_stats(ids, counts=None):
    counts = {} if counts is None else counts
    for pair in zip(ids, ids[1:]): # iterate consecutive elements
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge(ids, pair, idx):
    newids = []
    i = 0
    while i < len(ids):
        # if not at the very last position AND the pair matches, replace it
        if ids[i] == pair[0] and i < len(ids) - 1 and ids[i+1] == pair[1]:
            newids.append(idx)
            i += 2
        else:
            newids.append(ids[i])
            i += 1
    return newids
"""
BASIC = (
    MINBPE
    + """

class BasicTokenizer:

    def __init__(self):
        self.merges = {}
        self.vocab = {idx: bytes([idx]) for idx in range(256)}

    def train(self, text, vocab_size, verbose=False):
        assert vocab_size >= 256
        num_merges = vocab_size - 256
        text_bytes = text.encode("utf-8")
        ids = list(text_bytes)
        merges = {}
        vocab = {idx: bytes([idx]) for idx in range(256)}
        for i in range(num_merges):
            stats = get_stats(ids)
            if not stats:
                break
            pair = max(stats, key=stats.get)
            idx = 256 + i
            ids = merge(ids, pair, idx)
            merges[pair] = idx
            vocab[idx] = vocab[pair[0]] + vocab[pair[1]]
        self.merges = merges
        self.vocab = vocab

    def decode(self, ids):
        text_bytes = b"".join(self.vocab[idx] for idx in ids)
        return text_bytes.decode("utf-8", errors="replace")

    def encode(self, text):
        ids = list(text.encode("utf-8"))
        while len(ids) >= 2:
            stats = get_stats(ids)
            pair = min(stats, key=lambda p: self.merges.get(p, float("inf")))
            if pair not in self.merges:
                break
            ids = merge(ids, pair, self.merges[pair])
        return ids


def train(text, count):
    tokenizer = BasicTokenizer()
    tokenizer.train(text, 256 + count)
    return tokenizer.merges

def vocab(merges):
    found = {idx: bytes([idx]) for idx in range(256)}
    for (p0, p1), idx in merges.items():
        found[idx] = found[p0] + found[p1]
    return found

def decode(ids, known):
    tokenizer = BasicTokenizer()
    tokenizer.vocab = known
    return tokenizer.decode(ids)

def encode(text, merges):
    tokenizer = BasicTokenizer()
    tokenizer.merges = merges
    return tokenizer.encode(text)
"""
)
REGEX = (
    MINBPE
    + r'''
import regex as re

GPT2_SPLIT_PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
GPT4_SPLIT_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"""
    r"""|\s*[\r\n]|\s+(?!\S)|\s+"""
)


def gpt2_chunks(text):
    return re.findall(re.compile(GPT2_SPLIT_PATTERN), text)

def gpt4_chunks(text):
    return re.findall(re.compile(GPT4_SPLIT_PATTERN), text)

def stats(lists):
    counts = {}
    for chunk_ids in lists:
        get_stats(chunk_ids, counts)
    return counts

def train(chunks, count):
    ids = [list(ch.encode("utf-8")) for ch in chunks]
    merges = {}
    for i in range(count):
        found = {}
        for chunk_ids in ids:
            get_stats(chunk_ids, found)
        if not found:
            break
        pair = max(found, key=found.get)
        idx = 256 + i
        ids = [merge(chunk_ids, pair, idx) for chunk_ids in ids]
        merges[pair] = idx
    return merges

def encode(chunks, merges):
    def _encode_chunk(text_bytes):
        ids = list(text_bytes)
        while len(ids) >= 2:
            found = get_stats(ids)
            pair = min(found, key=lambda p: merges.get(p, float("inf")))
            if pair not in merges:
                break
            ids = merge(ids, pair, merges[pair])
        return ids
    ids = []
    for chunk in chunks:
        ids.extend(_encode_chunk(chunk.encode("utf-8")))
    return ids
'''
)
SPECIAL = r"""
import regex as re

def allowed(text, specials, allowed_special):
    special = None
    if allowed_special == "all":
        special = specials
    elif allowed_special == "none":
        special = {}
    elif allowed_special == "none_raise":
        special = {}
        if not all(token not in text for token in specials):
            raise ValueError("a special token in the text")
    elif isinstance(allowed_special, set):
        special = {k: v for k, v in specials.items() if k in allowed_special}
    else:
        raise ValueError(f"allowed_special={allowed_special} not understood")
    return special

def encode(text, specials, allowed_special, ordinary):
    special = allowed(text, specials, allowed_special)
    if not special:
        return ordinary(text)
    special_pattern = "(" + "|".join(re.escape(k) for k in sorted(special, key=len, reverse=True)) + ")"
    special_chunks = re.split(special_pattern, text)
    ids = []
    for part in special_chunks:
        if part in special:
            ids.append(special[part])
        else:
            ids.extend(ordinary(part))
    return ids

def decode(ids, vocab, specials):
    inverse_special_tokens = {v: k for k, v in specials.items()}
    part_bytes = []
    for idx in ids:
        if idx in vocab:
            part_bytes.append(vocab[idx])
        elif idx in inverse_special_tokens:
            part_bytes.append(inverse_special_tokens[idx].encode("utf-8"))
        else:
            raise ValueError(f"invalid token id: {idx}")
    return b"".join(part_bytes).decode("utf-8", errors="replace")
"""
GPT4 = """
def bpe(mergeable_ranks, token, max_rank):
    parts = [bytes([b]) for b in token]
    while True:
        min_idx = None
        min_rank = None
        for i, pair in enumerate(zip(parts[:-1], parts[1:])):
            rank = mergeable_ranks.get(pair[0] + pair[1])
            if rank is not None and (min_rank is None or rank < min_rank):
                min_idx = i
                min_rank = rank
        if min_rank is None or (max_rank is not None and min_rank >= max_rank):
            break
        assert min_idx is not None
        parts = parts[:min_idx] + [parts[min_idx] + parts[min_idx + 1]] + parts[min_idx + 2:]
    return parts

def parts(token, ranks):
    return tuple(bpe(ranks, token, max_rank=ranks[token]))

def merges(mergeable_ranks):
    merges = {}
    for token, rank in mergeable_ranks.items():
        if len(token) == 1:
            continue # skip raw bytes
        pair = tuple(bpe(mergeable_ranks, token, max_rank=rank))
        assert len(pair) == 2
        ix0 = mergeable_ranks[pair[0]]
        ix1 = mergeable_ranks[pair[1]]
        merges[(ix0, ix1)] = rank
    return merges
"""

NANOGPT = """
import math
import torch

def get_lr(it, warmup_steps, max_steps, max_lr, min_lr):
    # 1) linear warmup for warmup_iters steps
    if it < warmup_steps:
        return max_lr * (it+1) / warmup_steps
    # 2) if it > lr_decay_iters, return min learning rate
    if it > max_steps:
        return min_lr
    # 3) in between, use cosine decay down to min learning rate
    decay_ratio = (it - warmup_steps) / (max_steps - warmup_steps)
    assert 0 <= decay_ratio <= 1
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio)) # coeff starts at 1 and goes to 0
    return min_lr + coeff * (max_lr - min_lr)
"""
LOADER = """
import torch

class DataLoaderLite:
    def __init__(self, tokens, B, T, process_rank, num_processes):
        self.B = B
        self.T = T
        self.process_rank = process_rank
        self.num_processes = num_processes
        self.tokens = torch.tensor(tokens)
        self.current_position = self.B * self.T * self.process_rank

    def batch(self):
        B, T = self.B, self.T
        buf = self.tokens[self.current_position : self.current_position+B*T+1]
        x = (buf[:-1]).view(B, T) # inputs
        y = (buf[1:]).view(B, T) # targets
        # advance the position in the tensor
        self.current_position += B * T * self.num_processes
        # if loading the next batch would be out of bounds, advance to next shard
        if self.current_position + (B * T * self.num_processes + 1) > len(self.tokens):
            self.current_position = B * T * self.process_rank
        return x, y
"""
GPT = """
import torch
from torch.nn import functional as F

def vocabulary(text):
    chars = sorted(list(set(text)))
    return chars

def encode(s, chars):
    stoi = { ch:i for i,ch in enumerate(chars) }
    return [stoi[c] for c in s]

def decode(l, chars):
    itos = { i:ch for i,ch in enumerate(chars) }
    return ''.join([itos[i] for i in l])

def batch(data, ix, block_size):
    x = torch.stack([data[i:i+block_size] for i in ix])
    y = torch.stack([data[i+1:i+block_size+1] for i in ix])
    return x, y

def by_loop(x):
    B, T, C = x.shape
    xbow = torch.zeros((B,T,C))
    for b in range(B):
        for t in range(T):
            xprev = x[b,:t+1] # (t,C)
            xbow[b,t] = torch.mean(xprev, 0)
    return xbow

def by_matrix(x):
    T = x.shape[1]
    wei = torch.tril(torch.ones(T, T))
    wei = wei / wei.sum(1, keepdim=True)
    xbow2 = wei @ x # (B, T, T) @ (B, T, C) ----> (B, T, C)
    return wei, xbow2

def by_softmax(x):
    T = x.shape[1]
    tril = torch.tril(torch.ones(T, T))
    wei = torch.zeros((T,T))
    wei = wei.masked_fill(tril == 0, float('-inf'))
    masked = wei
    wei = F.softmax(wei, dim=-1)
    xbow3 = wei @ x
    return masked, wei, xbow3
"""

ORIGINALS: dict[str, tuple[str, str, list[str], dict[str, str]]] = {
    "the engine, with _prev, _op and label": (
        "micrograd.ex2", ENGINE,
        ["add", "multiply", "power", "exp", "tanh", "relu", "composed", "accumulate", "backward",
         "tanh_from_exp"], {},
    ),
    "the network, with random.uniform and a single output alone": (
        "micrograd.ex3", ENGINE + NETWORK,
        ["neuron", "layer", "mlp", "squared_error", "zero_grad", "descend", "train"], {},
    ),
    "the batch norm, whose running values get an axis": (
        "batchnorm.ex5", BATCH_NORM, ["normalised", "running", "evaluated", "constant"], {},
    ),
    "a module with Parameters": (
        "batchnorm.ex5", MODULE, ["normalised", "running", "evaluated", "constant"], {},
    ),
    "the tree's modules": (
        "wavenet.ex7", THREE_AXES + WAVENET, ["flatten", "batchnorm", "running", "evaluated"], {},
    ),
    "the tree's batch norm as a module with Parameters": (
        "wavenet.ex7", MODULE, ["batchnorm", "running", "evaluated"], {},
    ),
    "minbpe's get_stats and merge": (
        "tokenizer.ex1", MINBPE, ["stats", "merge", "shorter"], {"get_stats": "stats"},
    ),
    "minbpe's BasicTokenizer": (
        "tokenizer.ex2", BASIC, ["train", "short", "vocab", "decode", "encode", "round_trip"], {},
    ),
    "minbpe's RegexTokenizer and the published patterns": (
        "tokenizer.ex3", REGEX, ["gpt2_chunks", "gpt4_chunks", "stats", "train", "encode"], {},
    ),
    "minbpe's special tokens": ("tokenizer.ex4", SPECIAL, ["allowed", "encode", "decode"], {}),
    "minbpe's bpe and recover_merges": ("tokenizer.ex5", GPT4, ["parts", "merges"], {}),
    "build-nanogpt's schedule": ("gpt2.ex9", NANOGPT, ["rate"], {"get_lr": "rate"}),
    "build-nanogpt's loader": ("gpt2.ex10", LOADER, ["loader"], {"DataLoaderLite": "Loader"}),
    "the lecture's batches and averages": (
        "gpt.ex11", GPT,
        ["vocabulary", "encode", "decode", "batch", "by_loop", "by_matrix", "by_softmax"], {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("exercise", "source", "items", "rename"), ORIGINALS.values(), ids=ORIGINALS)
def test_an_original_passes(
    runner: Runner,
    exercises: dict[str, Task],
    exercise: str,
    source: str,
    items: list[str],
    rename: Mapping[str, str],
) -> None:
    file = File("original.py", source.encode())
    report = grading.grade(runner, exercises[exercise], file, How(items, rename=rename))[0]
    assert {i.id: i.check.reason or str(i.verdict) for i in report.items if not i.passed} == {}
    assert len(report.items) == len(items)


@pytest.mark.parametrize(
    ("source", "verdict"),
    {
        "other names": ("def minibatch(xs, ys, which):\n    return xs[which], ys[which]\n", Verdict.EXACT),
        "one of its own": ("def minibatch(X, ys, which):\n    return X[which], ys[which]\n", Verdict.EXACT),
        "in another order": ("def minibatch(ix, Y, X):\n    return X[ix], Y[ix]\n", Verdict.EXACT),
        "one too few": ("def minibatch(xs, ys):\n    return xs, ys\n", Verdict.ERROR),
        "a known one elsewhere": ("def minibatch(i, X, Y):\n    return X[i], Y[i]\n", Verdict.ERROR),
    }.values(),
)  # fmt: skip
def test_parameters_of_other_names_are_taken_by_their_places(
    item: Callable[..., ItemReport], source: str, verdict: Verdict
) -> None:
    assert item(source, "mlp.ex5", "minibatch").verdict is verdict
