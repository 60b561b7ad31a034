"""How an answer fails, as a vector: for each check whether, at what expectation, with which value and notes.

A known mistake is an edit of the reference. Run like any answer it leaves a vector too; those are run as far
as they are asked for, and kept on disk.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import io
import json
import os
import platform
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tunelings.cards import Mistake
from tunelings.course import PACKAGE, CourseError, Exercise
from tunelings.expect import CheckFailed
from tunelings.grading import environment
from tunelings.grading.answers import Source, read
from tunelings.grading.fingerprint import RANDOM, agree, fingerprint, has_unknown
from tunelings.grading.limits import TEXT, OutOfTime, time_limit
from tunelings.grading.run import Result, checks_of, has_mark, limit_of, run_check
from tunelings.grading.states import CheckState
from tunelings.plain import safe_str
from tunelings.writing import parsed, read_regular

# A value that differs between these depends on the global generators, so it can only be called random.
GLOBAL_SEEDS = (0, 1, 2)

Check = Callable[..., None]


@dataclass(frozen=True)
class Outcome:
    """What one check said of an answer, in a form that can be stored; `value` and `notes` are fingerprints."""

    check: str
    state: CheckState
    what: str
    value: Any
    notes: dict[str, Any]

    @property
    def failed(self) -> bool:
        return self.state != CheckState.PASSED


Vector = dict[str, Outcome]  # by the check's name


def apply(mistake: Mistake, form: int, solution: str) -> str:
    """The text of a wrong answer: the solution with the edits of one form of the mistake."""
    text = solution
    for old, new in mistake.forms[form]:
        if solution.count(old) != 1:
            raise CourseError(f"{mistake.id}: {old!r} stands {solution.count(old)} times in the solution, not once.")
        if old not in text:
            raise CourseError(f"{mistake.id}: {old!r} was changed by an edit before it.")
        text = text.replace(old, new)
    return text


def checks_for(exercise: Exercise) -> list[Check]:
    """The checks that vectors are made of: all but those that train for seconds, which tell no mistakes apart."""
    checks = checks_of(exercise.check_path, exercise.check_names())
    return [check for check in checks if not has_mark(check, "trains")]


def vector_of(exercise: Exercise, source: Source, seed: int) -> Vector:
    """Run the checks of an exercise on one answer, quietly, and again where they fail."""
    return _collected(checks_for(exercise), lambda check: outcome_of(check, source, seed))


def _collected(checks: list[Check], outcome: Callable[[Check], Outcome]) -> Vector:
    vector = {}
    for check in checks:
        found = outcome(check)
        vector[found.check] = found
        if found.state.ends_the_run:
            break
    return vector


def outcome_of(check: Check, source: Source, seed: int) -> Outcome:
    """What one check says of an answer; where it fails, run under several global seeds."""
    with tempfile.TemporaryDirectory(prefix="tunelings-") as name, silence():
        folder = Path(name)
        results = [run_apart(check, source, seed, GLOBAL_SEEDS[0], folder)]
        if results[0].state.is_failure and not results[0].state.ends_the_run:
            results += [run_apart(check, source, seed, other, folder) for other in GLOBAL_SEEDS[1:]]
        try:
            with time_limit(TEXT):
                return _agreed([stored(result) for result in results])
        except OutOfTime:  # What the answer gave cannot be shown.
            return Outcome(check.__name__, CheckState.TIMEOUT, "", None, {})


def run_apart(check, source: Source, seed: int, global_seed: int, folder: Path) -> Result:
    """One check outside pytest; `folder` is where its `tmp_path` is made."""
    fixtures = {}
    if "tmp_path" in inspect.signature(check).parameters:
        fixtures["tmp_path"] = Path(tempfile.mkdtemp(dir=folder))
    return run_check(check, source, seed=seed, global_seed=global_seed, limit=limit_of(check), fixtures=fixtures)


@contextlib.contextmanager
def silence():
    """Keep what an answer prints off the screen."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _agreed(outcomes: list[Outcome]) -> Outcome:
    """The first of several runs of a check; what the others do not agree with is called random."""
    first = outcomes[0]
    notes = {name: _steady(note, [one.notes.get(name) for one in outcomes]) for name, note in first.notes.items()}
    return replace(first, value=_steady(first.value, [one.value for one in outcomes]), notes=notes)


def _steady(first: Any, values: list[Any]) -> Any:
    """A value that has no fingerprint is not random: nothing is known of it."""
    return first if has_unknown(first) or all(agree(value, first) for value in values) else RANDOM


def stored(result: Result) -> Outcome:
    """What one run of a check said of an answer."""
    error = result.error
    what, value = "", None
    if isinstance(error, CheckFailed):
        what, value = error.what, fingerprint(error.evidence)
    elif result.state == CheckState.FAILED:
        what, value = "the names that the answer defines", fingerprint(safe_str(error))
    elif result.state in {CheckState.CRASHED, CheckState.ESCAPED}:
        # The words sorted: a message that prints a set has another order in each process.
        what, value = type(error).__name__, " ".join(sorted(re.findall(r"\w+", safe_str(error))))
    notes = {name: fingerprint(note) for name, note in result.notes.items()}
    return Outcome(result.check, result.state, what, value, notes)


class MistakeVectors:
    """The vectors of every form of every mistake of one exercise, run as far as they are asked for.

    What has been run is kept in `.tunelings/vectors`, under a hash of all that it depends on.
    """

    def __init__(self, exercise: Exercise, seed: int):
        self.exercise, self.seed = exercise, seed
        self.forms = [(mistake, form) for mistake in exercise.card.mistakes for form in range(len(mistake.forms))]
        self.checks = checks_for(exercise)
        name = f"{exercise.number}-{seed}-{_dependencies_hash(exercise, seed)}.json"
        self.path = exercise.root / ".tunelings" / "vectors" / name
        self._vectors = _read_cache(self.path, len(self.forms))
        self._solution = read(exercise.solution_path).text
        self._grown = False

    def outcome(self, index: int, check: Check) -> Outcome:
        """What one check says of the form `self.forms[index]`."""
        vector = self._vectors[index]
        if check.__name__ not in vector:
            vector[check.__name__] = outcome_of(check, self._source(index), self.seed)
            self._grown = True
        return vector[check.__name__]

    def vector(self, index: int) -> Vector:
        return _collected(self.checks, lambda check: self.outcome(index, check))

    def all(self) -> list[tuple[Mistake, Vector]]:
        """Every form of every mistake with its whole vector; all of it is kept."""
        vectors = [(mistake, self.vector(index)) for index, (mistake, _) in enumerate(self.forms)]
        self.save()
        return vectors

    def _source(self, index: int) -> Source:
        mistake, form = self.forms[index]
        path = self.exercise.solution_path.with_name(f"{self.exercise.name}-{mistake.id}-{form}.py")
        return Source(path, apply(mistake, form, self._solution))

    def save(self) -> None:
        """Keep what was run; a read-only folder only means that it is run again."""
        if not self._grown:
            return
        path = self.path
        stored = [{name: asdict(outcome) for name, outcome in vector.items()} for vector in self._vectors]
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.json"):
                if old != path:
                    old.unlink(missing_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(stored), encoding="utf-8")
            os.replace(temporary, path)


def _dependencies_hash(exercise: Exercise, seed: int) -> str:
    """A hash of all that a vector depends on: the exercise, the seed, this package, and what is installed."""
    digest = hashlib.sha256(f"{platform.python_version()} {seed}".encode())
    for path in (exercise.check_path, exercise.card_path, exercise.solution_path):
        digest.update(read_regular(path).encode() + b"\0")
    digest.update(surroundings_hash())
    return digest.hexdigest()[:16]


@functools.cache
def surroundings_hash() -> bytes:
    """A hash of every file of this package, and of the version of each package that the course needs."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes() + b"\0")
    for requirement, version in environment.installed().items():
        digest.update(f"{requirement.name} {version}\n".encode())
    return digest.digest()


def _read_cache(path: Path, count: int) -> list[Vector]:
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):  # Absent or damaged: a cache.
        stored = parsed(read_regular(path))
        vectors = [{name: read_outcome(outcome) for name, outcome in vector.items()} for vector in stored]
        if len(vectors) == count:
            return vectors
    return [{} for _ in range(count)]


def read_outcome(stored: dict) -> Outcome:
    return Outcome(**{**stored, "state": CheckState(stored["state"])})
