"""What a cell shows below its output: as HTML in Jupyter, as text elsewhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any


def shell() -> Any:
    """IPython's shell, None elsewhere."""
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def here() -> bool:
    """Whether what is displayed here shows as HTML."""
    return getattr(shell(), "kernel", None) is not None


def show(result: object) -> None:
    """Display what has both forms."""
    if here():
        from IPython.display import display

        display(result)  # type: ignore[no-untyped-call]
    else:
        print(repr(result))


@dataclass(frozen=True, repr=False)
class Compared:
    """The row under a line of `cmp`. pictures: as `cell.compared` takes them."""

    sort: str
    said: str
    pictures: tuple[tuple[str, Any, float], ...]

    def __repr__(self) -> str:
        return f"  {self.sort}" + (f": {self.said}" if self.said else "")

    def _repr_html_(self) -> str:
        from grader.reports.cell import compared

        return compared(self.sort, self.said, self.pictures)
