"""Models as people write them become exercises without a line by hand; autograd is what the bodies are held against."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import torch.nn.functional as F
from command import grader
from conftest import GRADIENTS, ROOT, sampled
from test_new import one_line
from test_release import PASSED, USAGE

from grader.authoring import authored, skeleton
from grader.authoring.item import AuthoredError
from grader.authoring.network import author
from grader.authoring.network.author import Asked
from grader.authoring.network.flat import Flat
from grader.authoring.network.load import Network

MODELS = {
    "lstm": "CharLM",
    "gru": "Regressor",
    "convnet": "Net",
    "resnet": "BasicBlock",
    "unet": "Level",
    "vit": "ViTBlock",
    "gpt": "GPT",
    "llama": "LlamaBlock",
    "vae": "VAE",
    "gcn": "GCN",
    "moe": "SoftMoE",
    "tcn": "TCN",
    "frozen": "Frozen",
    "router": "MoE",
    "lora": "Net",
    "encoder": "TextClassifier",  # padded, with dropout
    "distill": "Distillation",  # no_grad
    "vqvae": "VQ",  # detached here, not there
    "ddpm": "DDPM",  # a size that is called size
    "mamba": "Mamba",  # 2 * d + 1, which 4 * b - 3 would be as well
    "superres": "ESPCN",
}
APART = ("gpt", "vit", "resnet", "vae")  # softmax, norms and losses, which --chunk atomic takes apart
HERE = Path(__file__).parent / "models"
NEVER = re.compile(
    r"autograd|backward|jacobian|jvp|vjp|\bgrad\b|functional_call|torch\.ops|torch\.func|nn\.grad"
)


@pytest.mark.parametrize(
    ("name", "chunk"),
    sampled([*((n, "fused") for n in reversed(MODELS)), *((n, "atomic") for n in APART)], 99),
)
def test_a_model_becomes_an_exercise_without_a_line_by_hand(name: str, chunk: str, tmp_path: Path) -> None:
    shutil.copy(HERE / f"{name}.py", tmp_path)
    model, example = f"{name}.py::{MODELS[name]}", f"{name}.py::example"
    ran = grader("new", name, "--model", model, "--example", example, "--chunk", chunk, cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    text = (tmp_path / f"solutions/{name}/ex1.py").read_text()
    items = skeleton.gradients(text, name)
    assert not skeleton.unwritten(text, name) and "Left to you" not in ran.stdout
    # every tensor of the forward program that depends on a parameter or an input is asked for
    inputs, lines = authored.network(text, name)
    asked = {item[1:] for item in items}
    without = [n for n in (*inputs, *(line.name for line in lines)) if n not in asked]
    assert len(items) > 10 and not any(re.search(rf"\bd{n}\b", text) for n in without)
    functions = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name in items]
    code = "\n".join(ast.unparse(line) for n in functions for line in n.body[1:])
    assert not NEVER.search(code), NEVER.search(code)
    ran = grader("build", name, cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    ran = grader("check", name, "--solutions", cwd=tmp_path)
    assert f"score: {len(items)} of {len(items)}. All passed." in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.slow
def test_items_that_are_named_are_asked_for_alone_and_stubs_are_left_to_write(tmp_path: Path) -> None:
    shutil.copy(HERE / "vae.py", tmp_path)
    new = ("new", "vae", "--model", "vae.py::VAE", "--example", "vae.py::example")
    ran = grader(*new, "--items", "z,dmu,fc4_weight", "--stubs", cwd=tmp_path)
    assert "3 items, 0 of them written, in backward order: dfc4_weight, dz, dmu." in ran.stdout, ran.stderr
    text = (tmp_path / "solutions/vae/ex1.py").read_text()
    assert "The network returns 2 numbers; the loss is their sum." in text
    assert "randn=torch.randn((n, latent), generator=g)" in text  # what forward drew
    shutil.rmtree(tmp_path / "solutions")
    assert "--items: there is no q" in one_line(grader(*new, "--items", "q", cwd=tmp_path))


@pytest.mark.slow
def test_the_sets_own_forward_passes_give_bodies_that_pass(
    record_property: Callable[[str, object], None],
) -> None:
    """Where the author's own body passes; each forward line as its author wrote it."""
    passed, asked = 0, 0
    for exercise in GRADIENTS:
        path = ROOT.joinpath("solutions", *exercise.split(".")).with_suffix(".py")
        wanted = [item.name for item in authored.read(path.read_text(), str(path)).gradients]
        with mock.patch("grader.authoring.straight_line.problem", lambda node: None), \
                mock.patch("grader.authoring.skeleton.problem", lambda node: None):  # fmt: skip
            text, left = author.from_forward(Asked("own.ex1"), f"{path}::forward")
        missing = {line.partition(":")[0] for line in left}
        passed += len([w for w in wanted if w not in missing and f"def {w}(" in text])
        asked += len(wanted)
    record_property("bodies of the sets that pass", f"{passed} of {asked}")
    assert passed >= 0.98 * asked, (passed, asked)


# --- each operator of the table, alone -------------------------------------------------------------------


def clipped(x: torch.Tensor) -> torch.Tensor:
    x[x > 0.5] = 0.5
    return x


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add broadcast": lambda x, y: x + y[0],
    "sub with alpha": lambda x, y: torch.sub(x, y, alpha=2),
    "rsub": lambda x, y: 1 - x * y,
    "div": lambda x, y: x / (y[:, :1] ** 2 + 1),
    "pow": lambda x, y: (x**2 + 1) ** 1.5 + 2**y,
    "maximum": lambda x, y: torch.maximum(x, y) - torch.minimum(x, y * 2) + torch.min(x, 3 * y),
    "matmul": lambda x, y: x @ y.transpose(1, 2),
    "matmul shared": lambda x, y: x @ y[0].T,
    "matmul vector": lambda x, y: x @ y[0, 0],
    "vector matmul": lambda x, y: x[0, :, 0] @ y[0],
    "einsum": lambda x, y: torch.einsum("bij,bkj->bik", x, y),
    "einsum that sums": lambda x, y: torch.einsum("bij,bk->bi", x, y[:, :, 0]),
    "outer": lambda x, y: torch.outer(x[0, 0], y[0, :, 0]),
    "sum": lambda x, y: (x * y).sum((0, 2), keepdim=True) + x.sum(1).sum(),
    "mean": lambda x, y: x.mean(-1) * y.mean((1, 2), keepdim=True)[0],
    "var": lambda x, y: x.var(1) + y.var(1, unbiased=False) + x.std(1),
    "prod": lambda x, y: x.prod(1),
    "amax": lambda x, y: x.amax(1) + y.amin(1, keepdim=True)[:, 0],
    "max": lambda x, y: x.max(2).values + y.min(2, keepdim=True).values[:, :, 0],
    "norm": lambda x, y: x.norm(dim=1) + y.norm(),
    "logsumexp": lambda x, y: x.logsumexp(2, keepdim=True) * y.logsumexp(1, keepdim=True),
    "softmax": lambda x, y: x.softmax(1) * F.log_softmax(y, -1),
    "cumsum": lambda x, y: x.cumsum(1) * (y + 1).cumprod(1),
    "times one": lambda x, y: (1.0 * (x * y) + 0) ** 2 / 1.0 + x * y,
    "flip": lambda x, y: x.flip(1) * y + torch.roll(x, (1, -2), (0, 2)),
    "views": lambda x, y: x.reshape(12, 5).view(3, 20).unflatten(1, (4, 5)).flatten(1) @ y.permute(1, 2, 0).reshape(20, 3),
    "squeeze": lambda x, y: x.unsqueeze(1).squeeze(1).movedim(0, 2) * y.permute(1, 2, 0),
    "expand": lambda x, y: x[:, :1].expand(-1, 4, -1) * y,
    "repeat": lambda x, y: x.repeat(1, 2, 1) * y.repeat_interleave(2, 1),
    "slices": lambda x, y: x[:, 1:3] * y[:, ::2] + x[:, 2:, -1:],
    "select": lambda x, y: x[:, 1] * y[:, -1],
    "index": lambda x, y: x[torch.tensor([2, 0, 2])] * y,
    "index along": lambda x, y: x[:, torch.tensor([2, 0, 2])] * y.index_select(-1, torch.tensor([2, 0, 2])).mean(2, keepdim=True)[:, :3],
    "index two": lambda x, y: x[torch.tensor([2, 0]), torch.tensor([1, 3])],
    "embedding": lambda x, y: F.embedding(torch.tensor([[1, 0], [2, 1]]), x[0]),
    "gather": lambda x, y: x.gather(2, torch.tensor([0, 1, 4]).expand(3, 4, 3)),
    "scatter": lambda x, y: x.scatter(1, torch.tensor([[[2, 0, 1, 3, 1]]]), y[:1, :1]) * x.topk(4, 1).values,
    "sort": lambda x, y: x.sort(2, descending=True).values * y,
    "pixel_shuffle": lambda x, y: F.pixel_shuffle(x.repeat(4, 1, 1), 2)[:, :4, :5] * y + F.pixel_unshuffle(y[:, :, :4], 2).sum(0)[0, 0],
    "eye": lambda x, y: (x @ y.transpose(1, 2)).masked_fill(torch.eye(x.shape[1], dtype=torch.bool), -2.0),
    "full_like": lambda x, y: x * torch.full_like(x, 3.0) + y,
    "only compared": lambda x, y: torch.where(x.abs() < 0.5, 0.5 * x**2, x.abs() - 0.1 * y),
    "cat": lambda x, y: torch.cat([x, y, x], 2) * torch.stack([x, y, x], 2).flatten(2).repeat(1, 1, 1),
    "chunk": lambda x, y: x.chunk(2, 1)[0] * y.split([2, 2], 1)[1],
    "pad": lambda x, y: F.pad(x, (1, 2, 0, 1)) * 2,
    "masks": lambda x, y: x.masked_fill(y > 0, 0.5) + torch.where(y < 0.5, x, y) + torch.tril(x),
    "clamp": lambda x, y: x.clamp(-0.5, 0.5) + y.clamp(min=0),
    "conv1d": lambda x, y: F.conv1d(x, y[:2, :, :3], y[0, :2, 0], stride=2, padding=1),
    "conv1d dilated": lambda x, y: F.conv1d(x, y[:2, :, :2], dilation=2),
    "conv1d in groups": lambda x, y: F.conv1d(x, y[:, :2, :3].flatten(0, 1).reshape(-1, 1, 3)[:4], groups=4),
    "conv2d": lambda x, y: F.conv2d(x.unsqueeze(1), y[:, :3, :3].unsqueeze(1), y[0, 0, :3], stride=(1, 2), padding=1),
    "conv2d in groups": lambda x, y: F.conv2d(x.unsqueeze(0)[:, :2], y[:2, :3, :3].unsqueeze(1), groups=2),
    "conv_transpose2d": lambda x, y: F.conv_transpose2d(x.unsqueeze(0), y[:, :2, :2].unsqueeze(1), stride=2),
    "conv_transpose1d in groups": lambda x, y: F.conv_transpose1d(x, y[:, :2, :3].flatten(0, 1)[:4].unsqueeze(1), x[0, :, 0], stride=2, padding=1, output_padding=1, groups=4, dilation=2),
    "avg_pool padded": lambda x, y: F.avg_pool1d(x, 3, 2, 1)[:, :, :3] + F.avg_pool2d(y.unsqueeze(0), 2, padding=1)[0, :, :1, :3],
    "max_pool2d": lambda x, y: F.max_pool2d(x, 2) + F.max_pool2d(y.unsqueeze(0), 2, padding=1)[0, :, :2, :2],
    "avg_pool2d": lambda x, y: F.avg_pool2d(x.unsqueeze(0), 3, stride=1) * F.adaptive_avg_pool2d(y, 1),
    "interpolate": lambda x, y: F.interpolate(x.unsqueeze(0), scale_factor=2),
    "conv2d same": lambda x, y: F.conv2d(x.unsqueeze(1), y[:, :3, :3].unsqueeze(1), padding="same"),
    "interpolate bilinear": lambda x, y: F.interpolate(x.unsqueeze(0), size=(7, 8), mode="bilinear") * F.interpolate(y.unsqueeze(0), size=(7, 8), mode="bilinear", align_corners=True),
    "layer_norm": lambda x, y: F.layer_norm(x, (5,), y[0, 0], y[0, 1]) * F.layer_norm(y, (4, 5)),
    "rms_norm": lambda x, y: F.rms_norm(x, (5,), y[0, 0]),
    "batch_norm": lambda x, y: F.batch_norm(x, None, None, y[0, :, 0], y[1, :, 0], training=True) * x,
    "batch_norm saved": lambda x, y: F.batch_norm(x, y[0, :, 0].detach(), y[1, :, 1].detach() ** 2, y[0, :, 2], y[1, :, 3]),
    "instance_norm": lambda x, y: F.instance_norm(x) * y,
    "group_norm": lambda x, y: F.group_norm(x, 2, y[0, :, 0], y[1, :, 0]) * y,
    "cross_entropy": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2])) * F.cross_entropy(y, torch.tensor([[0] * 5, [1] * 5, [3] * 5])),
    "cross_entropy sum": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2]), reduction="sum"),
    "cross_entropy none": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2]), reduction="none"),
    "cross_entropy smoothed": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2]), label_smoothing=0.2),
    "cross_entropy of some": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2]), ignore_index=4),
    "cross_entropy weighted": lambda x, y: F.cross_entropy(x[0], torch.tensor([1, 0, 4, 2]), torch.arange(1.0, 6.0)),
    "nll_loss": lambda x, y: F.nll_loss(x[0].log_softmax(1), torch.tensor([1, 0, 4, 2])),
    "mse_loss": lambda x, y: F.mse_loss(x, y) * F.mse_loss(x, y, reduction="none") + F.mse_loss(y, x * 2, reduction="sum"),
    "l1_loss": lambda x, y: F.l1_loss(x, y) + F.smooth_l1_loss(x, y * 2),
    "bce": lambda x, y: F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(y)) + F.binary_cross_entropy_with_logits(x, y),
    "bce weighted": lambda x, y: F.binary_cross_entropy_with_logits(x, torch.sigmoid(y), pos_weight=torch.tensor(3.0)),
    "huber_loss": lambda x, y: F.huber_loss(x, y, delta=0.5) + F.kl_div(x, torch.sigmoid(y), reduction="batchmean"),
    "cosine_similarity": lambda x, y: F.cosine_similarity(x, y, dim=-1),
    "triplet": lambda x, y: F.triplet_margin_loss(x, y, x * y, margin=2.0),
    "cosine embedding": lambda x, y: F.cosine_embedding_loss(x[0], y[0], torch.tensor([1, -1, 1, -1]), 0.1) * F.pairwise_distance(x, y),
    "ranking": lambda x, y: F.margin_ranking_loss(x, y, torch.tensor(-1.0), margin=0.3) * F.normalize(x, dim=-1),
    "bags": lambda x, y: F.embedding_bag(torch.tensor([[1, 0], [2, 2]]), x[0]) * F.embedding_bag(torch.tensor([[1, 0], [3, 2]]), y[0], mode="sum"),
    "diagonals": lambda x, y: torch.diag(x[0], 1) + torch.diagonal(y[1], -1)[:4].sum(),
    "vectors": lambda x, y: F.linear(x[0, 0], y[0], x[0, :, 0]) * (x[0] @ y[0, 0]) + torch.dot(x[0, 0], y[0, 1]),
    "detached": lambda x, y: (x + (y - x).detach()) * y.exp().detach() + (y.exp() + x).sigmoid(),
    "where it is large": lambda x, y: clipped(x + 0) * y,
    "no_grad": lambda x, y: x * torch.no_grad()(lambda z: torch.exp(z) * z.sin())(y) + y,
    "dropout": lambda x, y: F.dropout(x, 0.4) * y,
    "attention": lambda x, y: F.scaled_dot_product_attention(x, y, x * y, is_causal=True),
    "gelu tanh": lambda x, y: F.gelu(x, approximate="tanh") + F.gelu(y),
    "activations": lambda x, y: F.silu(x) + F.softplus(y) + F.leaky_relu(x, 0.2) + F.elu(y) + F.logsigmoid(x) + F.relu(y),
    "hard activations": lambda x, y: F.hardswish(3 * x) + F.hardsigmoid(3 * y) + F.relu6(5 * x) + F.hardtanh(y, -0.5, 0.7) + F.mish(x) + torch.atan(y) + F.selu(x),
    "gates": lambda x, y: F.glu(x[:, :, :4]) + F.prelu(y, x[0, :, 0])[:, :, :2] + F.prelu(y, x[0, 0, :1])[:, :, :2],
    "functions": lambda x, y: torch.exp(x) + torch.sin(y) * torch.cos(x) + torch.tanh(x).abs() + torch.rsqrt(y**2 + 1) + torch.erf(x),
    "roots": lambda x, y: torch.sqrt(x**2 + 1) + torch.log(y**2 + 1) + torch.log1p(x**2) + torch.reciprocal(y**2 + 2) + torch.square(x),
}  # fmt: skip


def written(function: Callable[..., Any]) -> tuple[Flat, dict[str, torch.Tensor]]:
    """A function of two tensors, and a weighting of what it gives, as a flat program."""
    g = torch.Generator().manual_seed(3)
    given = {k: torch.randn(3, 4, 5, generator=g) for k in "xy"}

    def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = function(x, y)
        return (out * torch.linspace(-1.0, 2.0, out.numel()).reshape(out.shape)).sum()

    network = Network(lambda sizes: (forward, given), {"n": 3}, False, __file__)
    return Flat(network, [{"n": 3}]), given


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operator_s_body_is_autograd_s_gradient(name: str) -> None:
    flat, given = written(OPERATIONS[name])
    scope: dict[str, Any] = {"torch": torch, "F": F, **given}
    for step in flat.inputs:
        if step.kind == "noise":
            scope[step.name] = torch.rand(step.shape, generator=torch.Generator().manual_seed(1)) > 0.4
        elif step.name not in scope:  # a constant of the function's
            scope[step.name] = flat.values(step)[0]
    leaves = {k: scope[k].clone().requires_grad_() for k in given}
    live = {**scope, **leaves}
    exec(compile("\n".join(flat.writer.line(s) for s in flat.lines), name, "exec"), live)
    tracked = [s for s in (*flat.inputs, *flat.lines) if s.tracked]
    wanted = torch.autograd.grad(live["loss"], [live[s.name] for s in tracked], allow_unused=True)
    values: dict[str, Any] = {k: v.detach() if isinstance(v, torch.Tensor) else v for k, v in live.items()}
    for step, gradient in zip(tracked, wanted, strict=True):
        values["d" + step.name] = gradient
    for step in tracked[: tracked.index(flat.loss)]:
        if values["d" + step.name] is None:
            continue
        body = "def f():\n" + "\n".join("    " + line for line in flat.body(step).split("\n"))
        exec(compile(body, name, "exec"), values)
        result = values["f"]()
        assert result.shape == step.shape, body
        assert torch.allclose(result, values["d" + step.name], rtol=1e-4, atol=1e-5), body


# --- what is refused -------------------------------------------------------------------------------------

REFUSED = {
    "if x.sum() > 0:\n            x = x * 2\n        return x.sum()": "line 7: which way it goes depends on a tensor's values",
    "with torch.set_grad_enabled(False):\n            s = x.abs().mean()\n        return (x * s).sum()": "line 7: no_grad and the like hide steps",
    "return torch.view_as_complex(torch.stack([x, x], -1)).abs().sum()": "line 7: complex numbers: write real and",
    "y = x * 2\n        y[0] = 0\n        return y.sum()": "line 8: `fill_` changes part of a tensor in place",
    "return x.sum() * x.max().item()": "line 7: a number is taken out of a tensor",
    "return torch.special.i0(x).sum()": "line 7: torch's special_i0 is no line that can be written",
    "return x.detach().sum()": "nothing that the model returns depends on a parameter or an input",
    "return x @ x": "Net stops at example's sizes: RuntimeError",
}  # fmt: skip
EXAMPLE = "def example(g, n=4, d=3):\n    return torch.randn(n, d, generator=g)\n"


@pytest.mark.parametrize("body", REFUSED)
def test_what_can_t_be_is_told_by_its_line(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import torch\n\n\nclass Net(torch.nn.Module):\n\n    def forward(self, x):\n        " + body
    (tmp_path / "net.py").write_text(f"{source}\n\n\n{EXAMPLE}")
    with pytest.raises(AuthoredError) as error:
        author.from_model(Asked("net.ex1"), "net.py::Net", "net.py::example")
    assert REFUSED[body] in str(error.value)


def test_all_that_stands_in_the_way_is_told_at_once(tmp_path: Path) -> None:
    body = "y = x * 2\n        y[0] = 0\n        y[1:] = 1\n        return y.sum() * x.max().item()"
    source = "import torch\n\n\nclass Net(torch.nn.Module):\n\n    def forward(self, x):\n        " + body
    (tmp_path / "net.py").write_text(f"{source}\n\n\n{EXAMPLE}")
    ran = grader("new", "net", "--model", "net.py::Net", "--example", "net.py::example", cwd=tmp_path)
    assert ran.returncode == USAGE and {"8", "9", "10"} == {*re.findall(r"net.py, line (\d+)", ran.stderr)}
    assert not (tmp_path / "solutions").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    sampled(
        [
            (["--model", "net.py::Net"], "--model FILE::Class and --example FILE::function go together"),
            (
                ["--model", "net.py::Nett", "--example", "net.py::example"],
                "net.py has no Nett; it has Net, example",
            ),
            (
                ["--model", "gone.py::Net", "--example", "net.py::example"],
                "gone.py can't be read: No such file",
            ),
            (["--model", "net.py::Net", "--example", "net.py::sizes"], "net.py has no function sizes"),
            (["--model", "net.py::Net", "--example", "net.py::bare"], "needs its sizes as defaults"),
            (
                ["--model", "net.py::Net", "--example", "net.py::twice"],
                "x is a size of twice and an argument",
            ),
        ],
        3,
    ),
)
def test_wrong_usage_of_a_model_is_told_in_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    source = "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x.sum()\n\n\n"
    (tmp_path / "net.py").write_text(
        f"{source}{EXAMPLE}\n\ndef bare(g, n):\n    return torch.ones(n)\n"
        "\n\ndef twice(g, x=3):\n    return torch.ones(x)\n"
    )
    ran = grader("new", "net", *arguments, cwd=tmp_path)
    assert ran.returncode == USAGE and said in one_line(ran)
    assert not (tmp_path / "solutions").exists()


def test_an_operator_without_a_rule_is_left_to_the_author(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        y = torch.exp(x)\n"
        f"        return torch.trace(y @ y.T)\n\n\n{EXAMPLE}"
    )
    ran = grader("new", "net", "--model", "net.py::Net", "--example", "net.py::example", cwd=tmp_path)
    assert "Left to you, 1:" in ran.stdout and "the local gradient of trace" in ran.stdout, (
        ran.stdout + ran.stderr
    )
    text = (tmp_path / "solutions/net/ex1.py").read_text()
    assert [n.name for n in skeleton.unwritten(text, "net")] == ["dprod"]


@pytest.mark.slow
def test_lines_of_which_hints_know_nothing_are_built_with_hints_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nimport torch.nn.functional as F\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        f"        return F.gelu(x, approximate='tanh').sum()\n\n\n{EXAMPLE}"
    )
    ran = grader("new", "net", "--model", "net.py::Net", "--example", "net.py::example", cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    ran = grader("build", "net", cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    assert "Σ dgelu[…] · ∂gelu[…]/∂x[i]" in grader("hint", "net.ex1.dx", "--all", cwd=tmp_path).stdout
