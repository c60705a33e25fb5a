"""The command's arguments, and which function of `commands/` each command is."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from grader import __version__

Add = Callable[..., argparse.ArgumentParser]


class Parser(argparse.ArgumentParser):
    """Its help is long, and read only where somebody asks for it."""

    def format_help(self) -> str:
        from grader.commands import manual

        manual.fill(self)
        return super().format_help()


def parser() -> argparse.ArgumentParser:
    """The whole command's; what is parsed has in `run` the function: check.run of commands/check.py."""
    top = Parser(prog="grader", description="Check gradients that were derived by hand against autograd's.")
    top.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, help: str, run: str = "") -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        one.set_defaults(run=run or f"{name.replace('-', '_')}.run")
        return one

    _grading(add)
    _learning(add)
    _authoring(add)
    _teaching(add)
    _machine(add)
    return top


def _grading(add: Add) -> None:
    init = add("init", "copy exercises into a folder to work in", "stubs.init")
    init.add_argument(
        "words", nargs="*", metavar="DIR|SET", help="a folder; sets or exercises; none means all"
    )
    init.usage = "grader init [-h] [--force] [DIR] [SET ...]"
    init.add_argument("--force", action="store_true", help="put stubs in the place of yours, kept as backups")

    check = add("check", "grade exercises, or single items of them")
    check.add_argument("targets", nargs="*", metavar="TARGET", help="ex1, ex1.dprobs; none means all")
    check.add_argument("--submission", metavar="FILE", help="grade this file instead of exercises/")
    check.add_argument(
        "--solutions", action="store_true", help="grade solutions/ instead (make grade-solutions)"
    )
    check.add_argument("--json", action="store_true", help="print one JSON document (grader/report/v1.1)")
    check.add_argument(
        "--fresh",
        nargs="?",
        const="",
        metavar="SEED",
        help="make new probes on the spot, and name their seed",
    )
    _probes(check)
    check.add_argument("--require-sandbox", action="store_true", help="fail unless every protection is on")
    check.add_argument(
        "--progress", action="store_true", help="items not written yet don't count as failures (make grade)"
    )
    _of_notebooks(check)
    check.add_argument(
        "--github", action="store_true", help="in GitHub Actions: annotations on your lines, a step summary"
    )
    check.add_argument("--classroom50", metavar="FILE", help="write Classroom 50's result.json; then exit 0")
    check.add_argument(
        "--classroom-reporter",
        action="store_true",
        help="GitHub Classroom's grading reporter: step output `result`; then exit 0",
    )
    check.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    check.add_argument("--codequality", metavar="FILE", help="write GitLab's code quality JSON")
    check.add_argument(
        "--sealed", metavar="DIGEST", help="insist on the fixtures of a release (its workflow has the digest)"
    )
    check.add_argument("--no-server", action="store_true", help="grade in this process; start no server")
    _points(check)

    report = add("report", "write a page with pictures: the compute graph, heatmaps, what was found")
    report.add_argument("targets", nargs="*", metavar="TARGET", help="ex1, ex1.dprobs; none means all")
    report.add_argument("--html", metavar="FILE", help="where the page goes; report.html by default")
    report.add_argument("--submission", metavar="FILE", help="of this file instead of exercises/")
    report.add_argument("--solutions", action="store_true", help="of solutions/ instead")
    report.add_argument(
        "--class", metavar="DIR", dest="room", help="of a class: the folder that `grader batch` wrote"
    )
    _points(report)
    _of_notebooks(report)

    feedback = add("feedback", "copy a notebook with what was found under the cells that it belongs to")
    feedback.add_argument("notebook", metavar="NOTEBOOK", help="the file; it stays as it is")
    feedback.add_argument(
        "targets", nargs="*", default=[], metavar="TARGET", help="ex1; all that it holds by default"
    )
    feedback.add_argument("--out", metavar="FILE", help="the copy; NAME.feedback.ipynb by default")
    feedback.add_argument("--html", metavar="FILE", help="a page of the same, to open in a browser")
    _of_notebooks(feedback)
    _points(feedback)


def _learning(add: Add) -> None:
    listing = add(
        "list", "show the course: its sets, the exercises of a set, the items of an exercise", "read.listing"
    )
    listing.add_argument(
        "targets", nargs="*", metavar="TARGET", help="a set, ex1, ex1.dprobs; none: all sets"
    )

    show = add("show", "show an item's task, forward lines, shapes and what it may ask for", "read.show")
    show.add_argument("targets", nargs="+", metavar="TARGET", help="ex1, ex1.dprobs")

    hint = add(
        "hint", "give the next hint for an item: concept, shapes, an example, the formula", "learn.hint"
    )
    hint.add_argument("targets", nargs="*", metavar="TARGET", help="ex1.dprobs; none means the next item")
    hint.add_argument("--rung", type=int, choices=range(1, 5), metavar="N", help="this one, from 1 to 4")
    hint.add_argument("--all", action="store_true", help="all of them, the formula included")

    watch = add("watch", "stay, grade at every save, and go on from item to item")
    watch.add_argument("targets", nargs="*", metavar="TARGET", help="ex1, ex1.dprobs, or a file; one of them")

    following = add("next", "show the next item to do, with its task", "learn.following")
    following.add_argument("targets", nargs="*", metavar="TARGET", help="ex1; none means all")

    explain = add(
        "explain",
        "explain where a tensor stands, which gradients arrive, and why they add",
        "learn.explanation",
    )
    explain.add_argument("targets", nargs="+", metavar="TARGET", help="ex1.dcounts; ex3.bnraw")

    solution = add("solution", "show the solution of an exercise or an item, after asking", "read.solution")
    solution.add_argument("targets", nargs="+", metavar="TARGET", help="ex1, ex1.dprobs")
    solution.add_argument("--yes", action="store_true", help="don't ask")
    solution.add_argument("--notebook", metavar="FILE", help="write an exercise's solution as a notebook")

    reset = add(
        "reset", "put an exercise back to its stub, keeping what was there as a backup", "stubs.reset"
    )
    reset.add_argument("targets", nargs="+", metavar="EXERCISE", help="ex1, or a set")
    reset.add_argument("--yes", action="store_true", help="don't ask")

    train = add("train", "train the network with your own gradients, and by autograd beside it")
    train.add_argument("targets", nargs="*", metavar="EXERCISE", help="ex4 by default")
    train.add_argument("--submission", metavar="FILE", help="take the gradients from this file")
    train.add_argument("--steps", type=int, default=200_000, metavar="N", help="200000 by default")
    train.add_argument("--names", metavar="FILE", help="train on this list of names, one a line")
    train.add_argument(
        "--out", metavar="FILE", default="loss-ex4.svg", help="the loss curve; loss-ex4.svg by default"
    )
    train.add_argument(
        "--seed", type=int, default=2147483647, metavar="N", help="2147483647 by default, the lecture's"
    )
    train.add_argument("--no-autograd", action="store_true", help="leave out the run by autograd")


def _authoring(add: Add) -> None:
    build = add("build", "derive stubs and fixtures from solutions/")
    build.add_argument("targets", nargs="*", metavar="TARGET", help="ex1, gpt; none means all")
    build.add_argument(
        "--private",
        nargs=2,
        metavar=("SEED", "DIR"),
        help="write fixtures with fresh probes to a folder, for --fixtures; change nothing here",
    )
    build.add_argument("--check", action="store_true", help="change nothing; say what has drifted")

    new = add("new", "start an exercise for your own network, and say what to write next")
    new.add_argument("name", metavar="NAME", help="rnn, or rnn.ex1; goes to solutions/ in this folder")
    new.add_argument("--forward", metavar="FILE::FUNCTION", help="the network, a function of flat lines")

    release = add("release", "make a repository for students: stubs, notebooks, fixtures; no solutions")
    release.add_argument("dir", metavar="DIR", help="where it goes: a new or empty folder")
    release.add_argument("targets", nargs="*", metavar="TARGET", help="ex1, gpt; none means all")
    release.add_argument("--update", action="store_true", help="renew a release; keep what has been edited")
    release.add_argument("--no-formulas", action="store_true", help="leave out the hints' last rung")
    release.add_argument("--policy", metavar="FILE", help="what the items are worth, for students to see")


def _teaching(add: Add) -> None:
    batch = add("batch", "grade a class: folders of submissions, or the zip that a platform exports")
    batch.add_argument(
        "paths", nargs="+", metavar="PATH", help="folders, zips (Canvas, Moodle, Gradescope), files"
    )
    batch.add_argument(
        "--exercise", metavar="NAME", help="what all files are; else each is called after its own"
    )
    batch.add_argument("--out", metavar="DIR", required=True, help="where the results go; run again to go on")
    batch.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="the cores by default"
    )
    _probes(batch)
    batch.add_argument("--require-sandbox", action="store_true", help="fail unless every protection is on")
    batch.add_argument("--dask", metavar="ADDRESS", help="send the work to a Dask cluster (extra `dask`)")
    batch.add_argument("--policy", metavar="FILE", help="points by this file (`grader policy template`)")
    batch.add_argument(
        "--times", metavar="FILE", help="when each was submitted, where no platform tells: CSV, student,time"
    )

    policy = add("policy", "print a policy to begin with, or verify one and show the points that it gives")
    policy.add_argument("action", choices=("template", "check"), help="print one, or verify FILE")
    policy.add_argument("file", nargs="?", metavar="FILE", help="the policy; its own name is free")
    policy.add_argument("targets", nargs="*", metavar="TARGET", help="with the points of each of its items")

    grades = add("grades", "fill a batch's grades into what Canvas or Moodle exports, to be imported there")
    grades.add_argument("batch", metavar="DIR", help="the folder that `grader batch` wrote")
    grades.add_argument(
        "--into", metavar="EXPORT", required=True, help="the platform's CSV; it stays as it is"
    )
    grades.add_argument("--out", metavar="FILE", required=True, help="the CSV to import")
    grades.add_argument(
        "--column", metavar="NAME", help="the column's heading, or the number of a Canvas assignment"
    )
    grades.add_argument(
        "--exercise",
        metavar="EXERCISE",
        action="append",
        help="what counts, once for each; what all students have handed in by default",
    )

    export = add("export", "write exercises as an assignment of nbgrader or of otter")
    export.add_argument("platform", choices=("nbgrader", "otter"), help="which of the two graders")
    export.add_argument("targets", nargs="+", metavar="EXERCISE", help="ex1, or a set")
    export.add_argument(
        "--out",
        default=".",
        metavar="DIR",
        help="nbgrader's course, or where otter's folders go; . by default",
    )
    export.add_argument(
        "--assignment", metavar="NAME", help="what nbgrader calls it; the exercise or the set"
    )
    export.add_argument("--points", type=float, metavar="N", help="for each item; 1 by default")
    export.add_argument("--policy", metavar="FILE", help="points by this file (`grader policy template`)")

    build_zip = add("gradescope-zip", "write the autograder that Gradescope takes as a zip", "gradescope.run")
    _gradescope(build_zip)
    build_zip.add_argument(
        "--out", metavar="FILE", default="autograder.zip", help="autograder.zip by default"
    )
    build_zip.add_argument(
        "--torch-index",
        metavar="URL",
        help="where torch comes from, such as its index without CUDA; else PyPI",
    )
    build_zip.add_argument("--wheel", metavar="FILE", help="the grader's wheel; else it is built")

    _gradescope(add("gradescope-run", "grade as Gradescope's run_autograder does, which starts it"))


def _machine(add: Add) -> None:
    server = add("server", "start, stop or look at the process that makes a second check fast")
    server.add_argument("action", choices=("start", "stop", "status"), help="what to do")

    doctor = add("doctor", "check versions, fixtures, and whether exact results reproduce here")
    doctor.add_argument(
        "--verbose",
        action="store_true",
        help="and the kernel, the limits, and what each process writes where",
    )

    completion = add("completion", "print a script that completes commands and exercises in your shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def _probes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--probes",
        metavar="SEED",
        help="grade on fresh ones of this seed, or on the saved; a secret seed where others read the grade",
    )
    command.add_argument(
        "--fixtures", metavar="DIR", help="grade on a set of your own (`grader build --private`)"
    )


def _of_notebooks(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--strict",
        action="store_true",
        help="notebooks too must be right at other sizes than the lecture's, and train all steps",
    )
    command.add_argument(
        "--rename", metavar="FILE", help='what a notebook calls otherwise: TOML, [rename] theirs = "ours"'
    )


def _points(command: argparse.ArgumentParser) -> None:
    command.add_argument("--policy", metavar="FILE", help="points by this file (`grader policy template`)")
    command.add_argument(
        "--time", metavar="TIME", help="when it was handed in, for a late penalty; now by default"
    )


def _gradescope(one: argparse.ArgumentParser) -> None:
    one.add_argument("targets", nargs="+", metavar="EXERCISE", help="ex1; gpt, for all of a set")
    _probes(one)
    one.add_argument("--prefix", metavar="DIR", default="/autograder", help="/autograder by default")
    one.add_argument("--policy", metavar="FILE", help="points by this file (`grader policy template`)")
    one.add_argument(
        "--visibility",
        choices=("visible", "after_due_date", "after_published", "hidden"),
        default="visible",
        metavar="WHEN",
        help="of tests: visible by default; after_due_date, after_published, hidden hide the total too",
    )
    one.add_argument(
        "--without", metavar="LAYER", action="append", help="do without this layer of the sandbox"
    )
