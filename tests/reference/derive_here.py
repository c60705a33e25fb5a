"""`python derive_here.py ROOT THREADS EXERCISE...`: derive with the kernels of this process's environment.

What `grader build --check` does in the environment that it makes for itself, done in the one that is given.
First it shows that the environment matters: exit 3 where every tensor of every exercise that is derived with
nothing kept has the saved bytes (a processor's kernels may well agree on one exercise).
"""

from __future__ import annotations

import sys
from pathlib import Path

import safetensors.torch
import torch

from grader.authoring import kept, rebuild
from grader.authoring.build import derive
from grader.suite import fixtures


def other_bytes(root: Path, exercise: str) -> list[str]:
    """The tensors that have other bytes than the saved where nothing is kept."""
    source = root.joinpath("solutions", *exercise.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    saved = kept.read(root, exercise).fixtures
    found = []
    for path, data in derive(source, exercise, tell=lambda line: None).items():
        name, _, part = Path(path).name.removesuffix(".safetensors.gz").partition(".")
        if part in ("given", "reference"):
            before = safetensors.torch.load(saved[name].raw[part])
            for k, v in safetensors.torch.load(fixtures.unpacked(data)).items():
                if k not in before or v.numpy().tobytes() != before[k].numpy().tobytes():
                    found.append(f"{name}: {k}")
    return found


def main(argv: list[str]) -> int:
    root, threads, exercises = Path(argv[0]), int(argv[1]), argv[2:]
    torch.set_num_threads(threads)
    if not any(other_bytes(root, exercise) for exercise in exercises):
        return 3
    return rebuild.main([str(root), "check", *exercises])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
