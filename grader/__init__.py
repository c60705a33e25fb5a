"""Exercises and a grader for people who learn backpropagation by hand.

In a notebook or a REPL: `from grader import cmp, check, draw`. In a program: `from grader import grade`,
whose `Report` holds a `Verdict` for each item; `UsageError` and `GraderFault` are what it raises.
All else is the command's own, and may change with any version.
"""

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from grader.core.errors import GraderFault, UsageError
    from grader.core.verdict import Report, Verdict
    from grader.learner.api import grade
    from grader.learner.draw import draw
    from grader.learner.notebook import check, cmp

__version__ = "0.2.0"
__all__ = ["GraderFault", "Report", "UsageError", "Verdict", "__version__", "check", "cmp", "draw", "grade"]

_HOMES = {
    "GraderFault": "core.errors",
    "Report": "core.verdict",
    "UsageError": "core.errors",
    "Verdict": "core.verdict",
    "check": "learner.notebook",
    "cmp": "learner.notebook",
    "draw": "learner.draw",
    "grade": "learner.api",
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is asked for, so that the command line doesn't pay for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"grader.{_HOMES[name]}"), name)
    if name in ("check", "cmp"):  # from now on it is known which cells have run
        import_module("grader.learner.cells").here()
    return found


def load_ipython_extension(ip: object) -> None:
    """`%load_ext grader` in a notebook: cmp, check, draw, and `%%check dh` before a cell's code."""
    from grader.learner.magic import load

    load(ip)


def __dir__() -> list[str]:
    return __all__
