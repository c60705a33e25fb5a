"""The notebooks and scripts of tests/notebooks: read, built, and what they declare.

Each is a `.py` with `# %%` cells. `#: forward` puts in a part (of parts/) whole; `#: ex1 dh..db2` its
statements from one name to another; `old -> new; …` after it replaces text; `with dL_` prefixes every
gradient's name; each further colon indents by four. On top stand the declarations:

    # as: script                          the form: notebook (the default), script, colab, crlf
    # expect: ex1, ex2 pass               verdicts; a later line about one item overrides
    # expect: ex1.dC wrong, wrong-shape   any of these
    # expect-text: ex1.dC some words      what the report says of it
    # strict: ex1.dC wrong                the verdict under --strict
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).with_name("notebooks")
PARTS = {p.stem: p.read_text(encoding="utf-8") for p in (HERE / "parts").glob("*.py")}
SOURCES = sorted(HERE.glob("*.py"))
READY = sorted(HERE.glob("*.ipynb"))
PASS = ("exact", "approximate")
PUT_IN = re.compile(r"^#(:+) (\w+)(?: (\w+)\.\.(\w+))?(?: (.+))?$", re.M)
DECLARED = re.compile(r"^# (as|expect|expect-text|strict): (.+)\n", re.M)


@dataclass
class Declared:
    """form: what to build. verdicts: by exercise or item, any of these. texts: (item, words)."""

    form: str = "notebook"
    verdicts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strict: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def wanted(self, item: str) -> tuple[str, ...]:
        """The verdicts that an item, `ex1.dC`, may get."""
        return self.verdicts.get(item) or self.verdicts[item.split(".")[0]]


def declared(text: str) -> Declared:
    out = Declared()
    for kind, what in DECLARED.findall(text):
        if kind == "as":
            out.form = what
        elif kind == "expect-text":
            item, words = what.split(" ", 1)
            out.texts.append((item, words))
        else:
            words = re.split(r",? +", what)
            names = [w for w in words if re.match(r"ex\d", w)]
            verdicts = tuple(v for w in words if w not in names for v in (PASS if w == "pass" else (w,)))
            table = out.verdicts if kind == "expect" else out.strict
            table.update(dict.fromkeys(names, verdicts))
    return out


def code(text: str) -> str:
    """A source with its parts put in and its declarations taken out."""
    return PUT_IN.sub(_part, DECLARED.sub("", text))


def _part(match: re.Match[str]) -> str:
    depth, name, first, last, more = match.groups()
    lines = PARTS[name].rstrip("\n").split("\n")
    if first:
        heads = [i for i, line in enumerate(lines) if re.match(first + r"\b", line)]
        tails = [i for i, line in enumerate(lines) if re.match(last + r"\b", line)]
        end = tails[-1] + 1
        while end < len(lines) and lines[end].startswith((" ", "for ")):
            end += 1
        lines = lines[heads[0] : end]
    text = "\n".join(lines)
    if more and re.fullmatch(r"with \w+", more):
        tensors = re.findall(r"^(\w+) = ", PARTS["forward"], re.M) + [
            "C",
            "W1",
            "b1",
            "W2",
            "b2",
            "bngain",
            "bnbias",
        ]
        text = re.sub(rf"\bd({'|'.join(tensors)})\b", more.removeprefix("with ") + r"d\1", text)
    elif more:
        for change in more.split("; "):
            old, new = change.split(" -> ")
            assert old in text, f"{old} is not in {name}"
            text = text.replace(old, new)
    indent = "    " * (len(depth) - 1)
    return "\n".join(indent + line if line else line for line in text.split("\n"))


def cells(text: str) -> list[tuple[str, str]]:
    """(kind, source) of each `# %%` cell."""
    found = []
    for part in re.split(r"^# %%", "\n" + text, flags=re.M):
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            found.append(("markdown", re.sub(r"^# ?", "", body.strip("\n"), flags=re.M)))
        elif body.strip():
            found.append(("code", body.strip("\n")))
    return found


def notebook(parts: list[tuple[str, str]], form: str = "notebook") -> dict[str, Any]:
    out = []
    for number, (kind, source) in enumerate(parts):
        cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
        if kind == "code":
            cell |= {"execution_count": 7 * number % 11, "outputs": []}
        if form == "colab":
            cell["metadata"] = {"id": f"x{number}", "colab": {"base_uri": "https://localhost:8080/"}}
        else:
            cell["id"] = f"cell-{number}"
        out.append(cell)
    metadata: dict[str, Any] = {"kernelspec": {"display_name": "Python 3", "language": "python"}}
    if form == "colab":
        metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}, "accelerator": "GPU"}
    return {"cells": out, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5 if form != "colab" else 0}


def built(text: str) -> tuple[str, bytes]:
    """The name and the bytes of the submission that a source of tests/notebooks stands for."""
    form, source = declared(text).form, code(text)
    if form == "script":
        return "notebook.py", source.encode()
    if form == "crlf":
        source = source.replace("\n", "\r\n")
    document = notebook(cells(source.replace("\r\n", "\n")), form)
    if form == "crlf":
        for cell in document["cells"]:
            cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return "notebook.ipynb", json.dumps(document).encode()


def verdicts(reports: Mapping[str, Any]) -> dict[str, str]:
    return {i.id: i.verdict.value for report in reports.values() for i in report.items}
