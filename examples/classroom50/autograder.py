"""Classroom 50: `CLASSROOM/autograders/ASSIGNMENT/autograder.py`, or `CLASSROOM/autograder.py` for all.

The runner calls it in the student's checkout, with what it has to know in the environment. It needs the
grader in the runner's Python: in the assignment's `runtime`, name a container that has it, or let a set-up
step run `pip install torch`, from the index of builds without CUDA if you like, and
`pip install "$GRADER_WHEEL"`, the wheel's address with its digest (docs/install.md). The grader brings its
own fixtures; of the checkout it reads one file.
"""

import subprocess
import sys

SUBMISSION = "exercises/ex1.py"  # what the students edit
EXERCISE = "ex1"

# -I: nothing in the checkout can be imported in place of the grader or of a module of Python's.
command = [sys.executable, "-I", "-m", "grader.cli", "check", EXERCISE, "--submission", SUBMISSION]
options = ["--require-sandbox", "--no-server", "--classroom50", "result.json"]
sys.exit(subprocess.run([*command, *options], check=False).returncode)
