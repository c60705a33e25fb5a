"""`grader batch`: grade a class."""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from grader.classroom import batch, changes, roster, times
from grader.classroom.batch import Grader, Progress
from grader.classroom.files import guarded, results, write
from grader.classroom.local import Local
from grader.classroom.summary import Summary
from grader.commands.bar import Bar
from grader.commands.probes import seed_of, suite_of
from grader.core.errors import GraderFault, Unreadable, UsageError
from grader.core.exercise import File, How, Task
from grader.core.text import text
from grader.judging.fresh_probes import fresh, on_saved
from grader.judging.points.attempts import Marking
from grader.judging.targets import renames
from grader.runner.host.client import Runner
from grader.submissions.owners import composed
from grader.submissions.stubs import Released
from grader.submissions.tables import table
from grader.submissions.uploads import Intake, Upload, uploads
from grader.suite import fixtures
from grader.suite.files import replaced
from grader.suite.find import Suite, find, targets

OWNERS = "owners.csv"  # in the results, of the files that are nobody's, for --owners
SEED = ".seed"  # in the results: what students must not know
COUNTS = "{rate:.0f}/s  passed {passed}  failed {failed}  errors {errors}"


def run(args: argparse.Namespace, runner: Runner) -> int:
    """A class from its uploads to its tables. runner: it grades, unless a cluster does."""
    suite = suite_of(args, find())
    out = Path(args.out)
    _refuse(args, suite, out)
    todo, roll = _handed_in(args, suite, out)
    needed = sorted({u.chosen.exercise for u in todo if u.chosen.exercise})
    if needed and (other := _earlier(out)) and other not in needed:
        raise UsageError(f"--out {out} has the results of {text(other)}: name another folder")
    described = {name: suite.describe(name) for name in needed}
    exercises = {name: Task(d, fixtures.read(suite.root, d)) for name, d in described.items()}
    marking, how = _marking(suite, args, roll), _how(suite, args, todo)
    if args.require_sandbox and (off := runner.missing()):
        raise GraderFault(f"--require-sandbox: not to be had here: {', '.join(off)}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: can't be made: {error.strerror}") from None
    seed = _seed(args, out)
    if seed is not None:
        exercises = {name: fresh(runner, suite, task, seed) for name, task in exercises.items()}
    klass = batch.Class(todo, exercises, marking, how, args.fresh, roll.entries if roll else None)
    before = _before(out)
    grader, workers = _grader(args, klass, runner)
    try:
        with (
            Bar(len(todo), COUNTS) as bar,
            contextlib.closing(batch.run(klass, out, grader, workers, _shown(bar))) as graded,
        ):
            summary = write(graded, out, seed)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it was", file=sys.stderr)
        return 130
    finally:
        grader.close()
    sys.stdout.write(_told(summary, out))
    kept = on_saved(suite, described.values()) if seed is not None else ""
    kept = kept and f"{kept} (--fixtures takes a set that `grader build --private` made)"
    said = [_changes(out, before), _untold(out, todo, roll), *_notes(args, summary, klass, roll), kept]
    room = shlex.quote(str(out))
    said.append(
        f"Next: `grader grades {room} --into EXPORT --out FILE` and `grader feedback-zip {room} --for …`"
    )
    print("\n".join(filter(None, said)))
    if summary.faults:
        return 3
    return 0 if summary.passed == summary.submissions else 1


def _refuse(args: argparse.Namespace, suite: Suite, out: Path) -> None:
    """UsageError where options can't be meant so."""
    if args.exercise and args.exercise not in suite.ids():
        targets(suite, [args.exercise])
        raise UsageError(f"--exercise {args.exercise}: a batch grades whole exercises")
    if args.workers < 1:
        raise UsageError(f"--workers {args.workers}: at least one is needed")
    if out.resolve() in [Path(p).resolve() for p in args.paths]:
        raise UsageError(f"--out {out} is the folder of the submissions: name another one for the results")


def _handed_in(
    args: argparse.Namespace, suite: Suite, out: Path
) -> tuple[Sequence[Upload], roster.Called | None]:
    """The uploads, and the roster called on them, where there is one."""
    members = roster.read(Path(args.roster)) if args.roster else []
    teams = {**roster.groups(members), **(_teams(args.teams) if args.teams else {})}
    whose = _owners(args.owners) if args.owners else {}
    named, ids = roster.named(members), frozenset(i for entry in members for i in entry.ids)
    intake = Intake(suite.ids(), args.exercise, teams, Released(suite), out, whose, named, ids)
    todo = uploads([Path(p) for p in args.paths], intake)
    if not todo:
        raise UsageError(f"{', '.join(args.paths)}: there is nothing to grade")
    if not args.roster:
        return todo, None
    roll = roster.called(todo, members, Path(args.roster))
    return roll.uploads, roll


def _grader(args: argparse.Namespace, klass: batch.Class, runner: Runner) -> tuple[Grader, int]:
    """What grades, and how many submissions at a time."""
    if args.dask is None:
        return Local(klass.exercises, runner, klass.how), args.workers
    from grader.classroom.dask import Cluster

    runner.close()
    cluster = Cluster(args.dask, klass.exercises)
    return cluster, cluster.slots()


def _notes(
    args: argparse.Namespace, summary: Summary, klass: batch.Class, roll: roster.Called | None
) -> Iterator[str]:
    """What an instructor is to know of a class besides its results."""
    if roll and roll.strangers:
        yield f"not on --roster {args.roster}: {text(', '.join(roll.strangers), 1000)}"
    if many := sum(u.chosen.attempts > 1 for u in klass.uploads):
        yield f"{many} handed in several files, of which the newest is graded"
    if summary.off:
        yield f"protection that was off: {', '.join(sorted(summary.off))} (`grader doctor` tells more)"
    if not klass.marking:
        return
    if (late := klass.marking.policy.late) and not (late.marked and summary.marked):
        if summary.timeless:
            none = f"{summary.timeless} submissions have no time, and lose nothing for being late"
            yield f"{none}: --times tells it"
        if summary.marked:
            yield f"{summary.marked} have the mark LATE and no time: mark_days in [late] says what it costs"
    if strange := sorted(set(klass.marking.times) - {u.chosen.student for u in klass.uploads}):
        yield f"--times {args.times}: nobody here is called {text(', '.join(strange), 1000)}"


def _teams(path: str) -> dict[str, list[str]]:
    """The members of each team: a CSV of team,student."""
    found: dict[str, list[str]] = {}
    for number, (team, student) in _pairs(path, "--teams", "team"):
        if not team or not student:
            raise UsageError(f"--teams {path}, line {number}: a team and a student, with a comma, are wanted")
        found.setdefault(team, []).append(student)
    return found


def _owners(path: str) -> dict[str, str]:
    """Whose each file is: a CSV of file,student. A file without a student is nobody's still."""
    found: dict[str, str] = {}
    for number, (file, student) in _pairs(path, "--owners", "file"):
        if (file := composed(file)) in found:
            raise UsageError(
                f"--owners {path}, line {number}: {text(file, 200)} is there twice: keep one line"
            )
        if student:
            found[file] = student
    return found


def _pairs(path: str, option: str, heading: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """The first two cells of a table's rows but for its heading, with their lines' numbers."""
    for number, row in table(path, option):
        first, second = ([cell.strip() for cell in row] + [""])[:2]
        if (number, first.casefold()) != (1, heading):
            yield number, (first, second)


def _untold(out: Path, todo: Sequence[Upload], roll: roster.Called | None) -> str:
    """Write the files that are nobody's below a table for --owners; what to say of them."""
    found = roll.unclaimed if roll else [u for u in todo if u.chosen.nobodys]
    if not found:
        return ""
    path = out / OWNERS
    there, before = {"file"}, b"file,student\r\n"
    if path.exists():
        there |= {row[0].strip() for _, row in table(path, "--owners") if row}
        before = path.read_bytes().rstrip() + b"\r\n"
    made = io.StringIO()
    csv.writer(made, delimiter=max(",;\t", key=before.split(b"\n")[0].decode().count)).writerows(
        row for row in dict.fromkeys(map(_nobodys, found)) if row[0] not in there
    )
    if made.getvalue():
        replaced(path, before + made.getvalue().encode())
    whom = f"{len(found)} submission{'s' * (len(found) > 1)}: nothing tells whose"
    return f"{whom}: write it into {path}, and name that with --owners"


def _nobodys(upload: Upload) -> tuple[str, ...]:
    """A row for --owners: a file's path, or what the platform calls its student, with the name."""
    c = upload.chosen
    return (c.path, "") if c.nameless or c.nobodys else (c.student, "", c.name)


def _seed(args: argparse.Namespace, out: Path) -> int | None:
    """The seed of the class's fresh probes: an earlier run's into the folder, which this one goes on."""
    path = out / SEED
    if not args.probes and not args.fixtures:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text(encoding="ascii"))
    seed = seed_of(args, for_others=True)
    if seed is None:
        path.unlink(missing_ok=True)
    else:
        replaced(path, f"{seed}\n".encode())
        path.chmod(0o600)
    return seed


def _shown(bar: Bar) -> Callable[[Progress], None]:
    start = time.monotonic()

    def show(p: Progress) -> None:
        rate = (p.done - p.reused) / max(time.monotonic() - start, 1e-9)
        bar.at(p.done, rate=rate, passed=p.passed, failed=p.failed, errors=p.errors)

    return show


def _earlier(out: Path) -> str:
    """The first exercise that a batch before this one has graded into a folder; empty where there is none."""
    try:
        with (out / "results.jsonl").open("rb") as file:
            return next((str(e["id"]) for line in file for e in json.loads(line)["exercises"]), "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""  # `batch.run` grades anew what is damaged


def _marking(suite: Suite, args: argparse.Namespace, roll: roster.Called | None) -> Marking | None:
    """The policy, and --times: a CSV of students, as grades.csv calls them, and times."""
    if not args.policy:
        if args.times:
            raise UsageError(
                "--times: only a policy with [late] or [attempts] asks when: name it with --policy"
            )
        return None
    from grader.commands.policy import load

    policy = load(suite, args.policy)
    if policy.late and not policy.late.deadline:
        raise UsageError(f"{policy.name}: late.deadline is missing, and there is no platform here to tell it")
    extended = {s: e.extension for s, e in roll.entries.items() if e.extension} if roll else {}
    zone = policy.late.deadline.tzinfo if policy.late and policy.late.deadline else UTC
    return Marking(policy, times.read(Path(args.times), zone) if args.times else {}, extended)


def _changes(out: Path, before: Mapping[changes.Of, changes.Stood]) -> str:
    """Write changes.csv, where an earlier run left something; what to say of it."""
    path = out / changes.NAME
    if not before:
        path.unlink(missing_ok=True)
        return ""
    rows = changes.rows(before, changes.standing(results(out)))
    made = io.StringIO()
    table = csv.writer(made)
    table.writerows([changes.COLUMNS, *([guarded(cell) for cell in row] for row in rows)])
    replaced(path, made.getvalue().encode())
    many = len(rows)
    return f"{path}: against the run before, {many or 'no'} result{'s' * (many != 1)} changed"


def _before(out: Path) -> dict[changes.Of, changes.Stood]:
    """What an earlier run left; nothing where that is damaged, which this one grades anew."""
    with contextlib.suppress(UsageError):
        return changes.standing(results(out))
    return {}


def _how(suite: Suite, args: argparse.Namespace, todo: Sequence[Upload]) -> How:
    if args.dask is not None and (args.strict or args.rename):
        raise UsageError("--dask grades as usual: leave out --strict and --rename")
    sources = []
    for upload in todo if args.rename else ():
        with contextlib.suppress(Unreadable):
            sources += [] if upload.chosen.problem else [File(upload.id, upload.read())]
    return How(strict=args.strict, rename=renames(suite, args.rename, sources))


def _told(summary: Summary, out: Path) -> str:
    names = "results.jsonl, grades.csv, summary.txt, summary.json, class.html, reports/"
    return f"{summary.lines()}\n{out}/{names} are written\n"
