"""Feedback on its way back: a page and a text each, under names that a platform matches.

Facts: Moodle takes a zip of feedback files that are called as its own export calls the submissions,
`{name}_{number}_assignsubmission_file_{file}`. Canvas takes a zip of submissions back, and gives each file,
`{name}_{user}_{attachment}_{file}`, to the student whose attachment it names. Gradescope takes none back: its
folders are for whoever sends them on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from grader.classroom.gradebook import OURS, Grade
from grader.classroom.remarks import Remark
from grader.core.text import text
from grader.core.verdict import Verdict, place
from grader.reports.pages.html import kind, legend, page
from grader.reports.table import verdict_line, words
from grader.submissions.owners import CANVAS, CANVAS_BLIND, GRADESCOPE, MOODLE

UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # what Windows calls its devices
NAMED = 8  # items that a comment names


def own_name(result: Mapping[str, Any], platform: str) -> str:
    """Where a student's feedback goes in the zip, but for the file's ending; empty where nothing tells it."""
    parts = result["submission"].split("/")
    for part in parts[::-1] if platform != "folder" else ():
        if (
            platform == "moodle"
            and (match := MOODLE.fullmatch(part.rstrip("_")))
            and match["id"] == result["student"]
        ):
            return f"{match['name']}_{match['id']}_assignsubmission_file_feedback"
        if (
            platform == "canvas"
            and (match := CANVAS.fullmatch(part) or CANVAS_BLIND.fullmatch(part))
            and match["file"]
        ):
            return f"{part[: match.start('file')]}feedback"
        if platform == "gradescope" and GRADESCOPE.fullmatch(part):
            return f"{part}/feedback"
    if platform != "folder":
        return ""
    return f"{safe(result['student'])}/feedback"


def safe(student: str) -> str:
    """What a student's folder or file may be called on any system."""
    name = UNSAFE.sub("_", student).strip(". ") or "_"
    return f"_{name}" if RESERVED.fullmatch(name.split(".")[0].strip()) else name


def comment(results: Iterable[Mapping[str, Any]], grade: Grade | None, remark: Remark | None) -> str:
    """A student's grade in a line, with what did not pass, for a platform's column of comments."""
    said = [f"{OURS}{grade.score} of {grade.of}" if grade else f"{OURS}none"]
    for result in results:
        said += [text(result["problem"])] if result["problem"] else []
        for exercise in result["exercises"]:
            said += exercise["deductions"]
            short = [f"{i['id']} ({words(i['verdict'])})" for i in exercise["items"] if not i["passed"]]
            more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
            said += [f"not passed: {', '.join(short[:NAMED])}{more}"] if short else []
    return "; ".join([*said, *([remark.said] if remark and remark.said else [])])


def own(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as its student may read it: no other student, no folder of the instructor's."""
    return {**result, "submission": result["submission"].rpartition("/")[2], "identical_to": None}


def feedback(result: Mapping[str, Any], grade: Grade | None, remark: Remark | None) -> str:
    """A student's page, which loads nothing from elsewhere."""
    items = [item for exercise in result["exercises"] for item in exercise["items"]]
    rows = [
        (
            item["id"],
            kind(Verdict(item["verdict"])),
            f"{item['score']} of {item['max_score']}",
            verdict_line(
                Verdict(item["verdict"]),
                item["diagnosis"],
                item["reason"],
                item["note"],
                place(item.get("cell"), item["line"], item.get("execution_count")),
            ),
        )
        for item in items
    ]
    return page(
        "given.html",
        "Feedback",
        text(result["name"] or result["student"]),
        grade=grade,
        remark=remark.said if remark else "",
        legend=legend(Verdict(item["verdict"]) for item in items),
        notes=[text(n) for n in (result["problem"], *result["notes"]) if n]
        + [d for e in result["exercises"] for d in e["deductions"]],
        rows=[
            (text(i), k, p, text(said.removeprefix(k[2]).removeprefix(": "), 3000)) for i, k, p, said in rows
        ],
        output=result["output"],
    )
