"""The slips of the pen, a row each: how likely one is, what is said of it, and what that rests on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

KNOWN = "known"  # the kind of a mistake that is written down, with its sentence
RARE = 99
SAME, DROPPED, EXCHANGED = "same", "dropped", "exchanged"


@dataclass(frozen=True)
class Slip:
    """One kind of change.

    sentence: what whoever made it is told; `{m}` is a `sentences.Told`. rank: where several slips give one
    value, that of the least is told. uses: whose names he must have used: of "piece" or "old" those whose
    values count, of "new" or "power" all. output: what is said of an output's values. SAME is the sentence;
    DROPPED and EXCHANGED are it too where what it names is known, EXCHANGED of approximate ones alone; else
    it is a sentence, and nothing where it is empty.
    """

    sentence: str
    rank: int = RARE
    uses: str = ""
    output: str = ""


TABLE = Path(__file__).parents[2] / "data" / "slips.toml"
SLIPS = {kind: Slip(**row) for kind, row in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()}
