"""What looks for patterns in a submission's text takes a time that grows as the text does, no faster."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from grader.core.exercise import Task
from grader.core.text import escaped, text
from grader.submissions.flat.compared import WORDS, told_aside
from grader.submissions.flat.sections import TITLE
from grader.submissions.flat.statements import CELL, KEPT, OF_NOTEBOOK, _form_of_grad
from grader.submissions.owners import CANVAS, CANVAS_BLIND, MOODLE, MOODLE_FOLDER, REPEATED
from grader.submissions.script import CHECK, CONFLICT, MAGIC, QUOTED, SHELL, TARGETS, TIMED, is_flat

SMALL, TIMES = 1_000, 16
BOUND = 5 * TIMES  # of what is quadratic: TIMES * TIMES
MATCHED = {
    "MAGIC": MAGIC,
    "TIMED": TIMED,
    "TARGETS": TARGETS,
    "TITLE": TITLE,
    "CELL": CELL,
    "OF_NOTEBOOK": OF_NOTEBOOK,
    "CANVAS": CANVAS,
    "CANVAS_BLIND": CANVAS_BLIND,
    "MOODLE": MOODLE,
    "MOODLE_FOLDER": MOODLE_FOLDER,
    "REPEATED": REPEATED,
}
FOUND = {"QUOTED": QUOTED, "KEPT": KEPT, "WORDS": WORDS}
REPEATED_TEXTS = [  # a beginning, what is said again and again
    ("", "\n"),
    ("", " "),
    ("", "#"),
    ("#", " "),
    ("# exercise", " "),
    ("# exercise #", " "),
    ("cmp(", " "),
    ("# cmp(", "a, "),
    ("", "# cmp()"),
    ("", "a.b = "),
    ("", "['a'] "),
    ("", "cmp("),
    ("", "cmp(a, "),
    ("cmp(,a", ".T"),
    ("cmp(,a", ".cmp(,a)"),
    ("cmp('a',", " "),
    ("", "cmp('a', \n"),
    ("", "\ncmp('a', b,"),
    ("", "_like "),
    ("", ".grad "),
    (".grad", " "),
    ("", "= "),
    ("=", " "),
    ("= ", "a."),
    ("a", "[]"),
    ("a", "["),
    ("", "a,"),
    ("", "a, b = "),
    ("", "'"),
    ("'", '"'),
    ("", "'\\"),
    ("anon_", "1"),
    ("anon_1", "_1"),
    ("", "_1"),
    ("a", "-1"),
    ("a", "-1.a"),
    ("", "- "),
    ("", "1."),
    ("", "a:"),
    ("", "!"),
    ("", "%a\n"),
    ("", "<<<<<<<"),
    ("", "##["),
    ("check('", "a"),
    ("", "check('a"),
    ("", "check('a', globals()"),
    ("", "d = 1;"),
    ("", "\u115f"),
]


def growth(work: Callable[[str], object], begins: str, again: str) -> float:
    """How many times as long `work` takes for TIMES as long a text: processor time, the least of tries."""

    def least(size: int, tries: int) -> float:
        taken = []
        for _ in range(tries):
            given = begins + again * (size // len(again)) + "\0"
            began = time.process_time()
            for _ in range(4):
                work(given)
            taken.append(time.process_time() - began)
        return min(taken)

    return least(SMALL * TIMES, 3) / max(least(SMALL, 9), 2e-5)  # below that a clock's steps are counted


def assert_linear(work: Callable[[str], object]) -> None:
    grown = {f"{b!r} + n * {a!r}": growth(work, b, a) for b, a in REPEATED_TEXTS}
    assert {what: n for what, n in grown.items() if n > BOUND} == {}


@pytest.mark.slow
def test_a_quadratic_pattern_would_be_seen() -> None:
    with pytest.raises(AssertionError, match="n [*] "):
        assert_linear(re.compile(r"^\s*cmp\(", re.MULTILINE).search)


@pytest.mark.parametrize("pattern", MATCHED.values(), ids=MATCHED)
def test_what_begins_a_line_is_found_in_linear_time(pattern: re.Pattern[str]) -> None:
    assert_linear(pattern.match)
    assert_linear(pattern.fullmatch)


@pytest.mark.parametrize("pattern", FOUND.values(), ids=FOUND)
def test_what_stands_anywhere_is_found_in_linear_time(pattern: re.Pattern[str]) -> None:
    assert_linear(pattern.findall)


@pytest.mark.parametrize("pattern", [SHELL, CONFLICT, CHECK], ids=["SHELL", "CONFLICT", "CHECK"])
def test_what_stands_anywhere_in_bytes_is_found_in_linear_time(pattern: re.Pattern[bytes]) -> None:
    assert_linear(lambda given: pattern.findall(given.encode()))


def aside(given: str) -> object:
    return list(told_aside(given.split("\n"), ()))


@pytest.mark.parametrize("work", [_form_of_grad, escaped, text, aside], ids=lambda f: f.__name__)
def test_functions_on_text_are_linear(work: Callable[[str], object]) -> None:
    assert_linear(work)


def test_is_flat_is_linear(exercises: dict[str, Task]) -> None:
    ex1 = exercises["ex1"].exercise
    assert_linear(lambda given: is_flat("loss = 1\n" + given, ex1))
    assert is_flat("loss = 1\n" + "\n" * 2_000_000 + "  cmp('C', dC, C)", ex1)
