"""The manual: what help and man pages say beyond a parser's arguments, as text and as roff.

`data/manual.toml` has it by command. Only a request for help reads it.
"""

from __future__ import annotations

import argparse
import functools
import re
import shutil
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader import __version__

MANUAL = Path(__file__).parents[1] / "data" / "manual.toml"


@functools.cache
def manual() -> dict[str, Any]:
    return tomllib.loads(MANUAL.read_text(encoding="utf-8"))


def sections(command: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """By heading, terms and what to say of them: exit codes, examples, files, environment."""
    page, tables = manual()[command], manual()["table"]
    yield "exit codes", sorted(page["exits"].items(), key=lambda code: int(code[0]))
    yield "examples", [(line, what) for line, what in page["examples"]]
    if "files" in page:
        yield "files", [(path, what) for path, what in (tables["files"][name] for name in page["files"])]
    if "environment" in page:
        yield "environment", [(name, tables["environment"][name]) for name in page["environment"]]


def command(parser: argparse.ArgumentParser) -> str:
    """The manual's name of a parser: check of `grader check`."""
    return parser.prog.rpartition(" ")[2]


# --- help --------------------------------------------------------------------------------------------


def fill(parser: argparse.ArgumentParser) -> None:
    """Give a parser the whole of its help, at this terminal's width."""
    name = command(parser)
    if name not in manual():
        return
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    paragraphs = [str(parser.description), *manual()[name].get("about", "").strip().split("\n\n")]
    parser.description = "\n\n".join(textwrap.fill(text, _width()) for text in paragraphs).strip()
    parser.epilog = "\n".join(_lines(name)).strip()


def _width() -> int:
    return max(shutil.get_terminal_size().columns - 2, 40)


def _lines(name: str) -> Iterator[str]:
    for heading, entries in sections(name):
        yield f"{heading}:"
        short = all(len(term) <= 20 for term, _ in entries)
        room = max(len(term) for term, _ in entries) + 4 if short else 6
        for term, what in entries:
            text = textwrap.fill(what, _width(), initial_indent=" " * room, subsequent_indent=" " * room)
            yield f"  {term.ljust(room - 2)}{text[room:]}" if short else f"  {term}\n{text}"
        yield ""


# --- man pages ---------------------------------------------------------------------------------------


def pages(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Man pages by file name: grader.1, and one for each command. parser: the whole command's."""
    parser.color = False  # type: ignore[attr-defined]  # Python 3.14 would colour them
    found = {"grader.1": roff(parser, str(parser.description).rstrip("."))}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {a.dest: a.help or "" for a in action._get_subactions()}
            for name, child in action.choices.items():
                child.color = False
                found[f"grader-{name}.1"] = roff(child, helps[name])
    return found


def roff(parser: argparse.ArgumentParser, summary: str) -> str:
    """One man page. summary: what it does, in a few words."""
    name = command(parser)
    title = parser.prog.replace(" ", "-")
    page = manual()[name]
    usage = " ".join(parser.format_usage().split()[1:]).removeprefix(parser.prog).strip()
    lines = [
        f'.TH {_escaped(title.upper())} 1 "" "grader {__version__}" "Backpropagation by hand"',
        ".SH NAME",
        f"{_escaped(title)} \\- {_escaped(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f"\\fB{_escaped(parser.prog)}\\fR {_escaped(usage)}",
        ".SH DESCRIPTION",
        f"{_escaped(summary[0].upper() + summary[1:])}.",
    ]
    for paragraph in page.get("about", "").strip().split("\n\n"):
        lines += [".PP", _escaped(" ".join(paragraph.split()))] if paragraph else []
    lines += _arguments(parser)
    for heading, entries in sections(name):
        lines.append(f".SH {'EXIT STATUS' if heading == 'exit codes' else heading.upper()}")
        lines += [line for term, what in entries for line in _entry(term, what)]
    others = [n for n in manual() if n not in ("table", name)]
    also = ", ".join(f"\\fB{_escaped(n if n == 'grader' else f'grader-{n}')}\\fR(1)" for n in others)
    lines += [".SH SEE ALSO", also if name == "grader" else "\\fBgrader\\fR(1)"]
    return "\n".join(lines) + "\n"


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The parser's arguments and options, and its commands."""
    formatter = parser._get_formatter()
    entries: dict[str, list[tuple[str, str]]] = {"COMMANDS": [], "ARGUMENTS": [], "OPTIONS": []}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            entries["COMMANDS"] += [(f"grader {a.dest}", a.help or "") for a in action._get_subactions()]
        else:
            kind = "OPTIONS" if action.option_strings else "ARGUMENTS"
            entries[kind].append((formatter._format_action_invocation(action), action.help or ""))
    for heading, found in entries.items():
        yield from [f".SH {heading}", *(line for entry in found for line in _entry(*entry))] if found else ()


def _entry(term: str, what: str) -> list[str]:
    return [".TP", f"\\fB{_escaped(term)}\\fR", _escaped(what)]


def _escaped(text: str) -> str:
    """Text as roff shows it: no request at a line's start, hyphens that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)
