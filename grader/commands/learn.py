"""The commands that help: hint, next, explain. They start nothing and read no solution."""

from __future__ import annotations

import argparse

from grader.commands.prose import wrapped
from grader.commands.read import judged, learners_text, lines_of, statuses, subjects, task
from grader.core.errors import UsageError
from grader.core.exercise import TRAINING, Output
from grader.core.text import text as harmless
from grader.core.verdict import RULE
from grader.learner import progress
from grader.learner.explain import explain, explain_output
from grader.learner.progress import State, Status
from grader.suite import fixtures
from grader.suite.find import Suite, Target, find, targets

APPROX = f"""approx says whether an answer is autograd's but for rounding, on the lecture's numbers:

    {RULE}

maxdiff is the largest absolute difference. The first part is a relative error; the second is for answers
whose terms cancel, such as the gradient of a bias before a batch norm, which is truly 0: it allows for the
rounding of what was summed. An answer that is all zero passes only where autograd's own is mere rounding.

exact says whether every number is autograd's to the last bit; it informs and decides nothing. An item passes
if it is right "in general" too: on the probes, the same network with other seeds, other sizes and random
upstream gradients."""


def hint(args: argparse.Namespace) -> int:
    """Give the rung after the last one that was given."""
    suite = find()
    state = progress.read(suite.work)
    wanted = targets(suite, args.targets or suite.at_hand())
    if not all(t.item for t in wanted):
        current = current_item(suite, state, wanted)
        if current is None:
            print("Everything has passed; there is nothing to give a hint for.")
            return 0
        wanted = [Target(*current)]
    print("\n\n".join(ladder(suite, state, target, args.rung, args.all) for target in wanted))
    return 0


def ladder(
    suite: Suite,
    state: State,
    target: Target,
    rung: int | None = None,
    everything: bool = False,
    watched: bool = False,
) -> str:
    """The rung that is due, or `rung`, or everything; remembers it. watched: by `grader watch`, which shows
    what the last check found, and gives the next one by a key."""
    name = f"{target.exercise}.{target.item}"
    if target.item == "training":
        return (
            f"{name} has no hints of its own: it follows from the gradients. `grader list {target.exercise}` "
            "tells which of them have not passed, and `grader hint` helps with the next."
        )
    rungs = fixtures.hints(suite.root, suite.describe(target.exercise))["items"][target.item]["rungs"]
    kinds = list(rungs)
    given = state["rungs"].get(name, 0)
    last = len(kinds)
    if rung and rung > last:
        raise UsageError(f"--rung {rung}: the hints of {name} are {last} here, {', '.join(kinds)}")
    shown = range(1, last + 1) if everything else (rung or min(given + 1, last),)
    parts = [said] if not watched and (said := _last_check(suite, state, target)) else []
    parts += [wrapped(f"{name}, hint {n} of {last}: {kinds[n - 1]}\n\n{rungs[kinds[n - 1]]}") for n in shown]
    if not rung and not everything and given >= last:
        parts.append(f"That was the last one. `grader hint {name} --all` shows them all.")
    elif max(shown) < last:
        after = kinds[max(shown)]
        again = "h" if watched else f"grader hint {name}{f' --rung {max(shown) + 1}' if rung else ''}"
        parts.append(f"`{again}` gives the next: {after}.")

    def change(now: State) -> None:
        now["rungs"][name] = max(now["rungs"].get(name, 0), *shown)

    if progress.update(suite.work, change) and not everything and max(shown) < last:
        again = f"grader hint {name} --rung {max(shown) + 1}"
        parts[-1] = f"Nothing can be remembered here: `{again}` gives the next."
    return "\n\n".join(parts)


def following_rung(suite: Suite, target: Target) -> str:
    """Give an item's next rung, to a page that shows all that were given; what hinders that."""
    name = f"{target.exercise}.{target.item}"

    def change(now: State) -> None:
        now["rungs"][name] = now["rungs"].get(name, 0) + 1

    if hindered := progress.update(suite.work, change):
        return f"{hindered}: `grader hint {name} --all` shows its hints"
    return ""


def _last_check(suite: Suite, state: State, target: Target) -> str:
    """What the last check said of an item, and whether it still says so."""
    last = state["items"].get(f"{target.exercise}.{target.item}")
    if not last or last["verdict"] == "not-written":
        return ""
    now = progress.digests(learners_text(suite, target.exercise))(str(target.item))
    edited = " (edited since)" if now != last["source"] else ""
    where = f", line {last['line']}" if last["line"] and not last["passed"] and not edited else ""
    said = f": {harmless(last['said'])}" if last["said"] and not last["passed"] else ""
    return wrapped(f"Your last check: {harmless(last['verdict']).replace('-', ' ')}{said}{where}{edited}.")


def following(args: argparse.Namespace) -> int:
    """The first item in backward order that has not passed, with its task and the first step."""
    suite = find()
    state = progress.read(suite.work)
    current = current_item(suite, state, targets(suite, args.targets or suite.at_hand()))
    if current is None:
        print("Everything has passed.")
        return 0
    exercise, item = current
    name = f"{exercise}.{item}"
    description = suite.describe(exercise)
    status = statuses(suite, description, state)[item]
    if item == "training":
        print(f"Next: {name}\n\n`grader check {name}` trains with your gradients.")
        return 0
    path, here = suite.shown(suite.learners(exercise)), located(suite, exercise, item)
    if status is Status.WRONG:
        at = state["items"][name]["line"]  # of the mistake
        step = f"First step: fix {item} in {f'{path}:{at}' if at else here}."
    elif status is Status.UNCHECKED:
        since = f"since {item} in {here} has not been checked as it is now"
        step = f"First step: `grader check {name}`, {since}."
    elif isinstance(description.item(item), Output):
        step = f"First step: write it in {here}."
    else:
        code = [x.code for x in description.lines if item[1:] in x.uses]
        which = f"the line `{code[0]}`" if len(code) == 1 else f"each of the {len(code)} lines that read it"
        step = (
            f"First step: differentiate {which} with respect to {item[1:]}, on paper; then replace the "
            f"`raise` of {item} in {here}."
        )
    target = Target(exercise, item)
    said = f", {status.value}" if status in (Status.WRONG, Status.UNCHECKED) else ""
    told = wrapped(task(suite, description, target, brief=True)), _last_check(suite, state, target)
    more = (
        ""
        if isinstance(description.item(item), Output)
        else f" All that it may ask for: `grader show {name}`."
    )
    end = wrapped(f"{step}\nThen: `grader check {name}`. Stuck: `grader hint {name}`.{more}")
    print("\n\n".join(filter(None, (f"Next: {name}{said}", *told, end))))
    return 0


def current_item(suite: Suite, state: State, wanted: list[Target]) -> tuple[str, str] | None:
    """The first of what is wanted, in backward order, that has not passed: exercise and item."""
    for target in wanted:
        for name, status in statuses(suite, suite.describe(target.exercise), state).items():
            if status is not Status.PASSED and target.item in (None, name):
                return target.exercise, name
    return None


def line_of(suite: Suite, exercise: str, item: str) -> int | None:
    """The line at which an item's function, or the first that it is about, begins in the learner's file."""
    asked = suite.describe(exercise).item(item) if item != TRAINING else None
    about = subjects(asked) if isinstance(asked, Output) else (item,)
    return next(iter(lines_of(suite, exercise, about)), None)


def located(suite: Suite, exercise: str, item: str) -> str:
    """An item's function: "exercises/ex1.py:45"."""
    line = line_of(suite, exercise, item)
    return f"{suite.shown(suite.stub(exercise))}{f':{line}' if line else ''}"


def explanation(args: argparse.Namespace) -> int:
    suite = find()
    texts = []
    for word in args.targets:
        if word == "approx":
            texts.append(wrapped(APPROX))
            continue
        for exercise, tensor in _tensors(suite, word):
            description = suite.describe(exercise)
            if item := next((i for i in description.outputs if i.name == tensor), None):
                texts.append(wrapped(explain_output(description, item, judged(description, item.uses))))
            else:
                lines = fixtures.hints(suite.root, description)["lines"]
                texts.append(wrapped(explain(description, lines, tensor)))
    print(f"\n\n{'-' * 40}\n\n".join(texts))
    return 0


def _tensors(suite: Suite, word: str) -> list[tuple[str, str]]:
    """What a word names: an item's tensor, all of an exercise's, or any tensor: ex3.bnraw, ex3.dbnraw."""
    exercise, _, name = word.rpartition(".")
    if exercise in suite.ids():
        description = suite.describe(exercise)
        known = {t for t in description.tensors if "d" + t in description.shapes}
        for tensor in (name, name.removeprefix("d")):
            if tensor in known:
                return [(exercise, tensor)]
        if name in description.tensors:
            raise UsageError(f"{word} is not differentiable: it has no gradient to explain")
    found = []
    for target in targets(suite, [word]):
        items = suite.describe(target.exercise).items
        found += [(target.exercise, i.tensor) for i in items if target.item in (None, i.name)]
    if not found:
        raise UsageError(f"{word} follows from all the gradients; `grader explain` explains one of them")
    return found
