"""Whose file is it? Paths as the platforms name them, put together by student. Pure.

Facts: Canvas names a file `{sortable name}[_LATE]_{user id}_{attachment id}_{file name}`, or
`[LATE_]anon_{id}_{attachment id}_{file name}`, a repeated upload `name-1.py`, `name-2.py`, and a text or
a link `…_{user id}_text.html`. Moodle makes a folder `{full name}_{participant id}_assignsubmission_file/`
(older ones end in `_`), or flat `…_file_{file name}`; blind marking calls everybody by its word for a
participant, and a team's folder `{group}_{group id}_…`, that of who is in none `{word for it}_…`. Gradescope
makes `…_export/submission_{id}/` and lists the people in `submission_metadata.yml`. Brightspace makes
`{user id}-{folder id} - {name} - {date}/{file name}` for each attempt, or the same without a folder,
`… - {file name}`, the date in the language of the site; Blackboard
`{assignment}_{user}_attempt_{time}_{file name}` and a `.txt` for each, Sakai `{last}, {first}({user})/`
with a `timestamp.txt`, and a group's `{group} ({id})/` with a `members.txt`,
Teams `Submitted files/{name}/{assignment}/Version {n}/` beside `Working files/`, ILIAS
`{last}_{first}_{login}_{id}/{time}_{file name}`, Autolab `{address}_{version}_{file name}`, and GitHub
Classroom's folders are whole repositories. Google Classroom puts a name only before the copies it made.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

CANVAS = re.compile(
    r"(?P<name>.*?)(?P<late>_LATE)?_(?P<id>\d+)_(?:\d+_(?P<file>.+)|(?P<text>(?:text|link)\.html))"
)
CANVAS_BLIND = re.compile(
    r"(?P<late>LATE_)?anon_(?P<id>\w+?)_(?:\d+_(?P<file>.+)|(?P<text>(?:text|link)\.html))"
)
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?")
# of a folder the last number is Moodle's: a name, which a student may choose, stands before it
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)")
MOODLE_NOBODY = re.compile(r"(?P<name>.+?)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?")
MOODLE_BLIND = frozenset(
    ("Participant", "Teilnehmerin", "Teilnehmer/in", "Participante", "Partecipante", "成员")
)
PARTICIPANT = re.compile(r"\D+(\d+)")  # what Moodle's lists call one: its word, and the number
TEAM = re.compile(r"(?i)(?:team|group|gruppe|groupe|grupo|gruppo|equipo|équipe|groep|小组|组|группа)\b\W*\w+")
GRADESCOPE = re.compile(r"submission_(?P<id>\d+)")
BRIGHTSPACE = re.compile(
    r"(?P<id>\d+)-\d+ - (?P<name>.+) - (?P<day>(?=.*\d{4})(?:(?! - )[\w ,.-])+)"
    r" (?P<hour>\d{1,2})[.:]?(?P<minute>\d\d)(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: - (?P<file>[^/]+))?"
)
DAYS = ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%Y-%m-%d")  # in other languages none is known
BLACKBOARD = re.compile(
    r"(?P<task>.+?)_(?P<id>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<note>\.txt))"
)
SAKAI = re.compile(r"(?P<name>.+,.*)\((?P<id>[^()\s]+)\)")
ILIAS = re.compile(r"(?P<name>.+)_(?P<login>[^_]+)_(?P<id>\d+)")
ILIAS_FILE = re.compile(r"(?P<time>\d{14})_(?P<file>.+)")
TEAMS = re.compile(r"(?P<name>[^/]+)/[^/]+/Vers\w+ (?P<number>\d+)/(?P<file>.+)")
HANDED = "Submitted files"
WORKED = re.compile(rf"(?:[^/]+/)?(?P<of>{HANDED}|Working files)/")  # the second are not handed in
AUTOLAB = re.compile(r"(?P<id>[^/\s@]+@[^/\s@_]+)_(?P<number>\d+)_(?P<file>.+)")
GOOGLE = re.compile(r"(?P<name>.+) - (?P<file>[^/]+\.(?:py|ipynb))")
REPEATED = re.compile(r"(?P<stem>.+)-(?P<number>\d+)(?P<suffix>\.\w+)")
IGNORED = re.compile(r"(^|/)(__MACOSX|__pycache__|\.[^/]*)(/|$)")
METADATA = "submission_metadata.yml"
ATTACHED = "Submission attachment(s)/"  # Sakai's folder in a student's
# beside what students hand in: Brightspace's, Sakai's, GitHub Classroom's
LISTS = ("index.html", "grades.csv")
STAMP, MEMBERS = "timestamp.txt", "members.txt"  # Sakai's own, of a student and of a group
SERVICE = frozenset((STAMP, MEMBERS, "comments.txt", "feedbackText.html"))
RETURNED = "Feedback Attachment(s)/"  # what an instructor has given back there
SEVERAL = re.compile(r".+\(\d+\)(?:\.\w+)+")  # one more file of a name: of a class's folder, it may be
NUMBERED = re.compile(r" ?\(\d+\)$")  # how a platform tells files of one name apart
WORK = "exercises"  # the folder of a repository of ours that a student writes in


@dataclass(frozen=True)
class Owned:
    """One file: its path in the upload, whose it is, and what it is called there."""

    path: str
    student: str  # the key by which files belong together
    name: str  # for people
    file: str
    late: bool = False
    number: int = 0  # of a repeated upload
    time: datetime | None = None  # of the attempt, without an offset, where the platform's name tells
    team: bool = False
    nameless: bool = False  # nothing tells whose it is but what the file is called
    declared: str | None = None  # the exercise that it was derived for, whatever it is called now
    flat: bool = False  # a script of the lecture's exercises
    untouched: bool = False  # as it was released


def owners(paths: Iterable[str], people: Mapping[str, str], label: str = "") -> list[Owned]:
    """The owner of every file. people: names by a platform's folder or login, where it tells.

    label: what the folder or zip of the paths is called: of one student's repository it is the student.
    """
    kept = sorted(p for p in paths if not IGNORED.search(p) and PurePosixPath(p).name != METADATA)
    if label and any(p.startswith(f"{WORK}/") for p in kept):
        return _composed(_work([Owned(p, label, label, p) for p in kept], ""))
    inner = without_common_folder(kept)
    listed = any("/" in p or BRIGHTSPACE.fullmatch(p) for _, p in inner)
    around = {path.removesuffix(f"/{p}") for path, p in inner if path != p} or {label}
    groups = {p.removesuffix(f"/{MEMBERS}") for _, p in inner if p.endswith(f")/{MEMBERS}")}
    owned = [
        _owner(path, people, groups)
        for path in inner
        if not (listed and path[1] in LISTS or RETURNED in path[1])
    ]
    return _composed(_work(owned, around.pop()))


def handed_in(paths: Sequence[str]) -> list[str]:
    """All paths but what Teams has of students who are still at work on it, beside what they handed in."""
    of = {p: match["of"] for p in paths if (match := WORKED.match(p))}
    if HANDED not in of.values() or any(p not in of and not IGNORED.search(p) for p in paths):
        return [*paths]
    return [p for p, what in of.items() if what == HANDED]


def composed(name: str) -> str:
    """A name as keyboards and lists write it: a Mac writes its marks as characters of their own."""
    return unicodedata.normalize("NFC", name)


def _composed(owned: list[Owned]) -> list[Owned]:
    return [replace(o, student=composed(o.student), name=composed(o.name)) for o in owned]


def listed_owner(path: str, whose: Mapping[str, str]) -> Owned | None:
    """The file with the owner whom a table of the instructor's names, of it or of the zip or folder it is in.

    A platform numbers files of one name as it meets them, which says nothing of what is newer.
    """
    parts = composed(path).split("/")
    for n in range(len(parts), 0, -1):
        if name := whose.get("/".join(parts[:n])):
            return Owned(path, name, name, _unnumbered("/".join(parts[n:]) or parts[-1]))
    return None


def _unnumbered(file: str) -> str:
    path = PurePosixPath(file)
    return str(path.with_name(NUMBERED.sub("", path.stem) + path.suffix))


def _work(owned: list[Owned], around: str) -> list[Owned]:
    """Of a repository of ours the files that a student writes in, and nothing that lies beside them.

    around: the folder that all lie in: GitHub Classroom's is `{assignment}-submissions`, and a
    repository in it `{assignment}-{user}`.
    """
    repositories = {o.student for o in owned if o.file.startswith(f"{WORK}/")}
    task = f"{around.removesuffix('-submissions')}-" if around.endswith("-submissions") else ""

    def own(o: Owned) -> Owned:
        who = o.student.removeprefix(task) or o.student
        name = who if o.name == o.student else o.name
        return replace(o, student=who, name=name, file=o.file.removeprefix(f"{WORK}/"))

    return [
        own(o) if o.student in repositories else o
        for o in owned
        if o.student not in repositories or o.file.startswith(f"{WORK}/")
    ]


def without_common_folder(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Paths with the one folder that all lie in taken off, unless that folder is a student's."""
    tops = {p.split("/", 1)[0] for p in paths}
    if len(tops) == 1 and all("/" in p for p in paths):
        top = tops.pop()
        folders = (GRADESCOPE, BRIGHTSPACE, SAKAI)
        platform = MOODLE.fullmatch(top.rstrip("_")) or any(f.fullmatch(top) for f in folders)
        # with files right in it, it is a student's own folder; with folders in it, the class's
        flat = (CANVAS, CANVAS_BLIND, MOODLE, BRIGHTSPACE, BLACKBOARD, GOOGLE, AUTOLAB)
        inner = [p.split("/")[1] for p in paths]
        if not platform and any(
            p.count("/") > 1 or SEVERAL.fullmatch(head) or any(f.fullmatch(head) for f in flat)
            for p, head in zip(paths, inner, strict=True)
        ):
            return [(p, p.split("/", 1)[1]) for p in paths]
    return [(p, p) for p in paths]


def _owner(path: tuple[str, str], people: Mapping[str, str], groups: Container[str]) -> Owned:
    whole, inner = path
    head, _, rest = inner.partition("/")
    if not rest or head.lower().endswith(".zip"):  # a student's zip, opened, is called as his file
        return _flat(whole, head, rest, people)
    if match := GRADESCOPE.fullmatch(head):
        return Owned(whole, match["id"], people.get(head, head), rest)
    if match := MOODLE_FOLDER.fullmatch(head.rstrip("_")):
        return _moodle(whole, match, rest)
    if match := MOODLE_NOBODY.fullmatch(head.rstrip("_")):
        return Owned(whole, match["name"], match["name"], rest, team=True)
    if match := BRIGHTSPACE.fullmatch(head):
        return Owned(whole, match["id"], match["name"], rest, time=_day(match))
    if head in groups:
        return Owned(whole, head, head, rest.removeprefix(ATTACHED), team=True)
    if match := SAKAI.fullmatch(head):
        return Owned(whole, match["id"], match["name"], rest.removeprefix(ATTACHED))
    if match := TEAMS.fullmatch(inner):
        return Owned(whole, match["name"], match["name"], match["file"], number=int(match["number"]))
    if (match := ILIAS.fullmatch(head)) and (file := ILIAS_FILE.fullmatch(rest)):
        time = _read(file["time"], "%Y%m%d%H%M%S")
        return Owned(whole, match["id"], match["name"].replace("_", ", ", 1), file["file"], time=time)
    return Owned(whole, head, head, rest)


def _flat(path: str, head: str, rest: str, people: Mapping[str, str]) -> Owned:
    """A file whose name tells whose it is. rest: its path in a zip that is called `head`."""
    if match := BLACKBOARD.fullmatch(head):
        time = _read(match["time"], "%Y-%m-%d-%H-%M-%S")
        file, who = rest or match["file"] or head, blackboard_user(match, people)
        return Owned(path, who, people.get(who, who), file, time=time)
    # with two marks nobody can tell which is Moodle's, and which a name's or a file's
    if (match := MOODLE.fullmatch(head)) and match["file"] and head.count("_assignsubmission_") == 1:
        return _moodle(path, match, rest or match["file"])
    if (match := MOODLE_NOBODY.fullmatch(head)) and head.count("_assignsubmission_") == 1:
        return Owned(path, match["name"], match["name"], rest or match["file"] or head, team=True)
    if (match := BRIGHTSPACE.fullmatch(head)) and match["file"]:
        return Owned(path, match["id"], match["name"], rest or match["file"], time=_day(match))
    if match := AUTOLAB.fullmatch(head):
        who = match["id"]
        return Owned(path, who, who, rest or match["file"], number=int(match["number"]))
    if match := CANVAS_BLIND.fullmatch(head):
        return _canvas(path, match, f"anon_{match['id']}", rest)
    if match := CANVAS.fullmatch(head):
        return _canvas(path, match, match["name"] or match["id"], rest)
    if match := GOOGLE.fullmatch(head):
        return Owned(path, match["name"], match["name"], _unnumbered(match["file"]), nameless=True)
    stem = PurePosixPath(head).stem
    return Owned(path, stem, stem, rest or head, nameless=True)


def blackboard_user(match: re.Match[str], known: Container[str]) -> str:
    """The login before an attempt's mark; it may have a _, as the assignment may: the longest known."""
    parts = f"{match['task']}_{match['id']}".split("_")
    return next((who for n in range(len(parts)) if (who := "_".join(parts[n:])) in known), parts[-1])


def _day(match: re.Match[str]) -> datetime | None:
    """Brightspace's time of an attempt, if its language is known."""
    hour, half = int(match["hour"]), (match["half"] or "").upper()
    hour = hour % 12 + 12 * (half == "P") if half else hour
    told = f"{match['day'].replace(',', '')} {hour}:{match['minute']}"
    return next((time for form in DAYS if (time := _read(told, f"{form} %H:%M"))), None)


def _read(time: str, form: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return datetime.strptime(time, form)
    return None


def _moodle(path: str, match: re.Match[str], file: str) -> Owned:
    """A team goes by its name: its number may be that of a participant who is another."""
    name, number = match["name"], match["id"]
    if TEAM.fullmatch(name):
        return Owned(path, name, name, file, team=True)
    return Owned(path, number, f"Participant {number}" if name in MOODLE_BLIND else name, file)


def _canvas(path: str, match: re.Match[str], name: str, rest: str) -> Owned:
    file, number = match["file"] or match["text"], 0
    if again := REPEATED.fullmatch(file):
        file, number = again["stem"] + again["suffix"], int(again["number"])
    return Owned(path, match["id"], name, rest or file, bool(match["late"]), number)
