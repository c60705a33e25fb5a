"""Exercises and a grader for people who learn backpropagation by hand.

In a notebook or a REPL: `from grader import cmp, check`. In a program: `from grader import grade`, whose
`Report` holds a `Verdict` for each item; `UsageError` and `GraderFault` are what it raises.
All else is the command's own, and may change with any version.
"""

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from grader.api import grade
    from grader.errors import GraderFault, UsageError
    from grader.notebook import check, cmp
    from grader.verdict import Report, Verdict

__version__ = "0.2.0"
__all__ = ["GraderFault", "Report", "UsageError", "Verdict", "__version__", "check", "cmp", "grade"]

_HOMES = {
    "GraderFault": "errors",
    "Report": "verdict",
    "UsageError": "errors",
    "Verdict": "verdict",
    "check": "notebook",
    "cmp": "notebook",
    "grade": "api",
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is asked for, so that the command line doesn't pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"grader.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
