"""What a save changed, and which item a learner is at. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from grader.core.verdict import ItemReport, Report, Verdict


def find(report: Report, id: str) -> ItemReport:
    return next(item for item in report.items if item.id == id)


def following(report: Report, id: str | None = None) -> str | None:
    """The first item after `id`, or from the start, that has not passed; around the end. None: all passed."""
    start = [item.id for item in report.items].index(id) + 1 if id else 0
    turned = report.items[start:] + report.items[:start]
    return next((item.id for item in turned if not item.passed), None)


def beside(report: Report, id: str, step: int) -> str:
    """The item `step` further in backward order; the first follows the last."""
    ids = [item.id for item in report.items]
    return ids[(ids.index(id) + step) % len(ids)]


def changes(
    before: Report, now: Report, current: str, then: str | None, stays: bool = False
) -> Iterator[str]:
    """What is different, a line each; what was broken comes first. then: the item after `current`, to which
    the learner goes by a key where it stays."""
    old = {item.id: item for item in before.items}
    fresh = [item for item in now.items if item.id in old and _told(item) != _told(old[item.id])]
    for item in sorted(fresh, key=lambda i: (i.passed or not old[i.id].passed, i.id != current)):
        name, was = short(now, item.id), old[item.id]
        place = f": {item.place}" if item.place and item.verdict is not Verdict.NOT_WRITTEN else ""
        if item.passed and not was.passed:
            onward = "; n goes on to " if stays else ", next: "
            end = "" if item.id != current else f"{onward}{short(now, then)}" if then else ", the last one"
            yield f"{name} passed{end}"
        elif was.passed and not item.passed:
            yield f"{name}: was passed, now {words(item)}{place}"
        elif was.verdict is not item.verdict and not item.passed:
            yield f"{name}: was {words(was)}, now {words(item)}{place}"
        elif not item.passed:
            yield f"{name}: still {words(item)}, but in another way{place}"


def _told(item: ItemReport) -> tuple[bool, Verdict, str, str | None]:
    """What a change of would be worth telling; exact or approximate is not."""
    verdict = Verdict.EXACT if item.passed else item.verdict
    return item.passed, verdict, "" if item.passed else item.check.reason, item.diagnosis


def words(item: ItemReport) -> str:
    return "passed" if item.passed else item.verdict.value.replace("-", " ")


def short(report: Report, id: str) -> str:
    """An item's name, with its exercise's where there are several."""
    return id if len(report.exercises) > 1 else id.rpartition(".")[2]
