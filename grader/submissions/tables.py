"""Small tables that an instructor names: of teams, times, a roster, remarks."""

from __future__ import annotations

import csv
from pathlib import Path

from grader.core.errors import UsageError


def table(path: str | Path, option: str) -> list[tuple[int, list[str]]]:
    """The rows of a CSV with their lines' numbers, its separator found; UsageError where it can't be read."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            sample = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=sample.count))
            return [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{option} {path} can't be read: {error}") from None
