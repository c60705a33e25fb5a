"""The command's arguments, and which function of `commands/` each command is."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable

from grader import __version__

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from typing import Any

Command = argparse.ArgumentParser
Add = Callable[..., Command]


class Parser(argparse.ArgumentParser):
    """Its help is long, and read only where somebody asks for it."""

    def format_help(self) -> str:
        from grader.commands import manual

        manual.fill(self)
        return super().format_help()


def no_command(top: argparse.ArgumentParser, word: str) -> str:
    """What to say of a first word that names no command, with what may be meant; empty where it names one."""
    known = next(a.choices for a in top._actions if isinstance(a, argparse._SubParsersAction))
    if word.startswith("-") or word in known:
        return ""
    from difflib import get_close_matches

    from grader.core.course import SETS
    from grader.core.text import text

    close = get_close_matches(word.lower(), known, 1)
    named = re.fullmatch(r"(\w+\.)?ex\d+(\.\w+)?", word)
    sets = [word] if named else [s for s in SETS if s == word or sorted(s) == sorted(word)]
    meant = close[0] if close else f"check {sets[0]}" if sets else ""
    said = f" (did you mean `grader {meant}`?)" if meant else ""
    return f"there is no command {text(word, 60) or repr(word)}{said}; `grader --help` lists them"


def parser() -> argparse.ArgumentParser:
    """The whole command's; what is parsed has in `run` the function: build.run of commands/build.py."""
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
    _words(init, "DIR|SET", "a folder; sets or exercises; none means all", dest="words")
    init.usage = "grader init [-h] [--force] [DIR] [SET ...]"
    _flag(init, "--force", "put stubs in the place of yours, kept as backups")

    check = add("check", "grade exercises, or single items of them", "start.check")
    _words(check, "TARGET", "ex1, ex1.dprobs; none means all")
    _value(check, "--submission", "FILE", "grade this file instead of exercises/")
    _flag(check, "--solutions", "grade solutions/ instead (make grade-solutions)")
    _flag(check, "--all", "on a terminal: explain every failure in full, not only the first five")
    _flag(check, "--json", "print one JSON document (grader/report/v1.1)")
    _value(check, "--fresh", "SEED", "make new probes on the spot, and name their seed", nargs="?", const="")
    _probes(check)
    _flag(check, "--require-sandbox", "fail unless every protection is on")
    _flag(check, "--progress", "items not written yet don't count as failures (make grade)")
    _of_notebooks(check)
    _flag(check, "--github", "in GitHub Actions: annotations on your lines, a step summary")
    _value(check, "--classroom50", "FILE", "write Classroom 50's result.json; then exit 0")
    reporter = "GitHub Classroom's grading reporter: step output `result`; then exit 0"
    _flag(check, "--classroom-reporter", reporter)
    _value(check, "--junit", "FILE", "write JUnit XML")
    _value(check, "--codequality", "FILE", "write GitLab's code quality JSON")
    _value(check, "--prairie", "FILE", "write PrairieLearn's results.json; then exit 0")
    _flag(check, "--autolab", "print Autolab's line of scores last; then exit 0")
    _value(check, "--codegrade", "FILE", "write JUnit XML as CodeGrade counts it; then exit 0")
    _value(check, "--sealed", "DIGEST", "insist on the fixtures of a release (its workflow has the digest)")
    _flag(check, "--no-server", "grade in this process; start no server")
    _points(check)

    report = add("report", "write a page with pictures: the compute graph, heatmaps, what was found")
    _words(report, "TARGET", "ex1, ex1.dprobs; none means all")
    _value(report, "--html", "FILE", "where the page goes; report.html by default")
    _value(report, "--submission", "FILE", "of this file instead of exercises/")
    _flag(report, "--solutions", "of solutions/ instead")
    _value(report, "--class", "DIR", "of a class: the folder that `grader batch` wrote", dest="room")
    _flag(report, "--anonymous", "of a class, with numbers for names and ids: DIR/anonymous.html")
    _points(report)
    _of_notebooks(report)

    feedback = add("feedback", "copy a notebook with what was found under the cells that it belongs to")
    feedback.add_argument("notebook", metavar="NOTEBOOK", help="the file; it stays as it is")
    _words(feedback, "TARGET", "ex1; all that it holds by default", default=[])
    _value(feedback, "--out", "FILE", "the copy; NAME.feedback.ipynb by default")
    _value(feedback, "--html", "FILE", "a page of the same, to open in a browser")
    _of_notebooks(feedback)
    _points(feedback)


def _learning(add: Add) -> None:
    what = "show the course: its sets, the exercises of a set, the items of an exercise"
    _words(add("list", what, "read.listing"), "TARGET", "a set, ex1, ex1.dprobs; none: all sets")

    show = add("show", "show an item's task, forward lines, shapes and what it may ask for", "read.show")
    _words(show, "TARGET", "ex1, ex1.dprobs", "+")

    what = "give the next hint for an item: concept, shapes, an example, the formula"
    hint = add("hint", what, "learn.hint")
    _words(hint, "TARGET", "ex1.dprobs; none means the next item")
    _value(hint, "--rung", "N", "this one, from 1 to 4", type=int, choices=range(1, 5))
    _flag(hint, "--all", "all of them, the formula included")

    watch = add("watch", "stay, grade at every save, and go on from item to item")
    _words(watch, "TARGET", "ex1, ex1.dprobs, or a file; one of them")
    _flag(watch, "--go-on", "to the next item as soon as one has passed, without waiting for n")

    what = "open a Python prompt with an item's tensors, yours() and check(); not confined"
    shell = add("shell", what)
    shell.add_argument("target", metavar="TARGET", help="an item: ex1.dh")

    live = add("live", "the same as a page beside your editor: graph, heatmaps, hints, at every save")
    _words(live, "TARGET", "ex1, ex1.dprobs, or a file; one of them")
    _flag(live, "--no-browser", "open none; the page's address is printed")

    following = add("next", "show the next item to do, with its task", "learn.following")
    _words(following, "TARGET", "ex1; none means all")

    what = "explain where a tensor stands, which gradients arrive, and why they add"
    _words(add("explain", what, "learn.explanation"), "TARGET", "ex1.dcounts; ex3.bnraw", "+")

    solution = add("solution", "show the solution of an exercise or an item, after asking")
    _words(solution, "TARGET", "ex1, ex1.dprobs", "+")
    _flag(solution, "--yes", "don't ask")
    _value(solution, "--notebook", "FILE", "write an exercise's solution as a notebook")

    edit = add("edit", "open your editor at an item, or at its mistake")
    _words(edit, "TARGET", "ex1.dprobs; none means the next item", "?")

    what = "put exercises back to their stubs, keeping what was there as backups"
    reset = add("reset", what, "stubs.reset")
    _words(reset, "EXERCISE", "ex1, or a set; none means all that exercises/ has")
    _flag(reset, "--yes", "don't ask")

    train = add("train", "train what you have built, with your own functions; autograd beside your gradients")
    sets = "micrograd, bigrams, mlp, batchnorm, wavenet, gpt"
    _words(train, "SET", f"{sets}, or ex4, the default")
    _value(train, "--submission", "FILE", "ex4: take the gradients from this file")
    _flag(train, "--solutions", "take the functions from solutions/")
    _value(train, "--steps", "N", "a minute or so by default; 200000 is the lecture's run of ex4", type=int)
    _value(train, "--names", "FILE", "train on this list of names, one a line")
    _value(train, "--text", "FILE", "gpt: train on this text instead of a play that a grammar writes")
    _value(train, "--out", "FILE", "the pictures; train-SET.html or loss-ex4.svg by default")
    seed = 2147483647
    _value(train, "--seed", "N", f"{seed} by default, the lecture's", type=int, default=seed)
    _flag(train, "--no-autograd", "leave out the run by autograd")


def _authoring(add: Add) -> None:
    build = add("build", "derive stubs and fixtures from solutions/")
    _words(build, "TARGET", "ex1, gpt; none means all")
    private = "write fixtures with fresh probes to a folder, for --fixtures; change nothing here"
    _value(build, "--private", ("SEED", "DIR"), private, nargs=2)
    _flag(build, "--check", "change nothing; say what has drifted")

    new = add("new", "start an exercise for your own network, and say what to write next")
    new.add_argument("name", metavar="NAME", help="rnn, or rnn.ex1; goes to solutions/ in this folder")
    _value(new, "--forward", "FILE::FUNCTION", "the network, a function of tensors")
    _value(new, "--model", "FILE::CLASS", "the network, a torch.nn.Module")
    _value(new, "--example", "FILE::FUNCTION", "what draws the model's inputs: function(g, n=4, d=3)")
    chunks = ("fused", "atomic")
    _value(new, "--chunk", "HOW", "norms, softmax, losses, linear: each a line, or apart", choices=chunks)
    _flag(new, "--stubs", "leave the gradients to write to you")
    _value(new, "--items", "a,b,…", "the tensors that are asked for; all by default")

    release = add("release", "make a repository for students: stubs, notebooks, fixtures; no solutions")
    release.add_argument("dir", metavar="DIR", help="where it goes: a new or empty folder")
    _words(release, "TARGET", "ex1, gpt; none means all")
    _flag(release, "--update", "renew a release; keep what has been edited")
    _flag(release, "--no-formulas", "leave out the hints' last rung")
    _policy(release, "what the items are worth, for students to see")
    _wheel(release)


def _teaching(add: Add) -> None:
    about = "grade a class: folders of submissions, or the zip that a platform exports"
    batch = add("batch", about, "start.batch")
    _words(batch, "PATH", "folders, zips (Canvas, Moodle, Gradescope), files", "+", dest="paths")
    _value(batch, "--exercise", "NAME", "what all files are; else each is called after its own")
    _value(batch, "--out", "DIR", "where the results go; run again to go on", required=True)
    _value(batch, "--workers", "N", "the cores by default", type=int, default=os.cpu_count() or 1)
    _probes(batch)
    _flag(batch, "--require-sandbox", "fail unless every protection is on")
    _value(batch, "--dask", "ADDRESS", "send the work to a Dask cluster (extra `dask`)")
    _policy(batch)
    times = "when each was submitted, where no platform tells: CSV, student,time"
    _value(batch, "--times", "FILE", f"{times}; or Moodle's grading worksheet")
    _value(
        batch,
        "--roster",
        "FILE",
        "who is in the class: CSV, id,name,section,group,extension; or a platform's list",
    )
    _flag(batch, "--fresh", "grade all anew, whatever an earlier run has")
    _flag(batch, "--strict", "flat code must be right at other sizes than the lecture's too")
    _value(batch, "--rename", "FILE", "TOML with a table [rename]: names of flat code, and ours")
    _value(batch, "--owners", "FILE", "whose a file is, where its name does not tell: CSV, file,student")
    _value(batch, "--teams", "FILE", "who is in a team whose members hand in together: CSV, team,student")

    policy = add("policy", "print a policy to begin with, or verify one and show the points that it gives")
    policy.add_argument("action", choices=("template", "check"), help="print one, or verify FILE")
    policy.add_argument("file", nargs="?", metavar="FILE", help="the policy; its own name is free")
    _words(policy, "TARGET", "with the points of each of its items")

    grades = add("grades", "fill a batch's grades into what a platform exports, to be imported there")
    grades.add_argument("batch", metavar="DIR", help="the folder that `grader batch` wrote")
    _value(grades, "--into", "EXPORT", "the platform's CSV; it stays as it is", required=True)
    _value(grades, "--out", "FILE", "the CSV to import", required=True)
    _value(grades, "--column", "NAME", "the column's heading, or the number of a Canvas assignment")
    counts = "what counts, once for each; what all students have handed in by default"
    _value(grades, "--exercise", "EXERCISE", counts, action="append")

    back = add("feedback-zip", "write each student's feedback as a zip that a platform takes back")
    back.add_argument("batch", metavar="DIR", help="the folder that `grader batch` wrote")
    platforms = ("moodle", "canvas", "gradescope", "folder")
    back.add_argument("--for", choices=platforms, required=True, dest="platform", help="whose names it has")
    _value(back, "--out", "FILE", "the zip; DIR/feedback-PLATFORM.zip by default")
    _value(back, "--exercise", "EXERCISE", counts, action="append")

    insight = add("insight", "show which mistakes a graded class makes, and which submissions share them")
    insight.add_argument("batch", metavar="DIR", help="the folder that `grader batch` wrote")
    _words(insight, "PATH", "the submissions, as `grader batch` got them: to compare them", dest="paths")
    _value(insight, "--exercise", "NAME", "as `grader batch` got it")

    export = add("export", "write exercises as an assignment of nbgrader or of otter")
    export.add_argument("platform", choices=("nbgrader", "otter"), help="which of the two graders")
    _words(export, "EXERCISE", "ex1, or a set", "+")
    _value(
        export, "--out", "DIR", "nbgrader's course, or where otter's folders go; . by default", default="."
    )
    _value(export, "--assignment", "NAME", "what nbgrader calls it; the exercise or the set")
    _value(export, "--points", "N", "for each item; 1 by default", type=float)
    _wheel(export)
    _policy(export)

    build_zip = add("gradescope-zip", "write the autograder that Gradescope takes as a zip", "gradescope.run")
    _gradescope(build_zip)
    _value(build_zip, "--out", "FILE", "autograder.zip by default", default="autograder.zip")
    index = "where torch comes from, such as its index without CUDA; else PyPI"
    _value(build_zip, "--torch-index", "URL", index)
    _value(build_zip, "--wheel", "FILE", "the grader's wheel; else it is built")

    _gradescope(add("gradescope-run", "grade as Gradescope's run_autograder does, which starts it"))


def _machine(add: Add) -> None:
    server = add("server", "start, stop or look at the process that makes a second check fast")
    server.add_argument("action", choices=("start", "stop", "status"), help="what to do")

    doctor = add("doctor", "check versions, fixtures, and whether exact results reproduce here")
    _flag(doctor, "--verbose", "and the kernel, the limits, and what each process writes where")

    completion = add("completion", "print a script that completes commands and exercises in your shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def _words(
    command: Command,
    metavar: str,
    help: str,
    nargs: str = "*",
    dest: str = "targets",
    **more: Any,
) -> None:
    command.add_argument(dest, nargs=nargs, metavar=metavar, help=help, **more)


def _flag(command: Command, name: str, help: str) -> None:
    command.add_argument(name, action="store_true", help=help)


def _value(command: Command, name: str, metavar: str | tuple[str, ...], help: str, **more: Any) -> None:
    command.add_argument(name, metavar=metavar, help=help, **more)


def _policy(command: Command, help: str = "points by this file (`grader policy template`)") -> None:
    _value(command, "--policy", "FILE", help)


def _wheel(command: Command) -> None:
    help = "the grader's wheel that is to be installed: FILE or URL#sha256=…; GRADER_WHEEL by default"
    _value(command, "--wheel", "WHEEL", help)


def _probes(command: Command) -> None:
    help = "grade on fresh ones of this seed, or on the saved; a secret seed where others read the grade"
    _value(command, "--probes", "SEED", help)
    _value(command, "--fixtures", "DIR", "grade on a set of your own (`grader build --private`)")


def _of_notebooks(command: Command) -> None:
    strict = "notebooks too must be right at other sizes than the lecture's, and train all steps"
    _flag(command, "--strict", strict)
    _value(command, "--rename", "FILE", 'what a submission calls otherwise: TOML, [rename] theirs = "ours"')


def _points(command: Command) -> None:
    _policy(command)
    _value(command, "--time", "TIME", "when it was handed in, for a late penalty; now by default")


def _gradescope(one: Command) -> None:
    _words(one, "EXERCISE", "ex1; gpt, for all of a set", "+")
    _probes(one)
    _value(one, "--prefix", "DIR", "/autograder by default", default="/autograder")
    _policy(one)
    when = "of tests: visible by default; after_due_date, after_published, hidden hide the total too"
    states = ("visible", "after_due_date", "after_published", "hidden")
    _value(one, "--visibility", "WHEN", when, choices=states, default="visible")
    _value(one, "--without", "LAYER", "do without this layer of the sandbox", action="append")
