"""The pages as text: nothing of a submission is markup, the graph is whole, the pictures say what is so."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classroom import FAILED, PASSED, USAGE, batch_command, right, snapshot, write, wrong
from command import grader
from conftest import EXERCISES, ROOT, stub_of
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom import page as classroom
from grader.classroom.summary import Summary
from grader.core.finding import Code, Finding
from grader.core.verdict import Check, ExerciseReport, ItemReport, Report, Verdict
from grader.reports.pages import figures, page
from grader.reports.pages.figures import Evidence
from grader.reports.pages.graph import GAP, HEIGHT, WIDTH, Layout, layout, operation
from grader.reports.pages.heat import LEVELS, MOST_COLUMNS, MOST_ROWS, NOT_FINITE, Heat, grey, heat, reduce
from grader.reports.pages.html import coded
from grader.reports.pages.page import Sheet
from grader.reports.table import capital
from grader.suite import fixtures

EX1 = fixtures.describe(ROOT, "ex1")

# --- the graph --------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Directed acyclic graphs, by each node's parents."""
    names = [f"t{i}" for i in range(draw(st.integers(1, 14)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=4)) if i else []
        for i, name in enumerate(names)
    }


def overlapping(drawn: Layout) -> list[tuple[str, str]]:
    at = list(drawn.nodes.items())
    return [
        (a, b)
        for k, (a, (ax, ay)) in enumerate(at)
        for b, (bx, by) in at[:k]
        if abs(ax - bx) < WIDTH and abs(ay - by) < HEIGHT
    ]


def check_layout(parents: dict[str, list[str]], drawn: Layout) -> None:
    assert list(drawn.nodes) == list(parents)
    assert overlapping(drawn) == []
    assert set(drawn.edges) == {(tail, head) for head, tails in parents.items() for tail in tails}
    for x, y in drawn.nodes.values():
        assert WIDTH / 2 <= x <= drawn.width - WIDTH / 2
        assert HEIGHT / 2 <= y <= drawn.height - HEIGHT / 2
    for (tail, head), path in drawn.edges.items():
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
        (tx, ty), (hx, hy) = drawn.nodes[tail], drawn.nodes[head]
        assert ty < hy, "dataflow goes down"
        assert numbers[:2] == pytest.approx([tx, ty + HEIGHT / 2], abs=0.1)
        assert numbers[-2:] == pytest.approx([hx, hy - HEIGHT / 2], abs=0.1)


@given(graphs())
def test_no_two_nodes_overlap_and_every_edge_goes_down_from_its_tail_to_its_head(
    parents: dict[str, list[str]],
) -> None:
    check_layout(parents, layout(parents))


def test_gradients_run_from_the_loss_backwards_and_outputs_from_the_first() -> None:
    found = list(page.parents(EX1).items())
    assert found[0] == ("loss", []) and dict(found)["logprobs"] == ["loss"]
    outputs = page.parents(fixtures.describe(ROOT, "tokenizer.ex1"))
    assert list(outputs)[0] == "encoded" and outputs["shorter"] == ["merge", "stats"]


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_drawn_with_a_node_for_each_of_its_tensors_or_outputs(name: str) -> None:
    exercise = fixtures.describe(ROOT, name)
    parents = page.parents(exercise)
    gradients = {"d" + t for t in exercise.tensors}  # not every name with a d: diff, dropped, data
    outputs = {item.name for item in exercise.outputs}
    wanted = {t for t in exercise.shapes if t not in gradients} if exercise.gradients else outputs
    assert set(parents) == wanted
    drawn = layout(parents)
    check_layout(parents, drawn)
    assert exercise.gradients or drawn.width <= 5 * (WIDTH + GAP), "no row of boxes that nobody can read"


def test_a_chain_runs_straight_down() -> None:
    drawn = layout({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
    assert len({x for x, _ in drawn.nodes.values()}) == 1


# --- heatmaps ---------------------------------------------------------------------------------------


def pixels(picture: Heat) -> tuple[np.ndarray[Any, Any], bytes, bytes]:
    """A PNG's palette indices, its colours and their alphas, read by its specification."""
    data = base64.b64decode(picture.uri.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    columns, rows = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert (rows, columns) == (picture.rows, picture.columns)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:], chunks[b"PLTE"], chunks[b"tRNS"]


SMALL = st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=12)


@given(SMALL)
def test_zero_is_transparent_and_the_signs_mirror_each_other(values: list[float]) -> None:
    array = np.array(values)
    ours, _, alpha = pixels(heat(array, 4.0))
    mirrored, _, _ = pixels(heat(-array, 4.0))
    assert (ours.astype(int) + mirrored == 2 * LEVELS).all()
    shown = np.frombuffer(alpha, np.uint8)[ours.ravel()]
    assert ((shown == 0) == (array == 0)).all(), "what is not zero is seen"
    order = np.argsort(np.abs(array))
    assert (np.diff(shown[order].astype(int)) >= 0).all(), "what is larger is stronger"


def test_what_is_not_finite_has_a_colour_of_its_own() -> None:
    found, _, alpha = pixels(heat(np.array([np.nan, np.inf, -np.inf, 0.0]), 1.0))
    assert found.tolist() == [[NOT_FINITE] * 3 + [LEVELS]]
    assert alpha[NOT_FINITE] == 255


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.randoms())
def test_a_block_shows_its_largest_element(rows: int, columns: int, down: int, across: int, rng: Any) -> None:
    values = np.array([[rng.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)])
    reduced = reduce(values, (down, across))
    for i in range(reduced.shape[0]):
        for j in range(reduced.shape[1]):
            block = values[i * down : (i + 1) * down, j * across : (j + 1) * across].ravel()
            assert reduced[i, j] == max(block, key=abs)


def test_a_large_tensor_is_reduced_and_its_mark_stays_on_the_element() -> None:
    values = np.zeros((1000, 700))
    values[640, 333] = -5.0
    picture = heat(values, 5.0, mark=640 * 700 + 333)
    assert picture.rows <= MOST_ROWS and picture.columns <= MOST_COLUMNS
    found, _, _ = pixels(picture)
    assert picture.mark is not None and found[picture.mark] == 0
    assert (found == LEVELS).sum() == found.size - 1
    assert figures.sized("Yours", picture, "").note == "A cell shows the largest of 8 × 3 elements."


def test_the_lectures_picture_is_black_at_the_least_and_white_at_the_most() -> None:
    found, colours, _ = pixels(grey(np.array([[0.5, -1.0], [0.0, 1.0]])))
    assert found.tolist() == [[191, 0], [128, 255]]
    assert colours[:3] == b"\0\0\0" and colours[-3:] == b"\xff\xff\xff"


# --- what an item's pictures are --------------------------------------------------------------------


def titles(yours: Any, autograd: Any) -> list[str]:
    shown = figures.pictures(
        Evidence("lecture", None if yours is None else np.array(yours), np.array(autograd))
    )
    return [figure.title for figure in shown["figures"]]


def test_an_items_pictures() -> None:
    assert titles([1.0, 2.0], [1.0, 3.0]) == ["Yours", "Autograd’s", "Difference"]
    assert titles([1.0, 2.001], [1.0, 2.0]) == ["Yours", "Autograd’s", "Difference"]
    assert titles([[1.0, 2.0]], [1.0, 3.0]) == ["Yours", "Autograd’s", "Difference"]
    assert titles([[1.0], [2.0]], [1.0, 2.0]) == ["Yours, 2×1", "Autograd’s, 2"]
    assert titles([1.0, 2.0], [1.0, 2.0]) == ["Yours", "Autograd’s"]
    assert titles(3.0, 2.0) == ["Yours", "Autograd’s", "Difference"]


@pytest.mark.parametrize("labels", [None, np.array([1])])
def test_before_an_attempt_gave_numbers_no_number_of_autograds_is_there(labels: Any) -> None:
    for yours in (None, np.zeros((0,), np.float32)):
        evidence = Evidence("lecture", yours, np.array([[1.0, 2.0]]), labels)
        assert figures.pictures(evidence) == {"figures": []}
        assert figures.lecture(evidence, passed=False) == []


def test_the_difference_has_a_scale_of_its_own() -> None:
    shown = figures.pictures(Evidence("lecture", np.array([1.0, 2.001]), np.array([1.0, 2.0])))["figures"]
    assert shown[-1].note == "On a scale of its own: ±0.001"
    assert pixels(shown[-1].heat)[0].tolist() == [[LEVELS, 2 * LEVELS]]


def test_a_tensor_of_three_axes_is_shown_by_slices_beginning_with_the_worst() -> None:
    yours = np.zeros((4, 2, 3), np.float32)
    yours[2, 1, 0] = 5
    told = figures.pictures(Evidence("lecture", yours, np.zeros((4, 2, 3)), axes=("n", "", "C")))
    assert told["slices"] == ["[0, :, :]", "[1, :, :]", "[2, :, :]", "[3, :, :]"]
    assert (
        told["first"] == 2
        and told["axes"] == "Down: axis 1, 2. Across: axis 2, C = 3. Slices: axis 0, n = 4."
    )
    marked = [(f.part, f.title, f.heat.mark) for f in told["figures"] if f.mark]
    assert marked == [(2, name, (1, 0)) for name in ("Yours", "Autograd’s", "Difference")]
    sent = np.frombuffer(base64.b64decode(told["values"]["yours"]), "<f4")
    assert told["shape_of"] == "4,2,3" and (sent == yours.ravel()).all()


def test_of_an_output_only_the_submissions_own_numbers_are_pictured() -> None:
    wanted = np.array([[1.0, 9.0]])
    wrong = figures.pictures(Evidence("lecture", np.array([[1.0, 2.0]]), wanted, hidden=True))
    assert [(f.title, f.heat.mark) for f in wrong["figures"]] == [("Yours", (0, 1))]
    assert (wrong["limit"], wrong["worst"], wrong["values"]["wanted"]) == ("2", "at [0, 1] yours 2", "")
    passed = figures.pictures(Evidence("lecture", wanted, wanted, hidden=True), passed=True)
    assert [f.title for f in passed["figures"]] == ["Yours"]
    for other in (None, np.zeros(0), np.array([3.0])):  # nothing came, or a row of boxes
        assert figures.pictures(Evidence("lecture", other, wanted, hidden=True))["figures"] == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("probs = counts * counts_sum_inv", "×"),
        ("bnmeani = 1/n * hprebn.sum(0, keepdim=True)", "÷ sum ×"),
        ("counts_sum_inv = counts_sum**-1", "^"),
        ("loss = -logprobs[range(n), Yb].mean()", "[ ] mean −"),
        ("x = y", "is"),
    ],
)
def test_a_lines_operation(code: str, said: str) -> None:
    assert operation(code) == said


def test_the_worst_element_is_framed_in_all_three() -> None:
    shown = figures.pictures(Evidence("lecture", np.array([[0.0, 1.0], [7.0, 0.0]]), np.ones((2, 2))))
    assert [figure.heat.mark for figure in shown["figures"]] == [(1, 0)] * 3
    assert shown["worst"] == "at [1, 0] yours 7, where autograd has 1"


def test_what_is_not_finite_is_the_worst_and_hides_nothing_else() -> None:
    shown = figures.pictures(Evidence("lecture", np.array([1.0, np.nan]), np.array([1.0, 2.0])))
    assert [figure.heat.mark for figure in shown["figures"]] == [(0, 1)] * 3
    assert shown["grey"] and shown["limit"] == "2"


def test_the_code_around_a_line() -> None:
    source = b"import torch\n\n\ndef dx(y):\n    a = y\n\n    return a\n\n\ndef dz(y):\n    return y\n"
    assert page.excerpt(source, 4, "dx", 5) == [
        (4, "def dx(y):", False),
        (5, "    a = y", True),
        (6, "", False),
        (7, "    return a", False),
    ]
    assert [n for n, _, marked in page.excerpt(source, 7, "dx", 7) if marked] == [7]
    assert page.excerpt(source, 7, "dx")[0][0] == 4
    assert page.excerpt(source, 99, "dx") == []
    assert page.excerpt(b"x\x1b[31m\xff", 1, "dx") == [(1, "x\\x1b[31m\\xff", False)]


def test_words_between_backticks_and_indented_lines_are_code() -> None:
    shown = coded("`a<b` is <i>\n    1  2\n   three ` four")
    assert shown == "<code>a&lt;b</code> is &lt;i&gt;\n<code>    1  2</code>\n   three ` four"


def test_rounding_in_an_answer_that_passed_is_neither_framed_nor_magnified() -> None:
    evidence = Evidence("lecture", np.array([1.0, 2.0000001]), np.array([1.0, 2.0]))
    shown = figures.pictures(evidence, passed=True)
    assert [(f.title, f.mark) for f in shown["figures"]] == [
        ("Yours", None),
        ("Autograd’s", None),
        ("Difference", None),
    ]


# --- escaping ---------------------------------------------------------------------------------------


class Structure(HTMLParser):
    """A page's elements with the names of their attributes, its texts, and its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        (self.scripts if self.lasttag == "script" and data.strip() else self.texts).append(data)


def hostile(words: str) -> str:
    """A report page on which everything that a submission can choose is `words`."""
    found = Finding(Code.VALUE_DIFFERS, words)
    check = Check(Verdict.WRONG, found, words, (2, 2), maxdiff=1.0, tolerance=0.1)
    item = ItemReport("ex1.dprobs", (2, 2), check, "lecture", 2, found, {"lecture": check})
    graded = ExerciseReport("ex1", "t", (item, replace(item, id="ex1.dcounts")))
    evidence = {"ex1.dprobs": Evidence("lecture", np.ones((2, 2)), np.zeros((2, 2)))}
    source = f"def dprobs(x):\n    {words}\n".encode("utf-8", "surrogatepass")
    sheet = Sheet(graded, EX1, {None: source}, evidence)
    return page.render(Report(words, (graded,), words, (words,)), [sheet])


MARKUP = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</script>",
        "</style><b>",
        "<!--",
        "]]>",
        '" onload="x',
        "' x='",
        "&lt;",
        "`0`",
    ]
)


CODE = ("code", ())  # what stands between backticks, in our sentences and in a submission's


@given(st.lists(st.one_of(MARKUP, st.text(st.characters(exclude_categories=["C"]), max_size=6)), max_size=4))
def test_whatever_a_submission_says_stays_text(parts: list[str]) -> None:
    words = "harmless " + "".join(parts).replace("\n", " ")
    plain, ours = Structure(hostile("harmless")), Structure(hostile(words))
    assert [e for e in ours.elements if e != CODE] == [e for e in plain.elements if e != CODE]
    assert ours.scripts == plain.scripts
    assert any(words in text for text in ours.texts)


@given(st.lists(st.one_of(MARKUP, st.text(max_size=6)), min_size=1, max_size=4))
def test_whatever_a_student_is_called_stays_text(parts: list[str]) -> None:
    def shown(words: str) -> Structure:
        summary = Summary()
        items = [
            {"id": "ex1.dprobs", "verdict": "wrong", "passed": False, "diagnosis": words},
            {"id": "ex1.dh", "verdict": "exact", "passed": True, "diagnosis": None},
        ]
        summary.add(
            {
                "submission": words,
                "student": words,
                "name": words,
                "problem": words,
                "identical_to": words,
                "late": True,
                "passed": False,
                "score": 1,
                "max_score": 2,
                "protection_off": [],
                "exercises": [{"id": "ex1", "items": items}],
            }
        )
        return Structure(classroom.render(summary))

    words = "x" + "".join(parts)
    ours, plain = shown(words), shown("x")
    assert [e for e in ours.elements if e != CODE] == plain.elements
    assert ours.scripts == plain.scripts


def test_the_class_page_gives_causes_and_links_reports() -> None:
    summary = Summary()
    missing = "ModuleNotFoundError: No module named 'matplotlib'"
    wrong = {"verdict": "wrong", "passed": False, "diagnosis": None, "reason": "at [0] 1, autograd has 2"}
    for number in range(25):
        items = [
            {"id": "ex1.dprobs", "verdict": "error", "passed": False, "diagnosis": None, "reason": missing},
            {"id": "ex1.dh", **wrong},
            {"id": "ex1.dC", **wrong, "diagnosis": "the sign is wrong"},
        ]
        result = dict.fromkeys(("student", "name", "problem", "identical_to"), "")
        flags = {"late": False, "passed": False, "score": 0, "max_score": 3, "protection_off": []}
        exercises = [{"id": "ex1", "items": items}]
        summary.add({**result, **flags, "submission": f"a {number % 5}.py", "exercises": exercises})
    html = classroom.render(summary, "../out/reports")
    cell = "error: ModuleNotFoundError: No module named &#39;matplotlib&#39;"
    assert (
        f'<td class="right">25</td><td>{cell}</td><td><span class="nowrap">25 of ex1.dprobs</span></td>'
        in html
    )
    assert '<td>wrong</td><td><span class="nowrap">25 of ex1.dh</span></td>' in html
    assert html.count('href="../out/reports/') == 25 == len({s.report for s in summary.students})
    assert summary.students[5].report == "a_0.py-2.txt"
    assert "<title>ex1: 0 of 3 passed; not dprobs, dh, dC</title>" in html
    assert 'data-items="ex1.dprobs=error ex1.dh=wrong ex1.dC=wrong"' in html


def test_the_policy_names_the_style_and_the_script_that_are_there() -> None:
    html = hostile("words")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    for tag in ("style", "script"):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        mark = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{mark}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html), "it names nothing to load"
    assert " style=" not in html and " onclick" not in html


# --- the commands -----------------------------------------------------------------------------------


def test_a_report_is_written_and_exits_as_check_does(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    ran = grader("report", "ex2", "--solutions", "--html", "page.html", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (PASSED, "")
    assert ran.stdout == "score: 1 of 1. All passed.\npage.html is written\n"
    assert 'id="ex2.dlogits"' in out.read_text()
    submission = str(ROOT / "tests/submissions/readme.py")
    ran = grader("report", "ex1.dprobs", "--submission", submission, "--html", str(out), cwd=ROOT)
    assert ran.returncode == FAILED
    assert re.findall(r'<article class="item (\w+)" id="([\w.]+)"', out.read_text()) == [
        ("wrong", "ex1.dprobs")
    ]


def test_of_what_is_not_written_no_number_is_on_the_page(tmp_path: Path) -> None:
    for name in ("ex2", "tokenizer.ex1"):
        stub = tmp_path / f"{name}.py"
        stub.write_text(stub_of(name))
        ran = grader("report", name, "--submission", str(stub), "--html", "page.html", cwd=tmp_path)
        assert ran.returncode == FAILED, ran.stderr
        html = (tmp_path / "page.html").read_text()
        assert "image/png" not in html and "data-wanted" not in html and 'class="cases"' not in html


def test_both_loss_curves_of_a_training_run_are_there(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert grader("report", "ex4", "--solutions", "--html", str(out), cwd=ROOT).returncode == PASSED
    html = out.read_text()
    assert html.count("<polyline") == 2
    ends = re.search(r"By hand from ([\d.]+) to ([\d.]+); by autograd from ([\d.]+) to ([\d.]+)", html)
    assert ends and ends[1] == ends[3] and float(ends[2]) == pytest.approx(float(ends[4]), abs=1e-3)
    assert float(ends[2]) < float(ends[1])


@pytest.mark.parametrize(
    "args",
    [
        ["ex1", "--html", "."],
        ["ex1", "--html", "no/such/folder/page.html"],
        ["ex1", "--submission", "no-such-file.py"],
        ["ex9"],
        ["--class", "no-such-folder"],
        ["ex1", "--class", "."],
    ],
    ids=" ".join,
)
def test_a_report_that_can_not_be_made_is_refused_in_one_line(args: list[str], tmp_path: Path) -> None:
    ran = grader("report", *args, cwd=tmp_path)
    assert ran.returncode == USAGE
    assert ran.stderr.startswith("grader: ") and ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_class_has_a_page_that_can_be_made_again(tmp_path: Path) -> None:
    uploads = write(tmp_path / "in", {"a.py": right("a"), "b.py": wrong("b"), "c.py": wrong("c")})
    out = tmp_path / "out"
    first = batch_command(uploads, "--exercise", "ex1", out=out)
    assert first.returncode == FAILED, first.stderr
    assert b"commonest mistakes by diagnosis:\n       2  " in first.stdout
    before = snapshot(out)
    html = before["class.html"].decode()
    assert re.search(r"3 submissions, 3 graded, 1 passed everything", html)
    assert re.search(r"ex1\.dnorm_logits</th>.*?33% <span class=\"quiet\">1 of 3", html)
    assert html.count('class="strip"') == 3
    assert grader("report", "--class", str(out), cwd=tmp_path).returncode == PASSED
    after = snapshot(out)
    links = {f"reports/{name}" for name in re.findall('href="reports/(.+?)"', after["class.html"].decode())}
    assert {name for name in after if name not in before} == links and len(links) == 3
    assert after["class.html"].replace(b'.html">', b'.txt">') == before["class.html"]
    assert all(after[name] == before[name] for name in before if name != "class.html")
    (out / "remarks.csv").write_text("student,score,remark\nb,25.5,explained in person\na,,well done\n")
    assert grader("report", "--class", str(out), cwd=tmp_path).returncode == PASSED
    (own,) = [
        data
        for name, data in snapshot(out).items()
        if b"explained in person" in data and name != "remarks.csv"
    ]
    assert b'<p class="big">25.5<span' in own and b"well done" not in own
    (out / "remarks.csv").unlink()
    (out / "results.jsonl").write_text("{}\n")
    ran = grader("report", "--class", str(out), cwd=tmp_path)
    assert ran.returncode == USAGE and "line 1 is damaged" in ran.stderr


def test_a_sentence_keeps_the_letters_of_a_gradient() -> None:
    assert capital("dhpreact is multiplied", ["dhpreact"]) == "dhpreact is multiplied"
    assert capital("do it again", ["h"]) == "Do it again"
    assert capital("h, which arrives", ["h"]) == "h, which arrives"
    assert capital("`^` is no power") == "`^` is no power"
