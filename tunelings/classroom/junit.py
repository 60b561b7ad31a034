"""junit.xml: a suite for each student, a case for each exercise, as CI servers read it.

What has no pass is a failure, and what has no verdict an error: no server shows either as green.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from tunelings.classroom.feedback import SAYS, seen
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.table import Table, is_pass
from tunelings.grading.text import visible

ERRORS = frozenset({Outcome.NO_VERDICT, Outcome.TAMPERED})


def junit(table: Table, titles: Mapping[str, str]) -> bytes:
    """The XML; every character that XML 1.0 forbids is written out."""
    root = ET.Element("testsuites", name="tunelings")
    for student in table.klass.students:
        rows = table.of_student(student)
        counts = {
            "tests": len(rows),
            "failures": sum(not is_pass(row) and row.outcome not in ERRORS for row in rows),
            "errors": sum(row.outcome in ERRORS for row in rows),
            "skipped": 0,
        }
        suite = ET.SubElement(root, "testsuite", {"name": student, **{name: str(n) for name, n in counts.items()}})
        suite.set("time", f"{sum(row.seconds or 0 for row in rows):.2f}")
        for row in rows:
            _case(suite, row, titles)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _case(suite: ET.Element, row: Graded, titles: Mapping[str, str]) -> None:
    name = visible(f"{row.exercise} {titles.get(row.exercise, '')}".strip())
    case = ET.SubElement(suite, "testcase", classname=row.student, name=name, time=f"{row.seconds or 0:.2f}")
    if is_pass(row):
        return
    kind = "error" if row.outcome in ERRORS else "failure"
    said = visible(row.reason or SAYS.get(row.outcome, "A check fails."))
    problem = ET.SubElement(case, kind, type=row.outcome.value, message=said)
    problem.text = seen(row) or said
