"""Points by a policy: the file's reader, the sums, and that every renderer says the same."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import Any

import command
import jsonschema
import pytest
from classroom import FAILED, PASSED, USAGE, environ, grades, one_line, results, right, write, wrong
from conftest import DEADLINE, ROOT, examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ci import CLASSROOM, PATHS, REPORTER, RESULT

from grader.classroom import gradebook
from grader.classroom import page as classroom
from grader.classroom.files import _row
from grader.classroom.files import told as text_of
from grader.classroom.gradebook import Grade
from grader.classroom.summary import Summary
from grader.commands import policy as policies
from grader.commands.grades import earned
from grader.core.exercise import Exercise
from grader.core.finding import Code, Finding
from grader.core.verdict import Check, ExerciseReport, ItemReport, Report, Verdict, shared
from grader.judging.points.attempts import counting
from grader.judging.points.marks import days_late, mark, marked, marked_document, rounded
from grader.judging.points.policy import Attempts, Late, Policy, parse
from grader.reports import feedback, plain, terminal
from grader.reports.document import document
from grader.reports.pages.page import Sheet
from grader.reports.pages.page import render as page
from grader.reports.screen import Screen
from grader.reports.services import classroom50, github, gradescope, junit, reporter
from grader.reports.table import unwritten

KNOWN = {"ex1": ["da", "db", "dc"], "ex2": ["dd"], "gpt.ex1": ["de", "df"]}
TEMPLATE = policies.TEMPLATE.read_text(encoding="utf-8")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
GRADER = Path(sys.executable).with_name("grader")


def policy(text: str) -> Policy:
    found, wrong = parse(text, "p.toml", KNOWN)
    assert not wrong, wrong
    return found


def problems(text: str) -> list[str]:
    return parse(text, "p.toml", KNOWN)[1]


# --- the file ----------------------------------------------------------------------------------------


def test_an_empty_file_and_the_template_count_items() -> None:
    for text in ("", TEMPLATE):
        found = policy(text)
        assert set(found.worth.values()) == {100} and found.whole
        assert found.late is None and found.attempts is None and not found.required


def test_the_template_s_comments_are_a_policy_too() -> None:
    lines = [
        line.lstrip("# ") if re.match(r"# [\[\"\w.]+( =|\]| +#)", line) else line
        for line in TEMPLATE.split("\n")
    ]
    text = "\n".join(lines)
    found = parse(text, "p.toml", {"ex1": ["dlogits", "dcounts"], "ex2": ["dx"]})
    assert found[1] == [] and found[0].late and found[0].attempts == Attempts(False, 5), text
    assert found[0].worth == {"ex1.dlogits": 2300, "ex1.dcounts": 300, "ex2.dx": 100}


def test_an_exercise_s_points_are_shared_by_the_items_that_have_none_of_their_own() -> None:
    found = policy('[points]\ndefault = 0.5\nex1 = 10\n"ex1.db" = 3\ngpt.ex1 = 1')
    assert found.worth == {
        "ex1.da": 350, "ex1.db": 300, "ex1.dc": 350, "ex2.dd": 50, "gpt.ex1.de": 50, "gpt.ex1.df": 50
    }  # fmt: skip
    assert sum(policy("[points]\nex1 = 10").worth[f"ex1.{i}"] for i in KNOWN["ex1"]) == 1000
    assert policy("[points.gpt.ex1]\nde = 2").worth["gpt.ex1.de"] == 200
    assert not found.whole


SHARE_ = "is no share: write a number from 0 to 1"
POINTS = "are no points: write a number from 0 to 1000000"
TIME = "write it as 2026-12-01T23:59:00+01:00"
NAMELESS = "no exercise or item is called so (did you mean ex1?); `grader list` has all"
NO_NUMBER = "is not a number that a policy can have"


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "point = 1",
            "point: a policy has approximate, points, required, late, attempts, absent "
            "(did you mean points?)",
        ),
        ("approximate = 1.5", f"approximate: 1.5 {SHARE_}"),
        ("approximate = true", f"approximate: true {SHARE_}"),
        ("points = 3", "points: is a table: begin a line [points]"),
        ("[points]\nex1 = -1", f"points.ex1: -1 {POINTS}"),
        ("[points]\nex2 = 'all'", f"points.ex2: 'all' {POINTS}"),
        ("[points]\nex2 = 0.001", "points.ex2: 0.001: points have at most two decimals"),
        ("[points]\nex11 = 1", f"points.ex11: {NAMELESS}"),
        ('[points]\n"ex1.dd" = 1', "points.ex1.dd: ex1 has no item dd; `grader list ex1` has all"),
        (
            '[points]\n"ex1.daa" = 1',
            "points.ex1.daa: ex1 has no item daa (did you mean da?); `grader list ex1` has all",
        ),
        ('[points]\n"ex2.dd" = 1\n[points.ex2]\ndd = 2', "points.ex2.dd: is there twice: keep one of them"),
        ('[points]\nex1 = 2\n"ex1.da" = 3', "points.ex1: its items have 3 of them: make it that or more"),
        ('[points]\nex2 = 2\n"ex2.dd" = 1', "points.ex2: its items have 1 of them: make it that"),
        ("[required]\nitems = 'ex1'", 'required.items: is a list of names: ["ex1.dlogits", "ex2"]'),
        ("[required]\nitem = []", "required.item: [required] has items, cap (did you mean items?)"),
        (
            "[late]",
            "late.per_day: is missing: the share that a day takes, such as 0.1 (or flat, taken once)",
        ),
        ("[late]\nper_day = 0.1\ndeadline = 'soon'", f"late.deadline: 'soon' is no time: {TIME}"),
        ("[late]\nper_day = 0.1\ndeadline = 2026-12-01", f"late.deadline: 2026-12-01 is no time: {TIME}"),
        (
            "[late]\nper_day = 0.1\ndeadline = 2026-12-01T12:00:00",
            f"late.deadline: 2026-12-01T12:00:00 has no offset from UTC: {TIME}",
        ),
        ("[attempts]\ncounts = 1", 'attempts.counts: 1: write "last" or "best"'),
        ("[attempts]\nmost = 0", "attempts.most: 0: write an integer from 1 up, or leave it out"),
        ("approximate = nan", f"is no TOML: nan {NO_NUMBER}"),
        ("approximate = 1e999999999", f"is no TOML: 1e999999999 {NO_NUMBER}"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_file_key_and_remedy(text: str, said: str) -> None:
    assert problems(text) == [f"p.toml {said}" if said.startswith("is no TOML") else f"p.toml: {said}"]


def test_an_item_s_name_without_quotes_beside_its_exercise_s() -> None:
    (said,) = problems("[points]\nex1 = 3\nex1.da = 2")
    assert said.startswith("p.toml is no TOML: ")
    assert said.endswith(': an item\'s name goes in quotes, "ex1.dprobs" = 2')


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert (
        len(problems("a = 1\napproximate = 2\n[points]\nex1 = -1\nex3 = 1\n[late]\n[attempts]\nmost = -1"))
        == 6
    )


KEYS = st.sampled_from(["ex1", "da", "items", "cap", "most"])
TOML = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 999)
    | st.sampled_from(["1.5", "ex1", "last", "2026-12-01T00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


def written(value: object) -> str:
    """As TOML; JSON is nearly that."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return "0.25" if value is None else json.dumps(value)


@given(
    st.dictionaries(st.sampled_from(["approximate", "points", "required", "late", "attempts", "x"]), TOML)
    | st.text()
)
def test_no_file_of_any_kind_ends_in_a_traceback(table: dict[str, object] | str) -> None:
    text = table if isinstance(table, str) else "".join(f"{k} = {written(v)}\n" for k, v in table.items())
    found, wrong = parse(text, "p.toml", KNOWN)
    assert all(line.startswith("p.toml") and "\n" not in line for line in wrong)
    assert wrong or set(found.worth) == {f"{e}.{i}" for e, items in KNOWN.items() for i in items}


# --- the sums ----------------------------------------------------------------------------------------

GOOD = {"ex1.da": Verdict.EXACT, "ex1.db": Verdict.APPROXIMATE, "ex1.dc": Verdict.WRONG}


def test_approximate_counts_in_full_unless_the_policy_says_otherwise() -> None:
    assert mark(policy(""), GOOD, 0).marks.earned == 200
    found = mark(policy("approximate = 0.9\n[points]\nex1 = 10"), GOOD, 0)
    assert [m.earned for m in found.items.values()] == [334, 300, 0] and found.marks.of == 1000


def test_a_required_item_caps_its_exercise() -> None:
    strict = policy('[required]\nitems = ["ex1.dc"]\ncap = 0.5')
    found = mark(strict, GOOD, 0)
    assert found.marks.earned == 150 and found.deductions == ("at most 1.5 without ex1.dc",)
    assert mark(strict, {**GOOD, "ex1.dc": Verdict.APPROXIMATE}, 0).marks.earned == 300
    assert mark(policy('[required]\nitems = ["ex1"]'), GOOD, 0).marks.earned == 0
    assert mark(strict, {"ex2.dd": Verdict.EXACT}, 0).marks.earned == 100  # another exercise's


@pytest.mark.parametrize(
    "after, days, earned",
    [(-1, 0, 200), (0, 0, 200), (1, 1, 180), (86400, 1, 180), (86401, 2, 160), (10 * 86400, 10, 100)],
)
def test_each_day_begun_after_the_deadline_takes_its_share(after: int, days: int, earned: int) -> None:
    late = policy(f"[late]\ndeadline = {NOON.isoformat()}\nper_day = 0.1\nmaximum = 0.5")
    assert days_late(late, NOON + timedelta(seconds=after)) == days
    assert mark(late, GOOD, days).marks.earned == earned


def test_nobody_is_late_without_the_policy_or_the_time() -> None:
    later = NOON + timedelta(days=3)
    assert days_late(policy(""), later, NOON) == 0
    late = policy("[late]\nper_day = 0.1")
    assert days_late(late, later, NOON) == 3 and days_late(late, None, NOON) == days_late(late, later) == 0
    own = policy(f"[late]\nper_day = 0.1\ndeadline = {later.isoformat()}")
    assert days_late(own, later, NOON) == 0  # the policy's deadline goes before the platform's


def test_which_attempt_counts() -> None:
    assert counting([1, 3, 2, 3], Attempts(True, None)) == 1
    assert counting([1, 3, 2, 9], Attempts(True, 3)) == 1
    assert counting([1, 3, 2, 9], Attempts(False, 3)) == 2
    assert counting([1, 3], Attempts(False, 3)) == 1


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), min_size=1))
def test_what_is_shared_adds_up(total: int, weights: list[int]) -> None:
    given_out = shared(total, weights)
    assert sum(given_out) == (total if sum(weights) else 0)
    for part, weight in zip(given_out, weights, strict=True):
        assert sum(weights) == 0 or abs(Fraction(total * weight, sum(weights)) - part) < 1
        assert total > sum(weights) or part <= weight


# --- every renderer ----------------------------------------------------------------------------------

WORTH = st.integers(0, 2500) | st.integers(0, 20).map(lambda n: 100 * n)
SHARE = st.fractions(0, 1, max_denominator=20)
POLICIES = st.builds(
    Policy,
    st.just("p.toml"),
    st.fixed_dictionaries({f"{e}.{i}": WORTH for e, items in KNOWN.items() for i in items}),
    st.frozensets(st.sampled_from(["ex1.da", "ex1.db", "ex2.dd", "gpt.ex1.de"]), max_size=2),
    SHARE,
    SHARE | st.just(Fraction(1)),
    st.none() | st.builds(Late, st.just(NOON), SHARE, SHARE),
)


def item(name: str, verdict: Verdict) -> ItemReport:
    found = None if verdict.passed else Finding(Code.ERROR, "a reason")
    maxdiff = 0.5 if verdict is Verdict.WRONG else None
    return ItemReport(name, (2, 3), Check(verdict, found, maxdiff=maxdiff), "lecture", 3)


@st.composite
def graded(draw: st.DrawFn) -> Report:
    names = draw(st.lists(st.sampled_from(list(KNOWN)), min_size=1, unique=True))
    kind = st.sampled_from([Verdict.EXACT, Verdict.EXACT, Verdict.APPROXIMATE, *Verdict])
    return Report(
        "s.py",
        tuple(
            ExerciseReport(e, f"Title of {e}", tuple(item(f"{e}.{i}", draw(kind)) for i in KNOWN[e]))
            for e in names
        ),
    )


NUMBER = r"(\d+(?:\.\d+)?)"
OF = re.compile(NUMBER + " of " + NUMBER)


def pair(text: str, before: str = "", after: str = "") -> tuple[float, float]:
    match = re.search(before + NUMBER + " of " + NUMBER + after, text)
    assert match, (before, after, text)
    return float(match[1]), float(match[2])


def table(text: str) -> dict[str, tuple[float, float]]:
    """The points of each item, from the lines of a table that begin with its name."""
    found = {}
    for line in text.split("\n"):
        match = re.match(r"[|\s]*((?:gpt\.)?ex\d\.d\w)\b", line)
        if match and OF.search(line):
            found[match[1]] = pair(line)
    return found


def without_tags(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html)).replace("  ", " ")


PLATFORMS = (
    ("Student,ID,Section,Work (1)\nPoints Possible,,,{of}\nAda,1,A,\n", 3, -1),
    ('ID,Name,Grade,"Maximum Grade"\nParticipant 1,Ada,,{of}\n', 2, -1),
)


@settings(max_examples=examples(30))
@given(POLICIES, graded(), st.integers(0, 9))
def test_every_renderer_says_the_same_points(one: Policy, unmarked: Report, days: int) -> None:
    report = marked(unmarked, one, days)
    score, of = report.score, report.max_score
    items = {i.id: (i.score, i.max_score) for i in report.items}
    for exercise in report.exercises:  # by hand, exactly
        whole = sum(Fraction(round(100 * i.score), 100) for i in exercise.items)
        unmet = any(i.id in one.required and not i.passed for i in exercise.items)
        most = sum(one.worth[i.id] for i in exercise.items)
        left = min(100 * whole, rounded(one.cap * most)) if unmet else 100 * whole
        left -= rounded(left * min(one.late.maximum, one.late.per_day * days)) if one.late and days else 0
        assert round(100 * exercise.score) == left <= most == round(100 * exercise.max_score)
        assert sum(exercise.parts) == left
        assert all(
            p <= i.marks.earned for p, i in zip(exercise.parts, exercise.items, strict=True) if i.marks
        )

    # tables, for a person
    text, wide = plain.render(report), terminal.render(report, Screen(300, True, False))
    assert pair(text, "score: ", " points") == (score, of) and table(text) == items
    assert pair(wide, "score: ", " points") == (score, of)
    rows = re.findall(r"^[✓✗] (d\w+) .* ([\d.]+) of ([\d.]+)$", wide, re.MULTILINE)
    paid = [(i.id.rpartition(".")[2], i.score, i.max_score) for i in report.items if not unwritten(i)]
    assert [(name, float(a), float(b)) for name, a, b in rows] == paid
    assert pair(github.markdown(report), r"## .* ", " points") == (score, of)
    assert table(github.markdown(report)) == items
    sheets = [Sheet(e, replace(EXERCISE, id=e.id), {None: b""}, {}) for e in report.exercises]
    for html, folds in ((page(report, sheets), False), (feedback.render(report, []), True)):
        assert pair(without_tags(html), after=" points") == (score, of)
        for one_item in report.items:
            if not (folds and unwritten(one_item)):
                near = html.split(f'id="{one_item.id}"', 1)[1]
                assert pair(near, after=" points") == items[one_item.id], one_item.id

    # documents, for a program
    told = document(report)
    jsonschema.validate(told, json.loads((ROOT / "grader/reports/report.schema.json").read_text()))
    assert told == marked_document(document(unmarked), one, days)
    assert (told["score"], told["max_score"]) == (score, of)
    assert {i["id"]: (i["score"], i["max_score"]) for e in told["exercises"] for i in e["items"]} == items
    assert sum(round(100 * e["score"]) for e in told["exercises"]) == round(100 * score)
    fifty = json.loads(classroom50.render(report, CLASSROOM, NOON, one.whole))
    jsonschema.validate(fifty, RESULT)
    unit = 1 if one.whole else 100
    assert (fifty["score"], fifty["max-score"]) == (round(unit * score), round(unit * of))
    assert sum(t["score"] for t in fifty["tests"]) == fifty["score"]
    assert sum(t["max-score"] for t in fifty["tests"]) == fifty["max-score"]
    older = json.loads(base64.b64decode(reporter.render(report, PATHS | dict.fromkeys(KNOWN, "x.py"))))
    jsonschema.validate(older, REPORTER)
    assert older["max_score"] == of and sum(round(100 * t["score"]) for t in older["tests"]) == round(
        100 * score
    )
    xml = ET.fromstring(junit.render(report, dict.fromkeys(KNOWN, "x.py")))
    told_of: dict[tuple[str | None, ...], Any] = {(s.get("name"),): properties(s) for s in xml}
    told_of |= {(c.get("classname"), c.get("name")): properties(c) for c in xml.iter("testcase")}
    for e in report.exercises:
        assert told_of[e.id,] == (e.score, e.max_score)
        assert all(told_of[e.id, i.id.rpartition(".")[2]] == items[i.id] for i in e.items)
    scope = gradescope.render(report, "visible")
    assert scope["score"] == score
    points = {t["name"]: (t["score"], t["max_score"]) for t in scope["tests"] if "score" in t}
    assert points == items and pair(scope["output"], "score: ", " points") == (score, of)

    # the class
    result = {**told, "submission": "s.py", "student": "1", "name": "Ada", "late": False, "note": "",
              "problem": "", "identical_to": None, "protection_off": [], "counts": True}  # fmt: skip
    row = _row(result)
    assert (row[4], row[5]) == (score, of)
    assert pair(text_of(result), "score: ") == (score, of) and table(text_of(result)) == items
    summary = Summary()
    summary.add(result)
    assert pair(without_tags(classroom.render(summary).split('id="students"')[1])) == (score, of)
    found, left_out = earned([result])
    assert found == {"1": Grade(score, of)} and not left_out
    for export, column, at in PLATFORMS:
        book = gradebook.read(export.format(of=of or 1).encode(), "e.csv", None)
        filled = list(csv.reader(io.StringIO(book.filled(found).decode())))
        assert float(filled[at][column]) == score


EXERCISE = Exercise("", inputs=("x",), shapes={"x": (2,)})


def properties(element: ET.Element) -> tuple[float, float]:
    found = {p.get("name"): p.get("value", "") for p in element.findall("properties/property")}
    return float(found["score"]), float(found["max_score"])


def test_without_a_policy_nothing_is_said_of_points() -> None:
    report = Report(
        "s.py", (ExerciseReport("ex1", "T", (item("ex1.da", Verdict.EXACT), item("ex1.db", Verdict.WRONG))),)
    )
    assert "points" not in plain.render(report) and "score: 1 of 2." in plain.render(report)
    assert "points" not in github.markdown(report) and "max_score" not in junit.render(report, {"ex1": "x"})
    result = json.loads(classroom50.render(report, CLASSROOM, NOON))
    assert (result["score"], result["max-score"]) == (1, 2)


# --- the command -------------------------------------------------------------------------------------

Ran = subprocess.CompletedProcess[str]


def grader(folder: Path, *args: str, **env: str) -> Ran:
    return command.grader(*args, cwd=folder, **env)


POLICY = """
[points]
default = 0
ex2 = 8
[late]
deadline = 2026-11-20T12:00:00Z
per_day = 0.25
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "work").mkdir()
    (tmp_path / "work/ex2.py").write_bytes((ROOT / "solutions/ex2.py").read_bytes())
    return tmp_path


def test_check_by_a_policy(folder: Path) -> None:
    by = ("check", "ex2", "--submission", "work/ex2.py", "--policy", "policy.toml", "--time")
    ran = grader(folder, *by, "2026-11-20T12:00:00Z")
    assert ran.returncode == PASSED and "score: 8 of 8 points. All passed." in ran.stdout
    ran = grader(folder, *by, "2026-11-21T13:00:01+01:00", "--json")
    told = json.loads(ran.stdout)
    assert (told["score"], told["max_score"], told["passed"]) == (4, 8, True)
    assert told["exercises"][0]["deductions"] == ["4 less for 2 days late"]
    (folder / "policy.toml").write_text(POLICY.replace("2026-11-20", "2020-11-20"))
    ran = grader(folder, *by[:-1])
    assert "score: 0 of 8 points" in ran.stdout and "counted as submitted now" in ran.stdout


def test_policy_check_and_template(folder: Path) -> None:
    told = grader(folder, "policy", "check", "policy.toml", "ex2", "ex3")
    assert told.returncode == PASSED and re.search(r"ex2 +8 points, 1 item\n +ex2.dlogits +8\n", told.stdout)
    assert "25% less for each day begun after 2026-11-20T12:00:00+00:00" in told.stdout
    template = grader(folder, "policy", "template")
    assert template.returncode == PASSED and template.stdout == TEMPLATE
    (folder / "bad.toml").write_text("[points]\nex22 = 1\nex2 = -1\n")
    ran = grader(folder, "policy", "check", "bad.toml")
    assert (
        ran.returncode == USAGE
        and ran.stderr.count("\n") == 2
        and ran.stderr.count("grader: bad.toml: ") == 2
    )
    ran = grader(folder, "check", "ex2", "--submission", "work/ex2.py", "--policy", "bad.toml")
    assert ran.returncode == USAGE and ran.stderr.count("\n") == 1
    assert ran.stderr.endswith("(1 more: `grader policy check bad.toml`)\n")


def test_a_student_s_own_repository_sets_no_points(folder: Path) -> None:
    """No policy is looked for; one in the checkout that a service grades is refused, also behind a link."""
    work = folder / "work"
    for name in ("policy.toml", "grader.toml", ".grader.toml", "grader-policy.toml"):
        (work / name).write_text("[points]\nex2 = 1000\n")
    plain_run = grader(work, "check", "ex2", "--submission", "ex2.py")
    assert plain_run.returncode == PASSED and "score: 1 of 1. All passed." in plain_run.stdout
    (folder / "link.toml").symlink_to(work / "policy.toml")
    for path in ("policy.toml", "../work/policy.toml", "../link.toml"):
        ran = grader(work, "check", "ex2", "--submission", "ex2.py", "--junit", "j.xml", "--policy", path)
        assert ran.returncode == USAGE and "keep it where only you write" in ran.stderr
        assert ran.stderr.count("\n") == 1 and not ran.stdout and not (work / "j.xml").exists()
    more = ("--policy", "../policy.toml", "--time", "2026-11-20T12:00:00Z")
    ran = grader(work, "check", "ex2", "--submission", "ex2.py", "--junit", "j.xml", *more)
    assert ran.returncode == PASSED and "score: 8 of 8 points" in ran.stdout
    assert 'name="score" value="8"' in (work / "j.xml").read_text()


@pytest.mark.parametrize(
    "args, said",
    [
        (["--time", "2026-11-20T12:00:00Z"], "name it with --policy"),
        (["--policy", "policy.toml", "--time", "yesterday"], "--time 'yesterday' is no time"),
        (["--policy", "policy.toml", "--time", "2026-11-20"], "has no offset from UTC"),
        (["--policy", "nowhere.toml"], "nowhere.toml does not exist"),
        (["--policy", "open.toml"], "late.deadline is missing"),
    ],
)
def test_slips_are_one_line(folder: Path, args: list[str], said: str) -> None:
    (folder / "open.toml").write_text("[late]\nper_day = 0.1\n")
    ran = grader(folder, "check", "ex2", "--submission", "work/ex2.py", *args)
    assert ran.returncode == USAGE and said in ran.stderr and ran.stderr.count("\n") == 1


def test_a_class_by_a_policy(tmp_path: Path) -> None:
    """Two weeks of submissions: the best of two counts, and late ones lose."""
    write(tmp_path / "week1", {"ada.py": right("1"), "bob.py": wrong("1")})
    write(tmp_path / "week2", {"ada.py": wrong("2"), "eve.py": right("3")})
    late = "[late]\ndeadline = 2026-11-20T12:00:00Z\nper_day = 0.5\n"
    rules = f'[points]\nex1 = 13\n{late}[attempts]\ncounts = "{{}}"\n'
    (tmp_path / "best.toml").write_text(rules.format("best"))
    (tmp_path / "last.toml").write_text(rules.format("last"))
    (tmp_path / "times.csv").write_text("Student,time\neve,2026-11-20T13:00:00Z\nzoe,2026-11-20T13:00:00Z\n")
    command = ("batch", "week1", "week2", "--exercise", "ex1", "--out", "out", "--workers", "1")
    ran = grader(tmp_path, *command, "--policy", "best.toml", "--times", "times.csv")
    assert ran.returncode == FAILED and "3 submissions have no time" in ran.stdout
    assert "--times times.csv: nobody here is called zoe\n" in ran.stdout
    rows = {(r["student"], r["submission"].split("/")[0]): r for r in grades(tmp_path / "out")}
    assert {k: (r["score"], r["max_score"]) for k, r in rows.items()} == {
        ("ada", "week1"): ("13", "13"), ("bob", "week1"): ("12.5", "13"),
        ("ada", "week2"): ("12.5", "13"), ("eve", "week2"): ("6.5", "13"),
    }  # fmt: skip
    assert rows["ada", "week2"]["note"] == "attempt 2 of 2 does not count: attempt 1 does"
    assert rows["eve", "week2"]["late"] == "yes"
    (tmp_path / "book.csv").write_text(
        "Student,ID,Section,Work (1)\nPoints Possible,,,13\n" + "".join(f"{n},{n},A,\n" for n in "123")
    )
    keys = {r["student"]: r for r in results(tmp_path / "out") if r["counts"]}
    assert set(keys) == {"ada", "bob", "eve"} and keys["ada"]["score"] == 13
    assert earned(results(tmp_path / "out"))[0] == {
        "ada": Grade(13, 13), "bob": Grade(12.5, 13), "eve": Grade(6.5, 13)
    }  # fmt: skip
    again = grader(tmp_path, *command, "--policy", "last.toml")
    assert again.returncode == FAILED
    assert earned(results(tmp_path / "out"))[0]["ada"] == Grade(12.5, 13)
    assert "does not count" in (tmp_path / "out/class.html").read_text()
    grader(tmp_path, *command)  # without one: items, and two of ada's, of which nobody says which counts
    found, left = earned(results(tmp_path / "out"))
    assert found == {"bob": Grade(25, 26), "eve": Grade(26, 26)}
    assert left == {"ada": "ex1 is there twice: a policy's [attempts] says which counts"}


def test_gradescope_s_export_tells_the_times(tmp_path: Path) -> None:
    people = "".join(
        f"submission_{n}:\n  :submitters:\n  - :name: {name}\n  :created_at: {at}\n"
        for n, name, at in (
            (1, "Ada", "2026-11-20 11:59:59.123456000 Z"),
            (2, "Bob", "2026-11-20 13:00:00 +0000"),
        )
    )
    top = tmp_path / "export"
    source = (ROOT / "solutions/ex2.py").read_text()
    write(
        top, {"submission_metadata.yml": people, "submission_1/ex2.py": source, "submission_2/ex2.py": source}
    )
    (tmp_path / "p.toml").write_text(POLICY)
    ran = grader(tmp_path, "batch", "export", "--out", "out", "--policy", "p.toml", "--workers", "1")
    assert ran.returncode == PASSED, ran.stderr
    assert [(r["name"], r["score"], r["late"]) for r in grades(tmp_path / "out")] == [
        ("Ada", "8", "no"), ("Bob", "6", "yes")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line, said", [("eve,soon", "line 2: 'soon' is no time"), ("eve", "line 2: '' is no time")]
)
def test_times_that_can_t_be_read(tmp_path: Path, line: str, said: str) -> None:
    write(tmp_path / "up", {"eve.py": right()})
    (tmp_path / "p.toml").write_text(POLICY)
    (tmp_path / "times.csv").write_text(f"student,submitted\n{line}\n")
    command: list[str | Path] = [
        GRADER,
        "batch",
        "up",
        "--exercise",
        "ex1",
        "--out",
        "out",
        "--policy",
        "p.toml",
        "--times",
        "times.csv",
    ]
    ran = subprocess.run(command, cwd=tmp_path, env=environ(), capture_output=True, timeout=DEADLINE)
    assert ran.returncode == USAGE and said in one_line(ran)
