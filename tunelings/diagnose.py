"""Which known mistake fails in the same way as an answer.

A mistake is an edit of the reference. Run like any answer it leaves a vector: for each check whether it
failed, at what expectation, with which value and which notes. An answer is named after a mistake by the
rule in `name_mistake`; where the vectors do not agree, nothing is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tunelings import __version__
from tunelings.answers import Source, read
from tunelings.course import CourseError, Exercise, Mistake
from tunelings.fingerprint import RANDOM, agree, fingerprint
from tunelings.run import Result, checks_of, has_mark, limit_of, run_check

# A value that differs between these depends on the global generators, so it can only be called random.
GLOBAL_SEEDS = (0, 1, 2)
_GRADER = [
    Path(__file__).with_name(f"{name}.py")
    for name in ("answers", "contain", "diagnose", "expect", "fingerprint", "inputs", "run")
]
# Nothing is named for an answer that is not finished, does not load or does not end.
SILENT = {"todo", "broken", "timeout"}


@dataclass(frozen=True)
class Entry:
    """One check's part of a vector; `value` and `notes` are fingerprints."""

    check: str
    status: str
    what: str
    value: Any
    notes: dict[str, Any]

    @property
    def failed(self) -> bool:
        return self.status != "passed"


Vector = dict[str, Entry]


@dataclass(frozen=True)
class Diagnosis:
    """The mistakes (one, or two that no check tells apart) that fail as the answer does."""

    mistakes: tuple[Mistake, ...]
    unexplained: int  # other failing checks that the mistake passes


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


def vector_of(exercise: Exercise, source: Source, seed: int) -> Vector:
    """Run all checks of the exercise on one answer, quietly, and again where they fail."""
    checks = checks_of(exercise.check_path, exercise.check_names())
    vector = {}
    with tempfile.TemporaryDirectory(prefix="tunelings-") as folder, silence():
        for check in checks:
            if has_mark(check, "trains"):
                continue  # Seconds for each mistake, and a trained accuracy tells none of them apart.
            try:
                results = [run_apart(check, source, seed, GLOBAL_SEEDS[0], Path(folder))]
            except pytest.skip.Exception:
                continue  # It says that it cannot run here.
            if results[0].status in {"failed", "crashed", "escaped"}:
                results += [run_apart(check, source, seed, s, Path(folder)) for s in GLOBAL_SEEDS[1:]]
            vector[check.__name__] = _entry(results)
            if results[0].status in SILENT:
                break  # Nothing will be named, so nothing more need run.
    return vector


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


def _entry(results: list[Result]) -> Entry:
    prints = [_print(result) for result in results]
    first = prints[0]
    stable_value = all(agree(p.value, first.value) for p in prints)
    notes = {
        name: note if all(agree(p.notes.get(name), note) for p in prints) else RANDOM
        for name, note in first.notes.items()
    }
    return Entry(first.check, first.status, first.what, first.value if stable_value else RANDOM, notes)


def _print(result: Result) -> Entry:
    error = result.error
    what, value = "", None
    if result.status == "failed":
        what = getattr(error, "what", "the names that the answer defines")
        value = fingerprint(getattr(error, "actual", str(error)))
    elif result.status in {"crashed", "escaped"}:
        what, value = type(error).__name__, str(error)
    notes = {name: fingerprint(note) for name, note in result.notes.items()}
    return Entry(result.check, result.status, what, value, notes)


def name_mistake(learner: Vector, mistakes: list[tuple[Mistake, Vector]], first: str) -> Diagnosis | None:
    """The mistake that fails as the learner's answer does, or None.

    1. On the learner's first failing check, `first`, the expectation, the value and the notes agree.
    2. Every check that the mistake fails, the learner fails too, at the same expectation.
    3. Of those, the one that agrees on most checks; two that agree equally are both given.
    """
    if first not in learner or any(entry.status in SILENT for entry in learner.values()):
        return None
    scores: dict[str, tuple[int, int, Mistake]] = {}
    for mistake, vector in mistakes:
        if vector.keys() != learner.keys():
            continue  # The mistake was cut short.
        if not _same(learner[first], vector[first]) or not _explains(vector, learner):
            continue
        agreement = sum(_same(learner[name], entry) for name, entry in vector.items())
        unexplained = sum(entry.failed and not vector[name].failed for name, entry in learner.items())
        if mistake.id not in scores or agreement > scores[mistake.id][0]:
            scores[mistake.id] = (agreement, unexplained, mistake)
    if not scores:
        return None
    best = max(agreement for agreement, _, _ in scores.values())
    named = [(mistake, unexplained) for agreement, unexplained, mistake in scores.values() if agreement == best]
    if len(named) > 2:
        return None
    return Diagnosis(tuple(mistake for mistake, _ in named), min(unexplained for _, unexplained in named))


def _same(a: Entry, b: Entry) -> bool:
    if a.status != b.status or a.what != b.what:
        return False
    if not a.failed:
        return True
    same_notes = a.notes.keys() == b.notes.keys() and all(agree(a.notes[n], b.notes[n]) for n in a.notes)
    return same_notes and agree(a.value, b.value)


def _explains(mistake: Vector, learner: Vector) -> bool:
    failing = [entry for entry in mistake.values() if entry.failed]
    return all(learner[e.check].status == e.status and learner[e.check].what == e.what for e in failing)


def diagnose(exercise: Exercise, source: Source, first: str, seed: int) -> Diagnosis | None:
    """Name the mistake behind an answer whose first failing check is `first`."""
    return name_mistake(vector_of(exercise, source, seed), mistake_vectors(exercise, seed), first)


def mistake_vectors(exercise: Exercise, seed: int) -> list[tuple[Mistake, Vector]]:
    """The vector of every form of every mistake on the card, from the cache where nothing has changed."""
    cache = exercise.root / ".tunelings" / "vectors" / f"{exercise.number}-{seed}-{_key(exercise, seed)}.json"
    forms = [(mistake, form) for mistake in exercise.card.mistakes for form in range(len(mistake.forms))]
    vectors = _read_cache(cache, len(forms))
    if vectors is None:
        solution = read(exercise.solution_path).text
        vectors = [_mistake_vector(exercise, m, form, solution, seed) for m, form in forms]
        _write_cache(cache, vectors)
    return [(mistake, vector) for (mistake, _), vector in zip(forms, vectors, strict=True)]


def _mistake_vector(exercise: Exercise, mistake: Mistake, form: int, solution: str, seed: int) -> Vector:
    path = exercise.solution_path.with_name(f"{exercise.name}-{mistake.id}-{form}.py")
    return vector_of(exercise, Source(path, apply(mistake, form, solution)), seed)


def _key(exercise: Exercise, seed: int) -> str:
    digest = hashlib.sha256(f"{__version__} {torch.__version__} {seed}".encode())
    for path in (exercise.check_path, exercise.card_path, exercise.solution_path, *_GRADER):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _read_cache(path: Path, count: int) -> list[Vector] | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        vectors = [{name: Entry(**entry) for name, entry in vector.items()} for vector in stored]
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # Absent or damaged: it is only a cache.
    return vectors if len(vectors) == count else None


def _write_cache(path: Path, vectors: list[Vector]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.json"):
            old.unlink(missing_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        stored = [{name: asdict(entry) for name, entry in vector.items()} for vector in vectors]
        temporary.write_text(json.dumps(stored), encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        pass  # A read-only folder: the next failure computes the vectors again.
