"""Write down which check each mistake and each wrong answer fails, so that a run of all tests runs it first.

    python -m tests.support.failing_checks [EXERCISE…]

The tests run every check of an answer that passes this one: a list that is old costs time, and lets nothing through.
"""

import json
import sys
import tempfile
from pathlib import Path

from rich.progress import track

from tests.conftest import COURSE
from tests.support.gates import LIKELY, NAMED, a_check_that_fails, kept_answers, likely_failures, mistaken
from tunelings.course import Exercise
from tunelings.grading import answers


def failing(exercise: Exercise, folder: Path) -> dict[str, str]:
    sources = {mistake.id: mistaken(exercise, mistake, 0) for mistake in exercise.card.mistakes}
    sources |= {path.name: answers.read(path) for path in kept_answers("wrong", exercise)}
    known = likely_failures().get(exercise.number, {})
    found = {
        name: a_check_that_fails(exercise, source, 0, folder, known.get(name, "")) for name, source in sources.items()
    }
    return {name: check for name, check in sorted(found.items()) if check}


def main() -> None:
    chosen = [COURSE.find(name) for name in sys.argv[1:]] or [e for e in COURSE.exercises if e.number not in NAMED]
    written = dict(likely_failures())
    for exercise in track(chosen):
        with tempfile.TemporaryDirectory() as folder:
            written[exercise.number] = failing(exercise, Path(folder))
        LIKELY.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
