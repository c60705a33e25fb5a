"""`grader gradescope-zip`: the autograder that Gradescope takes, with all that it needs."""

from __future__ import annotations

import argparse
import contextlib
import email
import importlib.metadata
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from grader.authoring.handout import wheel
from grader.commands.policy import load
from grader.commands.probes import seed_of, suite_of
from grader.core.errors import UsageError
from grader.suite.files import replaced, writable
from grader.suite.find import Suite, find, read_submission, targets

DATA = Path(__file__).parent.parent / "data"
BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name


def run(args: argparse.Namespace) -> int:
    own = find()
    suite = suite_of(args, own)
    seed_of(args, for_others=True)
    out = writable(Path(args.out), "--out")
    exercises = wanted(suite, args.targets)
    without = _known(args.without or [])
    policy = load(suite, args.policy) if args.policy else None
    name, packed = _wheel(own, args.wheel, exercises)
    options = [*exercises, "--prefix", args.prefix, "--visibility", args.visibility]
    options += [word for layer in without for word in ("--without", layer)]
    files = {
        "constraints.txt": constraints(packed),
        name: packed,
        "setup.sh": _script(
            "gradescope-setup.sh",
            PREFIX=shlex.quote(args.prefix),
            WHEEL=shlex.quote(name),
            INDEX=shlex.quote(args.torch_index or ""),
        ),
    }
    if args.probes:
        options += ["--probes", args.probes]
    if args.fixtures:
        options += ["--fixtures", f"{args.prefix}/source/private"]
        found = (path for path in Path(args.fixtures).rglob("*") if path.is_file())
        files |= {f"private/{p.relative_to(args.fixtures).as_posix()}": p.read_bytes() for p in found}
    elif args.probes != "saved" and (outputs := [e for e in exercises if suite.describe(e).outputs]):
        print(f"outputs rest on saved probes there: {', '.join(outputs)} (--fixtures takes a private set)")
    if args.policy:
        options += ["--policy", f"{args.prefix}/source/policy.toml"]
        files["policy.toml"] = read_submission(Path(args.policy))
    from grader.reports.services import gradescope

    files["run_autograder"] = _script(
        "gradescope-run",
        PREFIX=shlex.quote(args.prefix),
        FAULT=json.dumps(gradescope.fault("It was ended before it could say more."), indent=1),
        OPTIONS=shlex.join(options),
    )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "autograder.zip")
        _zip(made, files)
        replaced(out, made.read_bytes())
    print(f"{out} is written: {', '.join(exercises)}; {_points(suite, exercises, policy)} points, which")
    print("the assignment's settings must name. Let it have 1.5 GB of memory or more.")
    if args.visibility != "visible":
        print(f"visibility {args.visibility}: until then students see no test, and not their total either")
    return 0


def wanted(suite: Suite, words: list[str]) -> list[str]:
    found = targets(suite, words)
    if item := next((t for t in found if t.item), None):
        raise UsageError(
            f"{item.exercise}.{item.item}: an autograder grades whole exercises; a policy has points"
        )
    return list(dict.fromkeys(t.exercise for t in found))


def _known(layers: list[str]) -> list[str]:
    from grader.runner.wire import LAYERS

    for layer in layers:
        if layer not in LAYERS:
            raise UsageError(f"--without {layer}: the layers are {', '.join(LAYERS)}")
    return layers


def _points(suite: Suite, exercises: list[str], policy: object) -> object:
    from grader.core.verdict import points
    from grader.judging.points.policy import Policy
    from grader.suite.find import item_names

    items = [f"{e}.{name}" for e in exercises for name in item_names(suite.describe(e))]
    return points(sum(policy.worth[i] for i in items)) if isinstance(policy, Policy) else len(items)


def constraints(wheel: bytes) -> bytes:
    """What the wheel needs, at the versions that are installed here."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        about = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(about))
    lines = []
    for needed in metadata.get_all("Requires-Dist", []):
        name = re.match(r"[\w.-]+", needed)
        if name and "extra ==" not in needed:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                version = importlib.metadata.version(name[0]).split("+")[0]  # without the build's own part
                lines.append(f"{name[0]}=={version}\n")
    return "".join(sorted(lines, key=str.lower)).encode()


def _script(name: str, **values: str) -> bytes:
    text = (DATA / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()


def _zip(path: Path, files: dict[str, bytes]) -> None:
    """The same bytes for the same files: no time, no order of a folder, no compressor's version."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, BEGINNING)
            info.create_system = 3  # Unix, whose modes stand in there
            executable = name in ("setup.sh", "run_autograder")
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(info, files[name])


def _wheel(suite: Suite, named: str | None, exercises: list[str]) -> tuple[str, bytes]:
    """The grader's wheel, built where none is named. UsageError where it is none, or lacks an exercise."""
    if named:
        return wheel.NAME, wheel.verified(Path(named), exercises)
    if not (suite.root / "pyproject.toml").is_file():
        raise UsageError(
            "there is no checkout to build the wheel from: name with --wheel what was installed here"
        )
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(suite.root)]
        made = subprocess.run(pip, capture_output=True, text=True)
        wheels = sorted(Path(folder).glob("*.whl"))
        if made.returncode or len(wheels) != 1:
            last = (made.stderr.strip() or "pip said nothing").split("\n")[-1]
            raise UsageError(f"the wheel can't be built ({last}): name one with --wheel")
        return wheel.NAME, wheel.verified(wheels[0], exercises)
