"""When something was handed in, as Gradescope says: the files that it gives out have the date of the download.

What "Export Submissions" gives has `submission_metadata.yml` beside the folders of the submissions, written by Ruby:

    submission_12345:
      :submitters:
      - :name: Ann Lee
      :created_at: 2026-11-29 10:00:00.123456000 Z

and an autograder finds `submission_metadata.json`, with "created_at" at its top, beside the folder `submission`
(https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunelings.course import CourseError

EXPORTED, IN_AUTOGRADER = "submission_metadata.yml", "submission_metadata.json"


def of_export(place: Path) -> dict[str, datetime]:
    """When each folder of an export was handed in, by its name; nothing where there is no such file.

    Raises:
        CourseError: the file is there and can't be read.
    """
    found = _read(place / EXPORTED, _yaml)
    times = {name: _time(one.get(":created_at")) for name, one in found.items() if isinstance(one, dict)}
    return {str(name): time for name, time in times.items() if time is not None}


def of_autograder(submission: Path) -> datetime | None:
    """When the submission that an autograder runs on was handed in; None where nothing beside it says so.

    Raises:
        CourseError: the file is there and can't be read.
    """
    return _time(_read(submission.parent / IN_AUTOGRADER, json.loads).get("created_at"))


def _read(path: Path, parse: Callable[[str], Any]) -> dict[Any, Any]:
    if not path.is_file():
        return {}
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = str(error).split("\n", 1)[0]
        raise CourseError(f"{path} can't be read, and it says when things were handed in: {said}") from None
    return found if isinstance(found, dict) else {}


def _yaml(text: str) -> Any:
    import yaml

    try:  # The C loader, where libyaml is there: an export holds each student's results, too.
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _time(value: Any) -> datetime | None:
    """A time of either file; one without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
