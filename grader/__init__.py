"""Exercises and a grader for people who learn backpropagation by hand.

In a notebook or a REPL: `from grader import cmp, check`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.notebook import check, cmp

__version__ = "0.1.0"
__all__ = ["__version__", "check", "cmp"]


def __getattr__(name: str) -> Any:
    if name in ("check", "cmp"):  # only when asked for, so that the command line doesn't pay for them
        from grader import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
