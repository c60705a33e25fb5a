"""Sources are parsed by many threads at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import DEADLINE

from grader.diagnosis import syntax

# The collector runs often, and lets another thread in each time.
CROWD = """
import gc, sys, threading, time
from grader.diagnosis import syntax
gc.set_threshold(50)
gc.callbacks.append(lambda *a: time.sleep(0))
sys.setswitchinterval(1e-6)
source = b"x = [" + b"a + b * (c - d)," * 2000 + b"]"
def parse():
    for n in range(8):  # each another one, since the last are kept
        syntax.tree(source + b"# %d %d" % (n, threading.get_ident()))
def work():
    try:
        parse()
    except SystemError as error:
        print(error)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
"""


def test_a_source_that_is_none_or_too_much_has_no_statements() -> None:
    assert len(syntax.tree(b"x = 1\n").body) == 1
    assert syntax.tree(b"x = 1\n") is syntax.tree(b"x = 1\n")  # read once for all items
    for source in (b"x = ", b"x = \0", b"(" * 500, b"x = [" + b"a," * 50_000 + b"]\n"):
        assert syntax.tree(source).body == []


@pytest.mark.slow
def test_a_good_source_is_parsed_whatever_other_threads_parse() -> None:
    ran = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, timeout=DEADLINE)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
