"""The report as JUnit XML, which GitLab and most other services read. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from grader.core.verdict import ItemReport, Report, Verdict
from grader.reports.table import row


def render(report: Report, paths: Mapping[str, str], codegrade: bool = False) -> str:
    """A suite for each exercise, a case for each item; what is not written is skipped, not failed.

    codegrade: as CodeGrade reads it, which documents that it doesn't know `properties`, and that a score is
    the part of the tests *that were run* that pass: what is not written fails there.
    """
    root = ET.Element("testsuites", name="grader")
    for exercise in report.exercises:
        skipped = 0 if codegrade else sum(i.verdict is Verdict.NOT_WRITTEN for i in exercise.items)
        failures = len(exercise.items) - exercise.right - skipped
        counts = {"tests": len(exercise.items), "failures": failures, "skipped": skipped, "errors": 0}
        suite = ET.SubElement(root, "testsuite", {k: str(v) for k, v in counts.items()}, name=exercise.id)
        if exercise.marks and not codegrade:
            _properties(suite, score=exercise.score, max_score=exercise.max_score)
        for item in exercise.items:
            _case(suite, item, paths[exercise.id], codegrade)
    if report.output and len(root):
        ET.SubElement(root[0], "system-out").text = report.output
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, item: ItemReport, path: str, codegrade: bool) -> None:
    exercise, _, name = item.id.rpartition(".")
    case = ET.SubElement(suite, "testcase", classname=exercise, name=name, file=path, time="0")
    check = item.check
    told: dict[str, object] = {}
    if check.maxdiff is not None:
        told = {"exact": str(check.exact).lower(), "approx": str(check.approx).lower()}
        told["maxdiff"] = check.maxdiff
    if item.marks:
        told |= {"score": item.score, "max_score": item.max_score}
    if told and not codegrade:
        _properties(case, **told)
    if item.verdict is Verdict.NOT_WRITTEN and not codegrade:
        ET.SubElement(case, "skipped", message="not written")
    elif not item.passed:
        failure = ET.SubElement(case, "failure", type=item.verdict.value, message=row(item)[-1])
        failure.text = f"{path}, {item.place}" if item.place else path


def _properties(element: ET.Element, **told: object) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in told.items():
        ET.SubElement(properties, "property", name=name, value=str(value))
