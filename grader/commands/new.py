"""`grader new`: start an exercise for a network of one's own, or take one that is begun a step further."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.authoring import authored, skeleton
from grader.authoring.item import AuthoredError, assigns
from grader.commands.build import apart
from grader.commands.prose import wrapped
from grader.core.errors import GraderFault, UsageError
from grader.reference.reproducible import environment
from grader.suite.files import replaced
from grader.suite.find import current_folder

TOOL = Path(skeleton.__file__).parent / "network"  # which a student's installation doesn't have
NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_]*)?")


def run(args: argparse.Namespace) -> int:
    name = args.name if "." in args.name else f"{args.name}.ex1"
    if not NAME.fullmatch(name):
        raise UsageError(f"{args.name} is no exercise's name: small letters, such as rnn or rnn.ex1")
    root = current_folder()
    path = root.joinpath("solutions", *name.split(".")).with_suffix(".py")
    shown = path.relative_to(root)
    begun = path.exists()
    if begun and (args.forward or args.model):
        raise UsageError(f"{shown} is there already, and is kept: `grader new {args.name}` takes it further")
    if bool(args.model) != bool(args.example):
        raise UsageError("--model FILE::Class and --example FILE::function go together")
    if args.model and args.forward:
        raise UsageError("--model and --forward are two ways to say the network: give one of them")
    if args.model or args.forward and not args.stubs and _has_inputs(args.forward):
        if TOOL.is_dir():
            return _traced(path, name, args)
        if args.model:
            raise UsageError(
                "--model needs what the grader's own checkout has: pip install -e '.[author]' there"
            )
    if begun:
        text = path.read_text(encoding="utf-8")
    else:
        text = _begun(name, args.forward)
        replaced(path, text.encode())
        print(f"{shown} is written.")
    try:
        return _further(root, path, name, text)
    except AuthoredError as error:
        raise UsageError(str(error)) from None


def _has_inputs(forward: str) -> bool:
    """Whether a file has what a trace runs on; what is amiss with it is told later."""
    try:
        tree = ast.parse(Path(forward.partition("::")[0]).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return False
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    return "inputs" in functions and any(assigns(n, "FIXTURES") for n in tree.body)


def _traced(path: Path, name: str, args: argparse.Namespace) -> int:
    """Write the exercise of a model, or of a function, with the gradients that the table can write."""
    wanted = [word.strip() for word in (args.items or "").split(",") if word.strip()]
    request = {"name": name, "atomic": args.chunk == "atomic", "wanted": wanted, "stubs": args.stubs}
    request |= {"model": args.model, "example": args.example} if args.model else {"forward": args.forward}
    root = current_folder()
    told = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-m", "grader.authoring.network"],
        env={**environment(), "PYTHONPATH": str(TOOL.parents[2]), "PATH": os.environ.get("PATH", "")},
        input=json.dumps(request), text=True, capture_output=True, cwd=root,
    )  # fmt: skip
    if told.returncode == 2:
        first, *more = json.loads(told.stdout)["error"].splitlines()
        print("\n".join(f"grader: {line}" for line in more), file=sys.stderr, end="\n" * bool(more))
        raise UsageError(first)
    if told.returncode:
        raise GraderFault(
            f"looking at the network ended with exit status {told.returncode}: {told.stderr[-300:]}"
        )
    answer = json.loads(told.stdout)
    shown, text = str(path.relative_to(root)), answer["text"]
    replaced(path, text.encode())
    items = skeleton.gradients(text, shown)
    print(f"{shown} is written.")
    written = len(items) - len(skeleton.unwritten(text, shown))
    print(wrapped(f"{len(items)} items, {written} of them written, in backward order: {', '.join(items)}."))
    if answer["left"]:
        print(f"Left to you, {len(answer['left'])}:")
        print("\n".join(f"  {line}" for line in answer["left"]))
    print("\n".join(_next(shown, name, text)))
    return 0


def _begun(name: str, forward: str | None) -> str:
    if not forward:
        return skeleton.begin(name)
    file, _, function = forward.partition("::")
    try:
        source = skeleton.read(file)
    except AuthoredError as error:
        raise UsageError(f"--forward {error}") from None
    try:
        return skeleton.begin(name, source, function or "forward", file)
    except AuthoredError as error:
        raise UsageError(str(error)) from None


def _further(root: Path, path: Path, name: str, text: str) -> int:
    """Add the items where the network runs and has none yet; say what to write next."""
    shown = str(path.relative_to(root))
    if not skeleton.unwritten(text, shown) and not skeleton.gradients(text, shown):
        told = apart(root, "network", name, capture=True)
        if told.returncode == 2:
            raise AuthoredError(told.stderr.strip().removeprefix("grader: "))
        if told.returncode:
            raise GraderFault(f"looking at {shown} ended with exit status {told.returncode}")
        if added := skeleton.items(*authored.network(text, shown), **json.loads(told.stdout)):
            text = "\n\n\n".join([text.rstrip(), *(item.rstrip() for item in added.values())]) + "\n"
            replaced(path, text.encode())
            print(f"{len(added)} items are added, in backward order: {', '.join(added)}.")
    print("\n".join(_next(shown, name, text)))
    return 0


def _next(shown: str, name: str, text: str) -> Iterator[str]:
    """What there is to write, by line, and the command after it."""
    short = name.removesuffix(".ex1")
    todo = skeleton.unwritten(text, shown)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if "TODO" in line]
    lines += [(node.lineno, ast.unparse(node).split("\n")[0].removesuffix(":")) for node in todo]
    items = [node.name for node in todo if node.name != "inputs"]
    if lines:
        yield f"Write next, in {shown}:"
        yield from (f"  line {n:<4} {line.strip()}" for n, line in sorted(lines))
    if "inputs" in {node.name for node in todo}:
        yield f"Then: `grader new {short}` adds an item for each tensor of forward, with its shape."
        return
    if items:
        yield wrapped(
            "An item's body ends in its only `return`. It may ask for any tensor of forward, any size, and "
            "the gradients before it; delete the parameters that it doesn't need, and the items that you "
            "don't want to ask for."
        )
    yield wrapped(
        f"{'Then' if lines else 'Next'}: `grader build {short}` holds your gradients against autograd's and "
        "derives the stub, the notebook and the fixtures."
    )
