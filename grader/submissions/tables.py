"""Small tables that an instructor names: of teams, times, a roster, remarks."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from grader.core.errors import UsageError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as Blackboard gives out its gradebook


def table(path: str | Path, option: str) -> list[tuple[int, list[str]]]:
    """The rows of a CSV with their lines' numbers, its separator found; UsageError where it can't be read."""
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
        sample = text.partition("\n")[0]
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=sample.count))
        return [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{option} {path} can't be read: {error}") from None
