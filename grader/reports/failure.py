"""Why an item failed, at full width: where, what the mistake is, both values, the code. For a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from grader.core.verdict import Excerpt, ExerciseReport, ItemReport, Report, Verdict
from grader.reports.table import capital, failed, located, number, parts, words

if TYPE_CHECKING:
    from grader.reports.screen import Screen

MARGIN = 2  # columns before all but the headline


@dataclass(frozen=True)
class Failure:
    """Items of an exercise that failed in one way, the first with all that is said of it."""

    exercise: ExerciseReport
    items: tuple[ItemReport, ...]

    @property
    def item(self) -> ItemReport:
        return self.items[0]

    @property
    def at(self) -> str:
        return located(self.exercise, self.item)


def failures(report: Report) -> list[Failure]:
    """In backward order; what has one cause, as a file that Python can't read, is one."""
    found: dict[tuple[object, ...], Failure] = {}
    for exercise in report.exercises:
        for item in exercise.items:
            if failed(item):
                key = (
                    exercise.id,
                    item.verdict,
                    item.diagnosis,
                    item.check.reason,
                    item.place,
                    item.check.worst,
                )
                before = found.get(key, Failure(exercise, ()))
                found[key] = replace(before, items=(*before.items, item))
    return list(found.values())


def full(failure: Failure, on: Screen) -> list[Text]:
    """The lines of one failure, none longer than the screen is wide."""
    return [headline(failure, on), *explained(failure, on.width)]


def headline(failure: Failure, on: Screen) -> Text:
    others = f" and {len(failure.items) - 1} more" if len(failure.items) > 1 else ""
    head = Text.assemble(("✗ ", "bold red"), (failure.item.id + others, "bold"))
    head.append(f"  {words(failure.item.verdict)}", style="red")
    return head.append("  ").append(link(failure, failure.at, on)) if failure.at else head


def brief(failure: Failure, wide: int, on: Screen) -> Text:
    """A failure in one line, cut to the screen. wide: columns of the names."""
    item = failure.item
    line = Text.assemble(("✗ ", "red"), item.id.ljust(wide))
    if item.place:
        line.append("  ").append(link(failure, item.place, on))
    said = sentence(next(iter(parts(item)), words(item.verdict)), failure)
    line.append(f"  {said}")
    return cut(line, on.width)


def link(failure: Failure, shown: str, on: Screen) -> Text:
    """A place in the learner's file, which a click opens where the terminal has links."""
    if not on.links or failure.item.cell or not failure.exercise.file:
        return Text(shown, style="cyan")
    path = PurePath(on.folder, failure.exercise.file)
    return (
        Text(shown, style=f"cyan link {path.as_uri()}") if path.is_absolute() else Text(shown, style="cyan")
    )


def explained(failure: Failure, width: int) -> Iterator[Text]:
    """The diagnosis as a sentence, yours and what was wanted, the code."""
    item = failure.item
    first, *rest = parts(item) or [""]
    for said in (first, "; ".join(rest)):
        yield from wrapped(sentence(said, failure), width) if said else ()
    for line in _values(item):
        yield from wrapped(line, width)
    if item.excerpt:
        yield from frame(item.excerpt, width)


def sentence(text: str, failure: Failure) -> str:
    """With a capital and a full stop."""
    return capital(text, failure.exercise.names, failure.item) + "." * (text[-1:] not in ".!?")


def _values(item: ItemReport) -> list[str]:
    check, worst = item.check, item.check.worst
    if worst:
        whose = "autograd's" if worst.told("wanted") not in check.reason else "wanted"
        place = f"at {list(worst.at)}: " if worst.at else ""
        many = f"; {worst.differ} of {worst.of} differ" if worst.of > 1 else ""
        return [f"{place}yours {worst.came}, {whose} {worst.wanted}{many}"]
    if check.came:
        call = [f"{check.call}:"] if check.call else []
        return [*call, f"yours   {check.came}", f"wanted  {check.wanted}"]
    if check.verdict is Verdict.WRONG_SHAPE and check.shape is not None:
        return [f"yours {check.shape}, wanted {item.shape}"]
    return []


def frame(excerpt: Excerpt, width: int) -> Iterator[Text]:
    """Lines of code with their numbers, what is at fault underlined."""
    wide = len(str(excerpt.lines[-1][0]))
    before = 0
    for number_, code in excerpt.lines:
        if before and number_ > before + 1:
            yield Text(f"{' ' * MARGIN}{'⋮'.rjust(wide)}", style="dim")
        before = number_
        line = Text(" " * MARGIN).append(f"{number_:>{wide}} │ ", style="cyan").append(code)
        yield cut(line, width)
    if excerpt.end > excerpt.start:
        under = Text(" " * (MARGIN + wide)).append(" │ ", style="cyan").append(" " * excerpt.start)
        marked = under.append("^" * (excerpt.end - excerpt.start), style="bold red")
        marked.truncate(width)
        yield marked


def wrapped(text: str, width: int, indent: int = MARGIN) -> Iterator[Text]:
    """Prose in lines that the screen has room for; only a word that is longer than it is broken."""
    for line in Text(text).wrap(_console(), max(width - indent, 10)):
        line.rstrip()
        yield Text(" " * indent).append(line)


@cache
def _console() -> Console:
    """What rich measures with; nothing is written to it."""
    return Console(file=io.StringIO(), width=80, color_system=None)


def cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def notes(items: Sequence[ItemReport]) -> list[str]:
    """What there is to say of items that passed."""
    return [f"{item.id}: {item.check.note}" for item in items if item.passed and item.check.note]


def measured(item: ItemReport) -> str:
    """How a passed item passed."""
    how = "exact" if item.check.exact else f"within rounding, maxdiff {number(item.check.maxdiff)}"
    return how if item.general is not False else f"{how}, at the lecture's sizes"
