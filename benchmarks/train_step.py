"""A training step with the solution's gradients as a ratio of autograd's, in one interleaved run.

Usage: python benchmarks/train_step.py [STEPS]. The aim is 0.7 or less.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(steps: int = 5000) -> None:
    grader = Path(sys.executable).parent / "grader"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(grader), "train", "ex4", "--submission", "solutions/ex4.py", "--steps", str(steps)]
        command += ["--out", str(Path(folder) / "loss.svg")]
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    print("\n".join(line for line in out.splitlines() if "step" in line))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
