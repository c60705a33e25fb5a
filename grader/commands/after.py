"""What a check leaves a learner with: what came new, and what to do once all that was asked has passed."""

from __future__ import annotations

from grader.commands.learn import current_item, located
from grader.commands.read import statuses
from grader.core.exercise import Exercise
from grader.core.text import listed
from grader.core.verdict import Report
from grader.learner.progress import State, Status
from grader.suite.find import Suite, Target

FEW = 4  # names that are listed


def news(before: State, report: Report) -> str:
    """What has passed since the last check, and what no longer does; nothing at the first one."""
    known = before["items"]
    came, went = [], []
    for item in report.items:
        was = known.get(item.id)
        if item.passed and (was is None or not was["passed"]):
            came.append(item.id)
        elif not item.passed and was and was["passed"]:
            went.append(item.id)
    if not any(item.id in known for item in report.items):
        return ""
    said = [f"{listed(came, FEW)} passed"] if came else []
    said += [f"{listed(went, FEW)} no longer {'pass' if len(went) > 1 else 'passes'}"] if went else []
    return ", ".join(said) if not said else f"{'; '.join(said)} since the last check."


def ahead(suite: Suite, state: State, report: Report) -> str:
    """What is next where all that was asked has passed: an item of the same exercise, or the end of it."""
    names = [exercise.id for exercise in report.exercises]
    if not report.items or not report.passed or any(e.unparsed for e in report.exercises):
        return ""
    if left := current_item(suite, state, [Target(name) for name in names]):
        return upcoming(suite, state, *left)
    done = [f"All passed. {listed(names, FEW)} are done."]
    if len(names) == 1:
        done = [finished(suite, suite.describe(names[0]))]
    place = {name: k for k, name in enumerate(suite.ids())}
    others = [name for name in suite.at_hand() if name not in names]
    turned = sorted(others, key=lambda name: place[name] < place[names[-1]])  # what follows it comes first
    following = current_item(suite, state, [Target(name) for name in turned])
    if not following:
        return "\n".join([*done, "Everything that exercises/ has is done."])
    title = suite.describe(following[0]).title
    return "\n".join([*done, f"Next: {following[0]}, {title}: {located(suite, *following)}."])


def finished(suite: Suite, exercise: Exercise) -> str:
    """That an exercise is done, what was built, and where its solution can be looked at."""
    count = len(exercise.items)
    what = "gradient" if exercise.gradients else "part"
    built = f"{count} {what}{'s' * (count != 1)}" + (
        " and a training run with them" if exercise.training else ""
    )
    look = f" `grader solution {exercise.id}` shows the author's beside yours."
    return (
        f"{exercise.id} is done. You have built: {exercise.title} ({built})."
        + look * suite.solution(exercise.id).is_file()
    )


def upcoming(suite: Suite, state: State, exercise: str, item: str) -> str:
    """The item to do next, and where it is."""
    name = f"{exercise}.{item}"
    status = statuses(suite, suite.describe(exercise), state)[item]
    if item == "training" or status is Status.UNCHECKED:
        return f"Next: `grader check {name}`."
    verb = "fix" if status is Status.WRONG else "write"
    return f"Next: {verb} {name}, {located(suite, exercise, item)}."
