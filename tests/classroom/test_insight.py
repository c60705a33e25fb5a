"""What results tell of a class, held against pandas, SQL and NumPy; and which submissions share what."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classroom import FAILED, USAGE, batch_command, results, right, write
from command import grader
from conftest import ROOT, solution

from grader.classroom import insight, similar
from grader.classroom.similar import Index, Text
from grader.core.limits import EXPLAINED

PAGE = (ROOT / "docs/results.md").read_text()


def changed(source: str, *names: str) -> str:
    """A right answer with some items wrong in a way of its own: body by number of the name."""
    for name, factor in (part.split("=") for part in names):
        pattern = re.compile(rf"(def {name}\(.*?\n    return )([^\n]*)", re.DOTALL)
        source, n = pattern.subn(rf"\g<1>(\g<2>) * {factor}", source, count=1)
        assert n == 1, name
    return source


def disguised(source: str) -> str:
    """The same in the opposite order, with other comments and another name of a parameter."""
    head, *functions = re.split(r"^(?=def )", source, flags=re.MULTILINE)
    renamed = [
        re.sub(r"\bdlogprobs\b(?!\()", "grad_above", f) if f.startswith("def dprobs") else f
        for f in functions
    ]
    return head + "\n".join(reversed([f"# my own work, number {n}\n{f}" for n, f in enumerate(renamed)]))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, graded: two with one file in disguise, two with a comment, some right, some with mistakes."""
    sol = solution("ex1")
    copied = changed(sol, "dprobs=3.5", "dcounts=1.75", "dnorm_logits=0.3", "dlogits=9.5")
    unusual = "# the upstream gradient trickles down here like rain through an old roof\n"
    files = {
        "ada/ex1.py": copied,
        "bob/ex1.py": disguised(copied),
        "cyd/ex1.py": right("cyd") + unusual,
        "dan/ex1.py": changed(right("dan"), "dh=2") + unusual.upper(),
        "eve/ex1.py": right("eve"),
        "fay/ex1.py": right("fay").replace("\n\n\n", "\n\n"),
        "gus/ex1.py": changed(right("gus"), "dprobs=2", "dh=2"),
        "hal/ex1.py": changed(right("hal"), "dprobs=2", "dcounts=2"),
        "ida/ex1.py": "",
    }
    folder = write(tmp_path_factory.mktemp("class"), {f"in/{k}": v for k, v in files.items()})
    with contextlib.chdir(folder):
        assert batch_command("in", "--exercise", "ex1", out=Path("grades")).returncode == FAILED
    return folder


def test_the_pages_are_written_and_say_what_they_do_not_prove(room: Path) -> None:
    ran = grader("insight", "grades", "in", "--exercise", "ex1", cwd=room)
    assert ran.returncode == 0, ran.stderr
    page = (room / "grades/similar.html").read_text()
    assert similar.NO_PROOF in page and similar.NO_PROOF in ran.stdout and similar.NO_PROOF in PAGE
    shown = re.findall(r'<h2 id="pair-\d+">(.*?)</h2>', page)
    assert shown == ["in/ada/ex1.py, in/bob/ex1.py", "in/cyd/ex1.py, in/dan/ex1.py"]
    assert page.count('<pre class="code"') == 4 and "trickles down here" in page
    assert "the same but for names, comments and order: 1" in ran.stdout
    assert "pairs that share more than chance gives: 1" in ran.stdout


def test_mistakes_by_code_are_those_of_the_results(room: Path) -> None:
    assert grader("insight", "grades", cwd=room).returncode == 0
    with (room / "grades/mistakes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == insight.COLUMNS
    wanted: dict[tuple[str, str], set[str]] = {}
    for result in results(room / "grades"):
        for item in result["exercises"][0]["items"] if result["exercises"] else ():
            if not item["passed"] and item["verdict"] != "not-written":
                code = item["diagnosis_code"] or item["code"]
                wanted.setdefault((code, item["id"]), set()).add(result["student"])
    assert {(r["code"], r["item"]): int(r["students"]) for r in rows} == {
        k: len(v) for k, v in wanted.items()
    }
    assert len(wanted) >= 4


def test_over_attempts_days_and_sections() -> None:
    def one(student: str, day: str, section: str, passed: bool, counts: bool) -> dict[str, Any]:
        item = {"id": "ex1.dh", "passed": passed, "verdict": "exact" if passed else "wrong", "code": "value"}
        graded = {"id": "ex1", "items": [item | {"diagnosis_code": None if passed else "sign"}]}
        time = f"{day}T10:00:00+00:00"
        own = {"submission": f"{student}-{day}", "submitted": time, "section": section, "counts": counts}
        return {"student": student, "exercises": [graded], **own}

    told = insight.of(
        [
            one("a", "2026-11-20", "Mon", False, False),
            one("a", "2026-11-21", "Mon", False, True),
            one("b", "2026-11-21", "=Tue", False, True),
            one("c", "2026-11-21", "=Tue", True, True),
        ]
    )
    assert told.by(0, 3) == [(("sign", 1), 2, 2), (("sign", 2), 1, 1)]
    assert told.by(0, 4) == [(("sign", "2026-11-21"), 2, 2), (("sign", "2026-11-20"), 1, 1)]
    assert {part[1]: k for part, _, k in told.by(0, 2)} == {"Mon": 1, "=Tue": 1}
    page = told.render()
    assert all(f"Mistakes by {word}" in page for word in ("section", "attempt", "day"))
    assert '"\'=Tue"' in told.table()  # no spreadsheet's formula
    assert [row[:3] for row in told.discrimination()] == [("ex1.dh", 1, 3)]


def test_the_correlation_is_pearson_s_of_an_item_with_the_rest() -> None:
    table = np.random.default_rng(5).integers(0, 2, (40, 6))
    table[:, 0] = 1
    told = insight.Insight()
    for number, row in enumerate(table):
        items = [
            {"id": f"ex1.i{k}", "passed": bool(v), "verdict": "exact" if v else "not-written"}
            for k, v in enumerate(row)
        ]
        told.add({"submission": str(number), "student": "", "exercises": [{"id": "ex1", "items": items}]})
    found = {name: r for name, *_, r in told.discrimination()}
    assert found.pop("ex1.i0") is None
    for k in range(1, 6):
        rest = table.sum(1) - table[:, k]
        assert found[f"ex1.i{k}"] == pytest.approx(np.corrcoef(table[:, k], rest)[0, 1])


def test_what_can_not_be_read_is_said_in_one_line(room: Path, tmp_path: Path) -> None:
    for words, said in {
        ("insight", "nowhere"): "`grader batch … --out nowhere` writes it",
        ("insight", "grades", "nothing"): "nothing does not exist",
        (
            "insight",
            "grades",
            str(write(tmp_path, {"x/ex1.py": "x = 1\n"})),
        ): "name them as `grader batch` had them",
    }.items():
        ran = grader(*words, cwd=room)
        assert ran.returncode == USAGE and said in ran.stderr and ran.stderr.count("\n") == 1, ran.stderr


# --- what is no evidence, and what bounds it -----------------------------------------------------------


def result(name: str, **maxdiffs: float) -> dict[str, Any]:
    items = [
        {
            "id": f"ex1.{k}",
            "verdict": "wrong",
            "passed": False,
            "maxdiff": v,
            "relative": v,
            "allclose": False,
            "gave": None,
        }
        for k, v in maxdiffs.items()
    ]
    return {"submission": name, "student": name, "key": name, "exercises": [{"id": "ex1", "items": items}]}


NOTHING = Text(frozenset(), {}, 0, "")


def test_right_one_line_gradients_are_no_evidence() -> None:
    items = re.findall(r"^def (d\w+)", solution("ex1"), re.MULTILINE)
    one = similar.read(solution("ex1").encode(), dict.fromkeys(items, True))
    assert not one.wrong and not {k: v for k, v in one.units.items() if v < similar.NODES}
    index = Index()
    for n in range(4):
        text = solution("ex2").encode()
        index.add(
            result(f"s{n}") | {"key": "same"}, similar.read(text, {"dlogits": True}, similar.given(text))
        )
    assert index.groups() == [] and index.pairs() == []


def test_a_mistake_that_many_make_is_no_evidence_and_several_rare_ones_are() -> None:
    index = Index()
    for n in range(300):
        own = {f"d{k}": 1 + n + k / 100 for k in range(3)} if n > 1 else {f"d{k}": 0.5 + k for k in range(6)}
        index.add(result(f"s{n}", common=2.0, **own), NOTHING)
    (pair,) = index.pairs()
    assert (pair.first, pair.second) == (0, 1) and len(pair.shared) == 6


def test_a_student_s_own_attempts_are_not_compared() -> None:
    index = Index()
    for n in range(2):
        index.add(result(f"s{n}", **{f"d{k}": 0.5 + k for k in range(26)}) | {"student": "a"}, NOTHING)
    assert index.pairs() == []


HOSTILE = {
    "deep": b"x = " + b"(" * 40_000 + b"1" + b")" * 40_000,
    "operators": b"x = " + b"-" * 45_000 + b"1",
    "sum": b"x = " + b"1+" * 45_000 + b"1",
    "attributes": b"x" + b".a" * 45_000,
    "number": b"x = " + b"9" * 4000 + b"\ny = " + b"0x" + b"f" * 90_000,
    "hashes": b"#" * 90_000 + b"\n" + b"# a b c d\n" * 900,
    "utf-16": solution("ex2").encode("utf-16"),
    "no python": bytes(range(1, 256)) * 300,
    "large": b"# one two three four five\n" * 40_000,
    "statements": b"".join(b"a%d = f(x, %d) + g(y) * h(z)\n" % (n, n) for n in range(2500)),
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_the_worst_text_costs_little(source: bytes) -> None:
    start = time.process_time()
    found = similar.read(source, {})
    index = Index()
    index.add(result("one"), found)
    index.add(result("two"), found)
    index.pairs()
    assert time.process_time() - start < 2  # of processor time, the aim in core/limits.py
    assert len(index.holders) <= similar.MOST
    if len(source) > EXPLAINED:
        assert not found.comments


def test_the_page_is_bounded_and_obeys_no_text() -> None:
    index = Index()
    for name in ("a", "b"):
        index.add(result(name, **{f"d{k}": 0.5 + k for k in range(26)}), NOTHING)
    line = "</pre><script>alert(1)</script>\u202e\x1b[31m" + "x" * 10_000 + "\n"
    page = similar.render(index, index.pairs(), {0: line * 5000, 1: line})
    assert "<script>alert" not in page and "\u202e" not in page and "\x1b" not in page
    assert len(page) < 2_000_000


def work(many: int) -> float:
    """Processor time of a class in which all share a little, as steps of the index."""
    index = Index()
    start = time.process_time()
    for n in range(many):
        own = {f"d{k}": 1.0 + (n // 5 if k % 2 else n) + k / 100 for k in range(12)}
        index.add(result(f"s{n}", common=2.0, **own), NOTHING)
    index.pairs()
    return time.process_time() - start


@pytest.mark.slow
def test_ten_thousand_are_no_more_than_ten_times_a_thousand() -> None:
    """With room for the machine: by pairs it would be a hundred times."""
    assert work(10_000) < 30 * min(work(1000) for _ in range(3))


# --- docs/results.md -----------------------------------------------------------------------------------


def columns(name: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", name))


def test_every_column_of_the_results_is_documented(room: Path) -> None:
    tables = re.findall(r"^\| column .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    documented = [
        {c for row in t.splitlines()[2:] if row for c in columns(row.split("|")[1])} for t in tables
    ]
    (exercise,) = re.findall(r"^Of an exercise: (.*?)Of an item", PAGE, re.MULTILINE | re.DOTALL)
    lines = results(room / "grades")
    assert {key for line in lines for key in line} <= documented[0]
    assert documented[0] - {k for line in lines for k in line} <= {
        "submitted",
        "days_late",
        "fault",
        "problem",
        "section",
        "ids",
        "absent",
    }
    exercises = [e for line in lines for e in line["exercises"]]
    assert {key for e in exercises for key in e} == columns(exercise)
    assert {key for e in exercises for i in e["items"] for key in i} == documented[1]


EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_pandas_example_counts_students_by_mistake(room: Path) -> None:
    pytest.importorskip("pandas")
    printed = run(next(e for e in EXAMPLES if "pandas" in e), room)
    told = insight.of(results(room / "grades"))
    wanted = {part[0]: students for part, _, students in told.by(0)}
    found = dict(re.findall(r"^(\S+) +(\d+)$", printed, re.MULTILINE))
    assert {k: int(v) for k, v in found.items()} == wanted and wanted


def test_the_sql_example_gives_the_pass_rates(room: Path) -> None:
    printed = run(next(e for e in EXAMPLES if "sqlite3" in e), room)
    items = json.loads((room / "grades/summary.json").read_text())["items"]
    found = dict(eval(printed))
    assert found == pytest.approx({name: one["passed"] / one["asked"] for name, one in items.items()})


def run(program: str, room: Path) -> str:
    out = io.StringIO()
    with contextlib.chdir(room), contextlib.redirect_stdout(out):
        exec(program, {})
    return out.getvalue()


def test_one_line_where_the_results_are_damaged(room: Path, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("{}\n")
    ran = grader("insight", str(tmp_path), cwd=room)
    assert ran.returncode == USAGE and "line 1 is damaged" in ran.stderr
