"""How a command can end early (the user's slip, the grader's own fault), and a file that can't be graded."""

from __future__ import annotations

TYPE_CHECKING = False  # what the command's client imports is little: each import costs it
if TYPE_CHECKING:
    from types import TracebackType


class UsageError(Exception):
    """What a user got wrong, in one line that names the thing and the repair. Exit code 2."""


class GraderFault(Exception):
    """The grader can't do its work (a damaged fixture, a process that broke). Exit code 3."""


class Unreadable(Exception):
    """A submission's file can't be taken, and why, in a few words that follow its name."""


def swallowed(what: str) -> None:
    """Log the exception that is being handled, an error of our own that may cost no more than `what`.

    Nobody sees it unless GRADER_TRACEBACK is set, or something else listens to the logger "grader".
    """
    import logging

    logger = logging.getLogger("grader")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.warning("an error cost %s", what, exc_info=True)


class swallowing:
    """A block that only adds to a verdict and must not cost it. A submission too deep to read is no error."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> bool:
        if isinstance(error, Exception) and not isinstance(error, RecursionError | MemoryError):
            swallowed(self.what)
        return isinstance(error, Exception)
