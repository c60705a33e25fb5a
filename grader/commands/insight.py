"""`grader insight`: what a graded class tells, and which submissions share what right work does not share."""

from __future__ import annotations

import argparse
from pathlib import Path

from grader.classroom import insight, similar
from grader.classroom.files import results
from grader.classroom.similar import Index
from grader.core.errors import Unreadable, UsageError
from grader.core.text import text
from grader.submissions.choosing import plainly
from grader.submissions.script import notebook
from grader.submissions.stubs import Released
from grader.submissions.uploads import Intake, Upload, uploads
from grader.suite import fixtures
from grader.suite.files import replaced
from grader.suite.find import Suite, find


def run(args: argparse.Namespace) -> int:
    room = Path(args.batch)
    told = insight.of(results(room))
    replaced(room / insight.NAME, told.render().encode())
    replaced(room / insight.TABLE, told.table().encode())
    written = [insight.NAME, insight.TABLE]
    if args.paths:
        index, pairs, shown = _similar(find(), room, args)
        replaced(room / similar.NAME, similar.render(index, pairs, shown).encode())
        written.append(similar.NAME)
        print(f"groups that are the same but for names, comments and order: {len(index.groups())}")
        print(f"other pairs that share more than chance gives: {len(pairs)}")
        print(similar.NO_PROOF)
    print(f"{room}/{', '.join(written)} are written")
    return 0


def _similar(
    suite: Suite, room: Path, args: argparse.Namespace
) -> tuple[Index, list[similar.Pair], dict[int, str]]:
    """The class's evidence, read one submission at a time; texts of those that the page shows alone."""
    intake = Intake(suite.ids(), args.exercise, released=Released(suite))
    found = {text(u.id, 1000): u for u in uploads(list(map(Path, args.paths)), intake)}
    index, known = Index(), dict[str, frozenset[str]]()
    numbers: list[Upload] = []
    for result in results(room):
        upload = found.get(result["submission"])
        if not upload:  # what several handed in together is compared once
            upload = found.pop(result["submission"].removesuffix(f" of {result['student']}"), None)
        if result["problem"] or not result.get("counts", True) or not result["exercises"]:
            continue
        try:
            source = _code(upload)
        except Unreadable:
            index.left_out.append(result["submission"])
            continue
        exercise = result["exercises"][0]["id"]
        if exercise not in known:
            known[exercise] = _given(suite, exercise)
        assert upload
        numbers.append(upload)
        index.add(result, similar.read(source, similar.verdicts(result), known[exercise]))
    if not numbers:
        raise UsageError(
            f"{', '.join(args.paths)}: none of {room}'s results are of these: name them as `grader batch` "
            "had them"
        )
    pairs = index.pairs()
    wanted = {n for group in index.groups()[: similar.PAIRS] for n in group[:2]}
    wanted |= {n for p in pairs[: similar.PAIRS] for n in (p.first, p.second)}
    return index, pairs, {n: _code(numbers[n]).decode("utf-8", "replace") for n in sorted(wanted)}


def _code(upload: Upload | None) -> bytes:
    if upload is None:
        raise Unreadable("is not there")
    data = upload.read()
    return (
        notebook(data)[0].encode("utf-8", "replace")
        if plainly(upload.chosen.path).endswith(".ipynb")
        else data
    )


def _given(suite: Suite, exercise: str) -> frozenset[str]:
    begun = fixtures.derived(suite.root, suite.describe(exercise))
    book = begun.get("notebook")
    return similar.given(begun["stub"].encode(), notebook(book.encode())[0].encode() if book else b"")
