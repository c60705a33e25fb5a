"""The lectures' pictures: made of solutions' values, parsed as XML, read back and held to oracles."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
import torch.nn.functional as F
from browser import PHONE, WIDE, seen_at, violations
from command import grader
from conftest import ROOT, sampled, stub_of
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load as tensors
from selenium import webdriver

import grader as public
from grader.reference import drawn, values
from grader.reference.outputs import Solution
from grader.reports.pages import train as page
from grader.reports.pictures import charts, kinds
from grader.reports.pictures.grids import STRONGEST
from grader.reports.pictures.svg import Picture, css, span, ticks
from grader.suite import fixtures

SVG = "{http://www.w3.org/2000/svg}"
DRIVEN = {n: k for n, k in kinds.KINDS.items() if k.asks}


def exercise_of(name: str) -> str:
    return kinds.KINDS[name].needs[0].rpartition(".")[0]


def given_of(exercise: str) -> dict[str, Any]:
    described = fixtures.describe(ROOT, exercise)
    saved = fixtures.read(ROOT, described)
    own = values.unpacked(tensors(saved.given[described.lecture.name]))
    return {**described.lecture.sizes, **own}


def driven(name: str) -> dict[str, Any]:
    """What a picture's driver makes of the solution's functions."""
    kind, exercise = DRIVEN[name], exercise_of(name)
    path = (ROOT / "solutions").joinpath(*exercise.split(".")).with_suffix(".py")
    names = Solution(path.read_text(), str(path)).names
    have = given_of(exercise) if kind.params else {}
    with torch.inference_mode():
        found: dict[str, Any] = getattr(drawn, name)(
            *(names[n] for n in kind.asks), *(have[n] for n in kind.params)
        )
    return found


def some(name: str) -> dict[str, Any]:
    """Values of a training, of which a picture is made that no driver makes."""
    g = torch.Generator().manual_seed(1)
    losses = (3 - torch.linspace(0, 1, 500) + 0.2 * torch.randn(500, generator=g)).tolist()
    layers = [torch.randn(400, generator=g).tanh() for _ in range(3)]
    logits = 0.1 * torch.randn(5, 27, generator=g)
    dlogits = (logits.softmax(1) - F.one_hot(torch.arange(5), 27)) / 5
    told: dict[str, dict[str, Any]] = {
        "losses": {"lossi": {"by hand": losses, "by autograd": losses}, "width": 50},
        "rates": {"lre": torch.linspace(-3, 0, 500), "lossi": losses, "best": -1.25},
        "embedding": {"C": torch.randn(27, 2, generator=g), "itos": "." + drawn.LETTERS},
        "gradients": {"layers": [drawn.histogram(f"layer {k}", t, -2.0, 2.0) for k, t in enumerate(layers)]},
        "updates": {"ud": (torch.randn(90, 4, generator=g) * 0.1 - 3).tolist(), "names": list("CUVW")},
        "row": {
            "p": logits[0].softmax(0),
            "dlogits": 5 * dlogits[0],
            "label": 0,
            "itos": "." + drawn.LETTERS,
        },
        "dlogits": {"dlogits": dlogits},
        "wpe": {"wpe": torch.randn(8, 16, generator=g)},
        "moons": {
            "points": [[0, 0], [1, 2], [2, 1]],
            "labels": [1, -1, 1],
            "scores": [[1, -1], [-1, 1], [1, 1]],
        },
    }
    return told[name]


def picture(name: str) -> Picture:
    made = kinds.drawn(name, driven(name) if name in DRIVEN else some(name))
    assert made is not None, name
    return made


def trained(name: str) -> Picture:
    """One of some values of a training, also where a driver makes others of it."""
    made = kinds.drawn(name, some(name))
    assert made is not None, name
    return made


class Read:
    """A picture's XML, and its lines and points in the values' own units."""

    def __init__(self, svg: str) -> None:
        self.root = ElementTree.fromstring(svg)

    def span(self, which: str) -> list[float]:
        return [float(v) for v in self.root.attrib[f"data-{which}"].split()]

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, top, wide, high = self.span("area")
        (x0, x1), (y0, y1) = self.span("x"), self.span("y")
        return x0 + (x - left) / wide * (x1 - x0), y1 - (y - top) / high * (y1 - y0)

    def lines(self) -> dict[str, list[tuple[float, float]]]:
        found = {}
        for line in self.root.iter(f"{SVG}polyline"):
            pairs = [p.split(",") for p in line.attrib["points"].split()]
            found[str(line.findtext(f"{SVG}title"))] = [self.at(float(x), float(y)) for x, y in pairs]
        return found

    def sort(self, tag: str, sort: str) -> list[ElementTree.Element]:
        return [e for e in self.root.iter(SVG + tag) if sort in e.get("class", "").split()]

    def titles(self, tag: str = "rect") -> list[str]:
        return [t for e in self.root.iter(SVG + tag) if (t := e.findtext(f"{SVG}title"))]

    def texts(self) -> list[str]:
        return [str(e.text) for e in self.root.iter(f"{SVG}text")]

    def near(self, axis: str) -> float:
        """What a pixel's tenth is in the values' units, and a little more."""
        low, high = self.span(axis)
        return (high - low) / 2000


@pytest.mark.parametrize("name", kinds.KINDS)
def test_a_picture_is_whole_and_says_in_words_what_it_shows(name: str) -> None:
    made = picture(name)
    for svg in (made.svg(), made.alone()):
        read = Read(svg)
        assert read.root.findtext(f"{SVG}title") == made.title
        assert str(read.root.findtext(f"{SVG}desc")).startswith(made.said)
        assert read.root.attrib["role"] == "img" and read.root.attrib["data-picture"] == name
        assert made.told and made.said.endswith(".") and made.said.count(". ") == 0, "one sentence"
        assert "style=" not in svg.replace("<style>", ""), "the page's policy takes no style of an element"
    if made.area:
        assert len([t for t in read.sort("text", "quiet") if t.text]) >= 2, "both axes have a name"
        assert len(read.sort("text", "tick")) >= 4


# --- values, read back ------------------------------------------------------------------------------


def test_the_graph_has_autograds_data_and_grad_in_every_node() -> None:
    leaves = {
        n: torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for n, v in zip("abcf", (2, -3, 10, -2), strict=True)
    }
    e = leaves["a"] * leaves["b"]
    d = e + leaves["c"]
    nodes = leaves | {"e = *": e, "d = +": d, "L = *": d * leaves["f"]}
    for node in nodes.values():
        node.retain_grad()
    nodes["L = *"].backward()
    texts = Read(picture("graph").svg()).texts()
    found = {texts[k]: (texts[k + 1], texts[k + 2]) for k in range(0, len(texts), 3)}
    assert found == {
        n: (f"data {v.item():.4f}", f"grad {v.grad.item():.4f}")
        for n, v in nodes.items()
        if v.grad is not None
    }


def test_the_neurons_slopes_are_the_lectures() -> None:
    told = picture("neuron").told
    for said in (
        "n: data 0.8814, grad 0.5000",
        "x1: data 2.0000, grad -1.5000",
        "w1: data -3.0000, grad 1.0000",
        "o: data 0.7071",
    ):
        assert said in told


def test_every_pair_is_there_with_its_letters_and_its_count() -> None:
    words = given_of("bigrams.ex1")["words"]
    pairs = Counter(a + b for word in words for a, b in zip(f".{word}", f"{word}.", strict=True))
    cells = dict(title.rsplit(": ", 1) for title in Read(picture("counts").svg()).titles())
    assert len(cells) == 27 * 27
    assert {pair: int(count) for pair, count in cells.items() if count != "0"} == pairs


def test_white_cells_are_saturated_and_dead_neurons_are_marked() -> None:
    h, limit = (given_of("batchnorm.ex1")[k] for k in ("h", "limit"))
    read = Read(picture("dead").svg())
    (white,) = read.sort("path", "white")
    assert white.attrib["d"].count("M") == int((h.abs() > limit).sum())
    assert len(read.sort("path", "f1")) == int((h.abs() > limit).all(0).sum()) > 0


def test_p_and_its_pull_differ_at_the_label_alone() -> None:
    values = some("row")
    read = Read(picture("row").svg())
    found: dict[str, list[float]] = {t.split(" of ")[0]: [] for t in read.titles()}
    for title in read.titles():
        found[title.split(" of ")[0]].append(float(title.rsplit(" ", 1)[1]))
    assert found["p"] == pytest.approx(values["p"].tolist(), rel=1e-3)
    off = [i for i, (a, b) in enumerate(zip(*found.values(), strict=True)) if abs(a - b) > 1e-6]
    assert off == [0] and found["n·dlogits[0]"][0] == pytest.approx(found["p"][0] - 1, rel=1e-3)


def test_the_tree_and_the_stack_see_all_their_places() -> None:
    for name, inputs, edges in (("tree", 8, 14), ("dilation", 16, 2 * 16 * 4 - 15)):
        read = Read(picture(name).svg())
        assert len(read.sort("path", "series")) == edges
        strong = read.sort("circle", "f0")
        lowest = max(float(c.attrib["cy"]) for c in strong)
        assert sum(float(c.attrib["cy"]) == lowest for c in strong) == inputs
        assert picture(name).told.endswith(f"sees {inputs} of them")


def test_attention_is_a_triangle_for_each_head_whose_rows_sum_to_1() -> None:
    read = Read(picture("attention").svg())
    assert len(read.sort("rect", "masked")) == 4 * 28
    weights = [float(t.rsplit(" ", 1)[1]) for t in read.titles()]
    assert len(weights) == 4 * 36 and sum(weights) == pytest.approx(4 * 8, abs=0.1)
    average = [t for t in Read(picture("averages").svg()).titles() if t.startswith("3 sees")]
    assert [t.rsplit(" ", 1)[1] for t in average] == ["0.250"] * 4


def test_a_heads_weights_are_its_softmaxs() -> None:
    names = Solution((ROOT / "solutions/gpt/ex12.py").read_text(), "ex12.py").names
    torch.manual_seed(3)
    head, x = names["Head"](6, 4, 5), torch.randn(1, 5, 6)
    with torch.no_grad():
        scores = head.query(x) @ head.key(x).transpose(-2, -1) * 0.5
        wei = F.softmax(scores.masked_fill(torch.ones(5, 5).triu(1).bool(), float("-inf")), -1)[0]
        found = torch.tensor(drawn.seen(head, x))
        assert torch.allclose(found.nan_to_num(0.0), wei, atol=1e-6)
        assert head.value(x).shape == (1, 5, 4), "the head is as it was"


def test_tokens_joined_are_the_text_and_the_forest_has_its_merges() -> None:
    read = Read(picture("tokens").svg())
    assert "".join(e.text or "" for e in read.sort("text", "mono")).replace("·", " ") == drawn.TEXT
    known = driven("forest")
    numbers = {int(e.text or 0) for e in Read(picture("forest").svg()).sort("text", "f1")}
    merged = {k: (a, b) for a, b, k in known["merges"]}

    def below(k: int) -> set[int]:
        return {k, *(n for part in merged[k] for n in below(part))} if k in merged else set()

    assert numbers == {n for k in known["ids"] for n in below(k)} and len(numbers) > 3


def test_the_rate_is_drawn_where_it_is() -> None:
    read, known = Read(picture("schedule").svg()), driven("schedule")
    (line,) = read.lines().values()
    assert [y for _, y in line] == pytest.approx(known["lr"], abs=read.near("y"))
    assert max(y for _, y in line) == pytest.approx(6e-4, rel=0.01) and line[-1][1] == pytest.approx(
        6e-5, rel=0.05
    )


def test_losses_are_averaged_as_view_and_mean_average_them() -> None:
    read, known = Read(picture("losses").svg()), some("losses")
    lines = read.lines()
    wanted = torch.tensor(known["lossi"]["by hand"]).view(-1, 50).mean(1).tolist()
    for run in ("by hand", "by autograd"):
        assert [y for _, y in lines[f"{run}, mean of 50 steps"]] == pytest.approx(wanted, abs=read.near("y"))
        assert [x for x, _ in lines[f"{run}, mean of 50 steps"]] == pytest.approx(
            range(50, 501, 50), abs=read.near("x")
        )
    assert len(lines["by hand, each step"]) <= charts.MOST
    short = kinds.drawn("losses", {"lossi": [3.0, 2.0, 1.0], "width": 1000})
    assert short and [y for _, y in Read(short.svg()).lines()["loss, each step"]] == pytest.approx(
        [3, 2, 1], abs=0.01
    )


def test_histograms_hold_all_there_is_and_say_what_is_saturated() -> None:
    x = torch.tensor([-1.0, -0.99, -0.5, 0.0, 0.5, 0.9, 0.98, 1.0])
    told = drawn.histogram("layer 1", x, -1.0, 1.0, 0.97)
    assert sum(told["density"]) * 2 / 40 == pytest.approx(1)
    made = kinds.drawn("activations", {"layers": [told]})
    assert made
    assert list(Read(made.svg()).lines()) == [f"layer 1: std {x.std().item():.2g}, 50.0% beyond ±0.97"]
    (line,) = Read(made.svg()).lines().values()
    assert [y for _, y in line] == pytest.approx(told["density"], abs=Read(made.svg()).near("y"))


def test_letters_lie_where_their_vectors_are() -> None:
    read, known = Read(trained("embedding").svg()), some("embedding")
    found = [read.at(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in read.sort("circle", "box")]
    for point, wanted in zip(found, known["C"].tolist(), strict=True):
        assert point == pytest.approx(wanted, abs=0.01)
    assert [t.split()[0] for t in read.titles("circle")] == list("." + drawn.LETTERS)


def test_the_best_rate_and_the_line_at_3_are_marked_in_their_places() -> None:
    read = Read(trained("rates").svg())
    (mark,) = read.sort("path", "mark")
    assert read.at(float(mark.attrib["d"][1:].split()[0]), 0)[0] == pytest.approx(-1.25, abs=0.01)
    read = Read(trained("updates").svg())
    (mark,) = read.sort("path", "mark")
    at = re.findall(r"[\d.]+", mark.attrib["d"])[1]
    assert read.at(0, float(at))[1] == pytest.approx(-3, abs=0.01) and list(read.lines()) == list("CUVW")


def test_the_small_networks_of_a_report_have_the_gradients_that_autograd_finds() -> None:
    network, (X, Y) = drawn.start(), drawn.contexts()
    p = {name: t.clone().requires_grad_() for name, t in network.items()}
    h = torch.tanh(p["C"][X].view(len(X), -1) @ p["W1"] + p["b1"])
    loss = F.cross_entropy(h @ p["W2"] + p["b2"], Y)
    loss.backward()
    found, grads = drawn.slopes(network, X, Y)
    assert found == pytest.approx(loss.item(), rel=1e-5)
    for name, t in p.items():
        assert t.grad is not None
        assert torch.allclose(grads[name], t.grad, atol=1e-6), name
    text = "".join(drawn.CHARS[k] for k in [*X[0].tolist(), *Y.tolist()])
    assert text == drawn.TEXT


def test_a_report_finds_a_rate_and_looks_at_gradients_as_a_training_does() -> None:
    found = driven("rates")
    at = min(range(len(found["lre"])), key=lambda k: abs(found["lre"][k] - found["best"]))
    assert -2 < found["best"] < 0.5 and found["lossi"][at] < found["lossi"][0] / 2
    spread = [layer["std"] for layer in driven("gradients")["layers"]]
    assert len(spread) == 5 and max(spread) < 2 * min(spread), "of a gain of 5/3, as the lecture shows"
    assert all(sum(layer["density"]) > 0 for layer in driven("gradients")["layers"])
    assert -4 < driven("updates")["ud"][-1][1] < -2 and driven("updates")["names"] == ["C", "W1", "W2"]
    told = driven("embedding")
    assert len(told["C"]) == len(told["itos"]) == len(set(drawn.TEXT))


def test_moons_are_told_apart_by_form_and_the_ground_is_the_networks() -> None:
    read = Read(picture("moons").svg())
    assert (len(read.sort("rect", "f1")), len(read.sort("circle", "f0"))) == (2, 1)
    assert read.sort("path", "f1")[0].attrib["d"].count("M") == 4


def test_position_embeddings_are_drawn_as_they_are_and_training_has_made_them_smooth() -> None:
    known, wpe = torch.tensor(driven("wpe")["wpe"]), Read(picture("wpe").svg())
    assert wpe.lines()["channel 4"][3][1] == pytest.approx(known[3, 4].item(), abs=wpe.near("y"))
    assert known.diff(dim=0).std() < 0.5 * known.std(), "of noise it is 1.4 times as large"


def test_dlogits_are_black_at_the_labels() -> None:
    read = Read(picture("dlogits").svg())
    darkest = min(read.sort("path", "white"), key=lambda p: float(p.get("fill-opacity", 1)))
    assert darkest.attrib["d"].count("M") == 5 and darkest.attrib["fill-opacity"] == "0.000"


# --- what a submission sends is not trusted ----------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(sorted(kinds.KINDS)), st.data())
def test_any_values_give_a_whole_picture_or_none(name: str, data: st.DataObject) -> None:
    wanted = kinds.KINDS[name].values
    made = kinds.drawn(name, {key: data.draw(JUNK) for key in wanted})
    if made:
        ElementTree.fromstring(made.svg())
        ElementTree.fromstring(made.alone())


def test_no_head_is_no_picture() -> None:
    assert kinds.drawn("attention", {"heads": {}, "tokens": None}) is None


def test_texts_of_a_submission_are_texts() -> None:
    hostile = "</title><script>&\"'"
    made = kinds.drawn("tokens", {"tokens": [hostile, "\x1b[31m"], "ids": [1, 2]})
    assert made and "<script>" not in made.svg()
    assert hostile in Read(made.svg()).texts()


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_ticks_are_few_and_between(a: float, b: float) -> None:
    low, high = span([a, b])
    assert low < high
    found = ticks(low, high)
    assert 1 <= len(found) <= 13 and all(
        low - (high - low) * 1e-6 <= v <= high + (high - low) * 1e-6 for v in found
    )


def test_colours_hold_their_contrast_in_both_themes() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        x, y, z = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * x + 0.7152 * y + 0.0722 * z

    def mixed(over: str, under: str, share: float) -> str:
        pairs = [(int(over[k : k + 2], 16), int(under[k : k + 2], 16)) for k in (1, 3, 5)]
        return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)

    def contrast(a: str, b: str) -> float:
        high, low = sorted((light(a), light(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    told = re.findall(r"--pic-(\w+): light-dark\((#\w{6}), (#\w{6})\)", css())
    for theme in (1, 2):
        of = {name: both[theme - 1] for name, *both in told}
        series = [of[str(k)] for k in range(6)]
        assert all(contrast(c, of["ground"]) >= 4.5 for c in (of["ink"], of["quiet"], *series))
        on = [(c, STRONGEST) for c in series[:2]] + [(c, 0.3) for c in series[:4]]  # cells; tokens
        for c, share in on:
            assert contrast(of["ink"], mixed(c, of["ground"], share)) >= 4.5


# --- where they are shown ----------------------------------------------------------------------------

REPORTS = {
    name: k.shown.split()[-1] for name, k in kinds.KINDS.items() if k.shown.startswith("grader report")
}


def shown_in(folder: Path, *words: str) -> list[str]:
    ran = grader("report", *words, "--html", folder / "page.html", cwd=ROOT)
    assert (folder / "page.html").exists(), ran.stderr
    return re.findall(r'data-picture="(\w+)"', (folder / "page.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("exercise", sampled(sorted({*REPORTS.values(), *map(exercise_of, DRIVEN)}), 4))
def test_a_report_has_the_pictures_that_the_table_says(exercise: str, tmp_path: Path) -> None:
    wanted = {n for n, e in REPORTS.items() if e == exercise}
    found = shown_in(tmp_path, exercise, "--solutions")
    if exercise == "ex2":  # which has dlogits as a heatmap
        assert "As in the lecture" in (tmp_path / "page.html").read_text(encoding="utf-8")
        wanted.discard("dlogits")
    assert set(found) == wanted | {n for n in DRIVEN if exercise_of(n) == exercise}


def test_before_an_attempt_there_is_no_picture(tmp_path: Path) -> None:
    for exercise in ("micrograd.ex4", "ex2", "tokenizer.ex2"):
        stub = tmp_path / "stub.py"
        stub.write_text(stub_of(exercise))
        assert shown_in(tmp_path, exercise, "--submission", str(stub)) == []


def test_a_picture_shows_what_is_wrong_in_the_learners_own_values(tmp_path: Path) -> None:
    source = (ROOT / "solutions/bigrams/ex1.py").read_text()
    wrong = source.replace("+= 1\n", "+= 2\n")
    assert wrong != source
    (tmp_path / "mine.py").write_text(wrong)
    assert shown_in(tmp_path, "bigrams.ex1.counts", "--submission", str(tmp_path / "mine.py")) == ["counts"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    words = given_of("bigrams.ex1")["words"]
    total = sum(len(word) + 1 for word in words)
    assert f"{2 * total} pairs" in page


def test_the_page_on_pictures_has_every_kind_and_its_command() -> None:
    text = (ROOT / "docs/pictures.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .+? \| `([^`]+)` \| (.+) \|$", text, re.MULTILINE)
    assert {name: command for name, command, _ in rows} == {n: k.shown for n, k in kinds.KINDS.items()}
    from grader.learner.draw import READS

    for name, _, read in rows:
        assert re.findall(r"`(\w+)`", read) == list(READS.get(name, kinds.KINDS[name].values)), name


# --- in a notebook -----------------------------------------------------------------------------------


def test_draw_draws_what_a_notebook_has_under_the_lectures_names() -> None:
    logits, Yb = torch.randn(4, 27), torch.tensor([1, 2, 3, 4])
    namespace: dict[str, Any] = {
        "N": torch.ones(27, 27, dtype=torch.int32),
        "itos": dict(enumerate("." + drawn.LETTERS)),
        "C": torch.randn(27, 2, requires_grad=True),
        "h": torch.randn(8, 5),
        "logits": logits,
        "dlogits": (logits.softmax(1) - F.one_hot(Yb, 27)) / 4,
        "Yb": Yb,
        "att": torch.ones(2, 3, 4, 4).tril().softmax(-1).tril(),
        "lossi": [3.0, 2.0, 1.0],
        "lre": torch.linspace(-3, 0, 3),
        "ud": [[-3.0, -2.9], [-3.1, -3.0]],
        "merges": {(97, 98): 256},
        "ids": [256, 99],
        "vocab": {256: b"ab", 99: b"c"},
    }
    for name in (
        "counts",
        "embedding",
        "dead",
        "row",
        "dlogits",
        "attention",
        "losses",
        "rates",
        "updates",
        "forest",
        "tokens",
    ):
        one = public.draw(name, namespace)
        assert one, f"{name}: {one!r}"
        assert Read(str(one._repr_html_())).root.attrib["data-picture"] == name and one.picture
        assert repr(one).startswith(one.picture.title)
    assert len(Read(public.draw("attention", namespace).svg).sort("rect", "masked")) == 6 * 6


def test_draw_draws_one_tanh_and_the_letters_of_a_notebook_of_gradients() -> None:
    h = torch.tanh(torch.randn(32, 20, generator=torch.Generator().manual_seed(1)))
    own = {"h": h, "dh": 1 - h**2, "C": torch.randn(27, 2)}
    read = {name: Read(public.draw(name, own).svg) for name in ("activations", "gradients", "embedding")}
    assert list(read["activations"].lines())[0].startswith(f"h: std {h.std().item():.2g}, ")
    assert list(read["gradients"].lines()) == [f"dh: std {own['dh'].std().item():.2g}"]
    assert [t.split()[0] for t in read["embedding"].titles("circle")] == list("." + drawn.LETTERS)
    assert public.draw("gradients", {"h": h, "dh": None}).why.endswith("dh is not written yet")


def test_draw_says_in_a_line_why_there_is_no_picture() -> None:
    assert repr(public.draw("no\x1b", {})).startswith("there is no picture no\\x1b; there are graph, neuron,")
    assert (
        repr(public.draw("counts", {"N": [[1]]})) == "counts is drawn of N, itos: this namespace has no itos"
    )
    told = repr(public.draw("counts", {"N": [[1, 2]], "itos": "ab"}))
    assert told == "counts is drawn of N, itos: what is there doesn't fit"
    told = repr(public.draw("row", {"logits": torch.zeros(2, 3), "dlogits": None, "Yb": torch.zeros(2)}))
    assert told == "row is drawn of logits, dlogits, Yb: dlogits is not written yet"
    assert not public.draw("counts", {}) and public.draw("counts", {})._repr_html_() is None


def test_draw_walks_the_graph_of_a_learners_own_engine() -> None:
    names = Solution((ROOT / "solutions/micrograd/ex2.py").read_text(), "ex2.py").names
    a, b = names["Value"](2.0), names["Value"](-3.0)
    root = a * b
    root.backward()
    assert "a: data 2.0000, grad -3.0000" in repr(public.draw("graph", {"root": root, "a": a, "b": b}))


# --- in a browser ------------------------------------------------------------------------------------


@pytest.mark.tools("chromium", "chromedriver", "axe")
@pytest.mark.parametrize("size, theme", sampled([(WIDE, "light"), (PHONE, "dark")], 2))
def test_a_page_of_all_pictures_has_nothing_that_axe_finds(
    size: tuple[int, int], theme: str, driver: webdriver.Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "all.html"
    path.write_text(
        page.render("Pictures", "all", ["a line"], [picture(n) for n in kinds.KINDS]), encoding="utf-8"
    )
    seen_at(driver, size, theme)
    driver.get(path.as_uri())
    assert violations(driver) == []
    assert driver.get_log("browser") == []
    wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert driver.execute_script(wide), "only a picture's own frame scrolls"
