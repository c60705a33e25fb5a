"""`grader feedback`: a copy with verdicts under the cells, the learner's bytes as they were, and a page."""

from __future__ import annotations

import html
import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import flatcode
import nbformat
import pytest
from command import grader
from conftest import ROOT, parts_of
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from grader.authoring import notebook
from grader.core.errors import Unreadable
from grader.core.text import escaped
from grader.submissions import cells
from grader.submissions.script import is_feedback
from grader.suite import fixtures


def feedback(
    *words: str | Path, cwd: Path = ROOT, verb: str = "feedback"
) -> subprocess.CompletedProcess[str]:
    return grader(verb, *words, cwd=cwd)


def solved(exercise: str) -> str:
    """The solution as a notebook's text."""
    described = fixtures.describe(ROOT, exercise)
    parts = parts_of(exercise)
    settings, training = described.fixtures[0].settings, described.training
    return notebook.notebook(parts, exercise, settings, training, described.shapes, True)


def changed(exercise: str, *changes: tuple[str, str]) -> str:
    text = solved(exercise)
    for old, new in changes:
        old, new = (json.dumps(t)[1:-1] for t in (old, new))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def added(path: Path) -> dict[str, str]:
    """By the id of the learner's cell that it stands under, a feedback cell's source; "" is the top's."""
    found, above = {}, ""
    for cell in json.loads(path.read_bytes())["cells"]:
        if is_feedback(cell):
            found[above] = cell["source"]
        else:
            above = cell["id"]
    return found


# --- the splice ------------------------------------------------------------------------------------

SOURCES = st.text(max_size=20) | st.lists(st.text(max_size=8), max_size=3)
NUMBERS = st.floats(allow_nan=False) | st.integers()
CELLS = st.lists(
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": SOURCES},
        optional={
            "metadata": st.dictionaries(st.text(max_size=5), NUMBERS, max_size=2),
            "outputs": st.lists(st.dictionaries(st.text(max_size=4), NUMBERS), max_size=2),
            "id": st.sampled_from(["a", "b", "grader-summary", "grader-feedback-1"]),
        },
    ),
    max_size=5,
)


@given(CELLS, st.sampled_from([None, 0, 1, 4, "\t"]), st.booleans(), st.integers(0, 5), st.data())
def test_taking_the_feedback_out_gives_every_byte_back(
    original: list[dict[str, Any]], indent: Any, ascii_: bool, minor: int, data: st.DataObject
) -> None:
    document = {"nbformat": 4, "cells": original, "metadata": {"cells": []}, "nbformat_minor": minor}
    keys = data.draw(st.permutations(list(document)))
    text = json.dumps({k: document[k] for k in keys}, indent=indent, ensure_ascii=ascii_)
    book = cells.read(text.encode("utf-8", "surrogatepass"))
    numbers = st.integers(1, len(original)) if original else st.nothing()
    under = data.draw(st.dictionaries(numbers, st.text(st.characters(codec="utf-8"), max_size=9)))
    copy = cells.read(cells.with_feedback(book, "on top", under))
    assert copy.has_feedback and not book.has_feedback
    assert [c for c in copy.cells if not is_feedback(c)] == original
    made = [c for c in copy.cells if is_feedback(c)]
    assert [c["source"] for c in made] == ["on top", *(under[n] for n in sorted(under))]
    assert all(("id" in c) == (minor >= 5) for c in made)
    ids = [c["id"] for c in made if "id" in c]
    assert len(set(ids)) == len(ids) and not {c.get("id") for c in original} & set(ids)
    assert cells.without_feedback(copy) == cells.read(book.data) == book
    assert cells.with_feedback(cells.without_feedback(copy), "on top", under) == copy.data


def test_windows_lines_a_byte_order_mark_and_a_double_key_stay() -> None:
    cell = '{"cell_type": "code", "source": "x", "n": 1.0e0}'
    text = '{"cells": 3, "cells": [\r\n  ' + cell + '\r\n], "nbformat": 4}\r\n'
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        book = cells.read(data)
        copy = cells.read(cells.with_feedback(book, "top", {1: "under"}))
        assert b'"n": 1.0e0' in copy.data
        assert cells.without_feedback(copy).data == data


def test_code_is_the_learners_whatever_it_is_marked_as() -> None:
    cell = {"cell_type": "code", "metadata": cells.MARK, "source": "dprobs = 1"}
    book = cells.read(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 4}).encode())
    assert not book.has_feedback


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "its JSON is broken"),
        (b"", "is empty"),
        (b"[1]", "it has no cells"),
        (b'{"cells": [3], "nbformat": 4}', "it has no cells"),
        (b'{"cells": [], "nbformat": 5}', "nbformat 5"),
        (b"[" * 100_000, "its JSON is broken"),
    ],
)
def test_what_is_no_notebook_of_today_is_said_in_one_line(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said.replace("(", r"\(")) as caught:
        cells.read(data)
    assert "\n" not in str(caught.value)


# --- the text --------------------------------------------------------------------------------------


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60))
def test_escaped_text_shows_as_it_is(text: str) -> None:
    shown = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"- {escaped('x' + text)}")
    assert html.unescape(shown) == f"<ul>\n<li>x{text.rstrip()}</li>\n</ul>\n"
    assert "$" not in escaped(text)  # no formula


# --- the command -----------------------------------------------------------------------------------


def test_verdicts_stand_under_their_cells_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    work = tmp_path / "my work.ipynb"
    wrong = ("dprobs = (1.0 / probs)", "dprobs = -(1.0 / probs)")
    work.write_text(
        changed("ex1", wrong, ("dh = dlogits @ W2.T", "dhh = 0"), ("dW2 = h.T @ dlogits", "dW2 = None"))
    )
    before = work.read_bytes()
    done = feedback(work.name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    score, written = done.stdout.splitlines()
    assert score == feedback("ex1", work.name, cwd=tmp_path, verb="check").stdout.splitlines()[-1]
    assert score.startswith("score: 23 of 26. Next: fix ex1.dprobs, cell ")
    assert written == "my work.feedback.ipynb is written"
    copy = tmp_path / "my work.feedback.ipynb"
    assert work.read_bytes() == before
    assert cells.without_feedback(cells.read(copy.read_bytes())).data == before
    nbformat.validate(nbformat.read(copy, nbformat.NO_CONVERT))
    said = added(copy)
    assert "✕ **ex1.dprobs** wrong: the sign is wrong" in said["dprobs"] and "(line 1)" in said["dprobs"]
    assert "✓ **ex1.dlogprobs** exact" in said["dlogprobs"]
    assert "## grader: 23 of 26 passed" in said[""] and "Next: fix ex1.dprobs." in said[""]
    assert "**ex1** not found: nothing assigns dh\n" in said[""]
    assert "○ **ex1** not written: dW2\n" in said[""]
    assert set(said) == {"", *(i.name for i in fixtures.describe(ROOT, "ex1").items)} - {"dh", "dW2"}


def test_a_second_feedback_replaces_the_first_and_grading_ignores_both(tmp_path: Path) -> None:
    work = tmp_path / "work.ipynb"
    work.write_text(changed("ex2", ("dlogits /= n", "dlogits /= -n")))
    assert feedback(work).returncode == 1
    copy = tmp_path / "work.feedback.ipynb"
    first = copy.read_bytes()
    assert feedback(copy).returncode == 1  # the copy itself
    assert copy.read_bytes() == first
    assert feedback(work).returncode == 1  # and over the one that is there
    assert copy.read_bytes() == first
    mended = copy.read_bytes().replace(b"dlogits /= -n", b"dlogits /= n")
    copy.write_bytes(mended)
    assert feedback(copy).returncode == 0
    assert "approximate" in added(copy)["dlogits"] and "wrong" not in added(copy)["dlogits"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["work.feedback.ipynb", "work.ipynb"]


def test_the_training_run_of_ex4_is_told_on_top(tmp_path: Path) -> None:
    work = tmp_path / "w.ipynb"
    work.write_text(solved("ex4"))
    done = feedback(work)
    assert (done.returncode, done.stdout.split("\n")[0]) == (0, "score: 14 of 14. All passed.")
    assert "**ex4.training** approximate: 100 manual steps" in added(tmp_path / "w.feedback.ipynb")[""]


HOSTILE = "<script>alert(1)</script> [a](http://e.org/x) ![b](https://e.org/y) `c` $d$ **e** | \x1b[31m"


def test_a_notebook_is_run_in_the_sandbox_alone(tmp_path: Path) -> None:
    work, trace = tmp_path / "w.ipynb", tmp_path / "trace"
    write = f"open({str(trace)!r}, 'w').write('x')"
    answer = "dlogits = F.softmax(logits, 1)"
    work.write_text(changed("ex2", (answer, f"{write}\n{answer} if {write} else 0")))
    assert feedback(work).returncode == 1
    assert "error" in added(tmp_path / "w.feedback.ipynb")["dlogits"]
    assert not trace.exists()


def test_a_hostile_notebook_stays_text(tmp_path: Path) -> None:
    work, page = tmp_path / "w.ipynb", tmp_path / "w.html"
    function = f"def f():\n    raise ValueError({HOSTILE!r})\ndlogits = f()"
    work.write_text(changed("ex2", ("dlogits = F.softmax(logits, 1)", function)))
    assert feedback(work, "--html", page).returncode == 1
    said = added(tmp_path / "w.feedback.ipynb")["dlogits"]
    shown = MarkdownIt("commonmark").render(said)
    assert Tags(shown).names <= {"p", "strong", "ul", "li"}
    assert "ValueError: <script>alert(1)</script> [a](http" in html.unescape(shown)
    assert "\x1b" not in said and "$" not in said
    text = page.read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text


class Tags(HTMLParser):
    """The names of all tags, and every address in their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "data")]


def test_the_page_shows_each_cell_and_loads_nothing(tmp_path: Path) -> None:
    work, page = tmp_path / "w.ipynb", tmp_path / "w.html"
    away = ("dW2 = h.T @ dlogits", "dW2 = None")
    work.write_text(changed("ex1", ("dprobs = (1.0 / probs)", "dprobs = -(1.0 / probs)"), away))
    done = feedback("w.ipynb", "--html", "w.html", cwd=tmp_path)
    assert done.stdout.endswith("\nw.feedback.ipynb and w.html are written\n")
    text = page.read_text()
    assert set(Tags(text).addresses) == {"data:,"}
    assert "default-src 'none'" in text
    marked = '<span class="row marked"><span class="number">1</span>dprobs = -(1.0 / probs) * dlogprobs'
    assert marked in text
    assert text.count('<section class="cell"') == 25 and "<code>ex1</code> not written: dW2</p>" in text


def test_single_items_and_the_lectures_own_notebook(tmp_path: Path) -> None:
    """Without our metadata, and in nbformat 4.0, where cells have no ids."""
    book = json.loads(solved("ex1"))
    book["metadata"], book["nbformat_minor"] = {}, 0
    for cell in book["cells"]:
        del cell["id"]
    work = tmp_path / "backprop.ipynb"
    work.write_text(json.dumps(book))
    done = feedback(work, "ex1.dprobs", "ex1.dh", "--out", tmp_path / "told.ipynb")
    assert (done.returncode, done.stdout.split("\n")[0]) == (0, "score: 2 of 2. All passed.")
    copy = nbformat.read(tmp_path / "told.ipynb", nbformat.NO_CONVERT)
    nbformat.validate(copy)
    assert sum(map(is_feedback, copy.cells)) == 3 and not any("id" in c for c in copy.cells)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.py"], "x.py is not a notebook (.ipynb): `grader report` makes a page of a file"),
        (["none.ipynb"], "none.ipynb does not exist"),
        (["broken.ipynb", "ex1"], "broken.ipynb is not a notebook: its JSON is broken"),
        (["old.ipynb"], "old.ipynb is a notebook of nbformat 3 that can't be converted"),
        (["w.ipynb", "--out", "w.ipynb"], "--out w.ipynb exists and is no copy with feedback; it is kept"),
        (["w.ipynb", "--out", "x.py"], "--out x.py exists and is no copy with feedback; it is kept"),
        (["w.ipynb", "--out", "."], "--out . is a folder: name a file"),
        (["w.ipynb", "--html", "no/w.html"], "--html no/w.html: there is no folder no"),
        (["w.ipynb", "--html", "w.ipynb"], "--html w.ipynb is a notebook of this command"),
        (["w.ipynb", "ex9"], "there is no exercise ex9"),
    ],
)
def test_a_wrong_use_is_one_line_and_nothing_is_lost(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("mine = 1\n")
    (tmp_path / "broken.ipynb").write_text('{"cells": [')
    (tmp_path / "old.ipynb").write_text('{"worksheets": [3], "nbformat": 3, "metadata": {}}')
    (tmp_path / "w.ipynb").write_text(solved("ex2"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    done = feedback(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("grader: " + said) and done.stderr.count("\n") == 1
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_notebook_of_nbformat_3_gets_its_copy_in_nbformat_4(tmp_path: Path) -> None:
    old = (flatcode.HERE / "nbformat_3.ipynb").read_bytes()
    (tmp_path / "old.ipynb").write_bytes(old)
    done = feedback("old.ipynb", "ex1", cwd=tmp_path)
    assert done.stdout.endswith(
        "old.ipynb is of nbformat 3, which Jupyter no longer writes; the copy is of nbformat 4\n"
    )
    assert (tmp_path / "old.ipynb").read_bytes() == old
    copy = nbformat.read(tmp_path / "old.feedback.ipynb", as_version=4)
    nbformat.validate(copy)
    sources = [c["input"] for c in json.loads(old)["worksheets"][0]["cells"] if c["cell_type"] == "code"]
    assert [c["source"] for c in copy["cells"] if c["cell_type"] == "code"] == ["".join(s) for s in sources]
    marked = next(
        i for i, c in enumerate(copy["cells"]) if "ex1.dprobs" in c["source"] and "✓" in c["source"]
    )
    assert "dprobs" in copy["cells"][marked - 1]["source"]


def test_a_rename_table_and_strict_are_taken_as_check_takes_them(tmp_path: Path) -> None:
    source = "# %%\n#: forward\n# %%\nmine = torch.zeros_like(logprobs)\nmine[range(n), Yb] = -1.0/32\n"
    (tmp_path / "mine.ipynb").write_bytes(flatcode.built(source)[1])
    (tmp_path / "names.toml").write_text('[rename]\nmine = "dlogprobs"\n')
    words = ("mine.ipynb", "ex1.dlogprobs", "--rename", "names.toml")
    assert feedback(*words, cwd=tmp_path).returncode == 0
    assert feedback(*words, "--strict", cwd=tmp_path).returncode == 1
    assert grader("report", *words, cwd=tmp_path).returncode == 0
    assert grader("report", *words, "--strict", cwd=tmp_path).returncode == 1


def test_the_report_page_shows_the_cell_that_a_line_is_in(tmp_path: Path) -> None:
    work, page = tmp_path / "w.ipynb", tmp_path / "w.html"
    work.write_text(changed("ex1", ("dprobs = (1.0 / probs)", "dprobs = -(1.0 / probs)")))
    assert grader("report", "ex1.dprobs", work, "--html", page, cwd=tmp_path).returncode == 1
    text = page.read_text()
    assert "<h4>Your code, cell 9, line 1</h4>" in text
    assert '<span class="number">1</span>dprobs = -(1.0 / probs) * dlogprobs' in text
