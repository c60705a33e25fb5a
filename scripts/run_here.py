"""Run a submission as a child does, but in this process: to debug the child's code, or the submission.

    python scripts/run_here.py FILE EXERCISE[.ITEM] [FIXTURE]
    python scripts/run_here.py --cut FILE EXERCISE[.ITEM]

What the child would send is printed, a record a line, its values left out. `breakpoint()` works anywhere, in
FILE and in grader/runner/ too: the terminal is yours. Nothing is confined: it is for files that you trust.
--cut runs nothing, and prints the functions that are cut out of flat code.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import grader.suite.find as suite
from grader.core.exercise import File, sizes
from grader.reference.reproducible import environment
from grader.runner import wire
from grader.submissions.script import script
from grader.suite import fixtures

os.environ.update(environment())  # before torch is imported


def main(path: str, target: str, name: str = "lecture", cut: bool = False) -> None:
    import safetensors.torch

    from grader.reference import values
    from grader.runner.untrusted import asking, child
    from grader.submissions.flat import cut as flat
    from grader.submissions.flat import renames, statements

    here = suite.find()
    wanted = suite.targets(here, [target])[0]
    exercise = here.describe(wanted.exercise)
    items = [wanted.item] if wanted.item else [item.name for item in exercise.items]
    code = script(File(path, suite.read_submission(Path(path))), exercise)
    renames.prepare(exercise)
    if cut:
        found = flat.read(statements.parse(code.source.decode()), exercise, code.flat or None)
        for item in items:
            function = found.functions.get(item)
            why = "" if function else f"# {item}: {found.missing[item][0].text}"
            print(ast.unparse(function) if function else why, end="\n\n")
        return
    given = fixtures.read(here.root, exercise).given[name]
    settings = next(entry.settings for entry in exercise.fixtures if entry.name == name)
    tensors = sizes(settings) | values.unpacked(safetensors.torch.load(given))
    asking.POLICY.install()
    terminal = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as result:
        job = child.Job(exercise, {name: tensors}, tuple(items), flat=code.flat)
        child.main([job], code.source, path, child.Ends(result.fileno()), wire.LAYERS)
        for fd, kept in enumerate(terminal, 1):  # the child silences a submission after its first fixture
            os.dup2(kept, fd)
        result.seek(0)
        while length := result.read(wire.LENGTH.size):
            header = result.read(*wire.LENGTH.unpack(length))
            print(header.decode())
            result.seek(json.loads(header)["bytes"], os.SEEK_CUR)


if __name__ == "__main__":
    path, target, *rest = (word for word in sys.argv[1:] if word != "--cut")
    main(path, target, rest[0] if rest else "lecture", "--cut" in sys.argv)
