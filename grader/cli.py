"""The command: dispatch, exit codes. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import errno
import os
import sys

from grader.core.errors import GraderFault, UsageError

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from collections.abc import Sequence

PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    from importlib import import_module

    from grader.commands.arguments import no_command, parser

    words = list(sys.argv[1:] if argv is None else argv)
    if not words:  # the guided mode; in a pipe, where nobody presses keys, what there is
        words = ["watch"] if _at_a_terminal() else ["--help"]
    top = parser()
    if wrong := no_command(top, words[0]):
        _say(wrong)
        return USAGE
    args = top.parse_args(words)
    try:
        module, _, function = args.run.partition(".")
        return int(getattr(import_module(f"grader.commands.{module}"), function)(args))
    except (UsageError, GraderFault) as error:
        from grader.core.text import text

        _say(text(str(error), 4000))
        return USAGE if isinstance(error, UsageError) else FAULT
    except KeyboardInterrupt:
        return 130


def _say(what: str) -> None:
    from grader.commands.prose import wrapped

    what = f"grader: {what}"
    print(wrapped(what) if sys.stderr.isatty() else what, file=sys.stderr)


def _at_a_terminal() -> bool:
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())


def served(argv: list[str]) -> int | None:
    """The exit code of a command that the background server answered; None where it didn't."""
    from grader.commands.background import client

    try:
        answer = client.check(argv) if client.wanted(argv) else None
    except KeyboardInterrupt:
        return 130
    if answer is None:
        return None
    code, out, err = answer
    sys.stderr.write(err)
    sys.stdout.buffer.write(out)
    return code


def entry() -> None:
    """The console script. Leaves without the interpreter's tear-down, which costs as much as a check."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        if getattr(sys, name).errors in ("strict", "surrogateescape"):
            getattr(sys, name).reconfigure(errors="replace")  # its encoding may lack ×
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if os.environ.get("GRADER_TRACEBACK"):
        import logging

        logging.getLogger("grader").addHandler(logging.StreamHandler())
    code = FAULT
    try:
        try:
            answered = served(sys.argv[1:]) if sys.argv[1:2] == ["check"] else None
            code = main() if answered is None else answered
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else USAGE
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        code = FAILED
    except OSError as error:
        code = FAULT
        full = error.errno == errno.ENOSPC and not error.filename
        what = f"the output can't be written: {error.strerror}" if full else error
        print(f"grader: {what}", file=sys.stderr)
    except Exception as error:
        if os.environ.get("GRADER_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {error}".split("\n")[0]
        print(f"grader: its own fault: {what} (GRADER_TRACEBACK=1 tells where)", file=sys.stderr)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    entry()
