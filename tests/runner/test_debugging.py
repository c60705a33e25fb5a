"""What there is to debug the grader's processes with: whole tracebacks, and a child's run in the open."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from grader.core.errors import GraderFault
from grader.runner.host.client import Runner

STOPS = "def dprobs(probs, dlogprobs, n):\n    breakpoint()\n    return (1.0 / probs) * dlogprobs\n"


def here(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """scripts/run_here.py with something typed at its input."""
    command = [sys.executable, str(ROOT / "scripts/run_here.py"), *words]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=120)


def sent(text: str) -> list[dict[str, Any]]:
    """The records in what it printed; the first may stand behind a debugger's prompt."""
    return [json.loads(line) for line in re.findall(r'{".*}$', text, re.MULTILINE)]


@pytest.mark.parametrize("told", [False, True])
def test_a_traceback_of_the_zygote_is_told_where_it_is_asked_for(
    told: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A message without its descriptors, which no client sends, ends the zygote."""
    monkeypatch.setenv("GRADER_TRACEBACK", "1" if told else "")
    with Runner() as runner:
        runner.starter.control.sendmsg([b"."])
        with pytest.raises(GraderFault, match="^the computing process ended: IndexError: .*$"):
            runner.trial()
    written = capfd.readouterr().err
    assert ("Traceback (most recent call last):" in written and "in message" in written) == told


def test_a_child_runs_here_and_stops_at_a_breakpoint(tmp_path: Path) -> None:
    """The records of a child, in its order; the terminal is the debugger's."""
    (tmp_path / "ex1.py").write_text(STOPS)
    ran = here(str(tmp_path / "ex1.py"), "ex1.dprobs", "probe-2", stdin="p 'n is', n\nc\n")
    off, loaded, record, end = sent(ran.stdout)
    assert len(off["off"]) == 6 and loaded["loaded"] and end["end"], ran.stderr
    assert (record["fixture"], record["status"], record["reads"]) == ("probe-2", "value", ["dlogprobs"])
    assert record["bytes"] == 4 * record["shape"][0] * record["shape"][1]
    assert f"('n is', {record['shape'][0]})" in ran.stdout


def test_flat_code_runs_here_too(tmp_path: Path) -> None:
    flat = "logprobs = 1\ndlogprobs = -(logprobs + torch.zeros_like(logprobs))\nprint(dlogprobs.shape)\n"
    (tmp_path / "mine.py").write_text(flat)
    ran = here(str(tmp_path / "mine.py"), "ex1")
    items = {r["item"]: r["status"] for r in sent(ran.stdout) if "item" in r}
    assert items.pop("dlogprobs") == "value" and set(items.values()) == {"not-written"}, ran.stderr
