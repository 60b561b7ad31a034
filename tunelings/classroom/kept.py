"""Results on disk, under the hash of all that they depend on (`keys.py`). No name of a student is in them.

    OUT/results/3f/3f9c….json    {"version": 1, "told": {…}}

Only the process that decides writes here, and each file whole: a run that is killed at any moment goes on where it was.
"""

from __future__ import annotations

import json
from pathlib import Path

from tunelings.classroom.keys import VERSION
from tunelings.classroom.records import Outcome
from tunelings.classroom.told import NotOfThisForm, Told, read
from tunelings.writing import write_atomically

KEPT = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.NOT_STARTED, Outcome.BROKEN})
# A busy machine may have a part in these: they are kept once they came out so with nothing else running.
KEPT_IF_ALONE = KEPT | {Outcome.TIMEOUT, Outcome.MEMORY}


class Kept:
    """The results in one folder, which several runs may share."""

    def __init__(self, folder: Path):
        self.folder = folder

    def get(self, key: str) -> Told | None:
        """What was kept under this key; what is damaged was not."""
        try:
            stored = json.loads(self._path(key).read_bytes())
            return read(json.dumps(stored["told"]).encode()) if stored["version"] == VERSION else None
        except (OSError, ValueError, KeyError, TypeError, NotOfThisForm):
            return None

    def put(self, key: str, told: Told) -> None:
        """Keep a result. Raises OSError where the folder can't be written to."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        told = told.model_copy(update={"id": ""})
        write_atomically(path, json.dumps({"version": VERSION, "told": told.model_dump(mode="json")}) + "\n")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
