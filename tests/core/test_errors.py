"""Errors of the grader's own that only cost what adds to a verdict: logged, and seen by who listens."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT

from grader.core.errors import swallowing


def test_an_error_that_is_swallowed_is_logged_with_its_traceback(swallowed: list[str]) -> None:
    with swallowing("the sentence"):
        raise KeyError("dprobs")
    (logged,) = swallowed
    assert logged.startswith("an error cost the sentence\nTraceback") and "KeyError: 'dprobs'" in logged
    swallowed.clear()


def test_what_is_too_deep_to_read_is_no_error() -> None:
    with swallowing("the sentence"):
        raise RecursionError


def test_where_nobody_listens_nothing_is_printed() -> None:
    code = "from grader.core.errors import swallowing\nwith swallowing('it'):\n    1 / 0\nprint('on')"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("on\n", "", 0)
