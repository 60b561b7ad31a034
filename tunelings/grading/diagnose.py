"""Which known mistake fails in the same way as an answer: the rule is in `name_mistake`.

Where the vectors do not agree, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunelings.cards import Mistake
from tunelings.course import Exercise
from tunelings.grading.answers import Source
from tunelings.grading.fingerprint import agree
from tunelings.grading.vectors import MistakeVectors, Outcome, Vector, vector_of


@dataclass(frozen=True)
class Diagnosis:
    """The mistakes (one, or two that no check tells apart) that fail as the answer does."""

    mistakes: tuple[Mistake, ...]
    unexplained: int  # other failing checks that the mistake passes


def diagnose(exercise: Exercise, source: Source, first: str, seed: int) -> Diagnosis | None:
    """Name the mistake behind an answer whose first failing check is `first`."""
    learner = vector_of(exercise, source, seed)
    if first not in learner or not _is_complete(learner):
        return None
    known = MistakeVectors(exercise, seed)
    (check,) = (check for check in known.checks if check.__name__ == first)
    # Rule 1 on one check of each mistake first: most mistakes need not run any further.
    alike = [i for i in range(len(known.forms)) if _same(learner[first], known.outcome(i, check))]
    found = name_mistake(learner, [(known.forms[i][0], known.vector(i)) for i in alike], first)
    known.save()
    return found


def _is_complete(vector: Vector) -> bool:
    return not any(outcome.state.ends_the_run for outcome in vector.values())


# How many failing checks must agree for each one that the mistake fails and the learner passes. With 3, five-fold
# cross-validation over the exercises named more of the known forms without their own entry, and no more falsely;
# with 2 and 1 more names were false (benchmarks/names.py).
AGREEING_PER_EXTRA = 3


def name_mistake(learner: Vector, mistakes: list[tuple[Mistake, Vector]], first: str) -> Diagnosis | None:
    """The mistake that fails as the learner's answer does, or None.

    1. On the learner's first failing check, `first`, the expectation, the value and the notes agree.
    2. Every check that the mistake fails, the learner fails too, at the same expectation. A near miss will do as
       well: the two first fail at the same check, the mistake gives every failure of the learner to the value, and for
       each check that only the mistake fails there are AGREEING_PER_EXTRA on which both fail alike.
    3. Of those, the one that agrees on most checks; two that agree equally are both given. What the learner fails and
       the mistake passes lowers the agreement, and forbids nothing.
    """
    if first not in learner or not _is_complete(learner):
        return None
    scores: dict[str, tuple[int, int, Mistake]] = {}
    for mistake, vector in mistakes:
        if vector.keys() != learner.keys():
            continue  # The mistake was cut short.
        if not _same(learner[first], vector[first]):
            continue
        if not _explains(vector, learner) and not _nearly(vector, learner, first):
            continue
        agreement = sum(_same(learner[name], outcome) for name, outcome in vector.items())
        unexplained = sum(outcome.failed and not vector[name].failed for name, outcome in learner.items())
        if mistake.id not in scores or agreement > scores[mistake.id][0]:
            scores[mistake.id] = (agreement, unexplained, mistake)
    if not scores:
        return None
    best = max(agreement for agreement, _, _ in scores.values())
    named = [(mistake, unexplained) for agreement, unexplained, mistake in scores.values() if agreement == best]
    if len(named) > 2:
        return None
    return Diagnosis(tuple(mistake for mistake, _ in named), min(unexplained for _, unexplained in named))


def _same(a: Outcome, b: Outcome) -> bool:
    if a.state != b.state or a.what != b.what:
        return False
    if not a.failed:
        return True
    same_notes = a.notes.keys() == b.notes.keys() and all(agree(a.notes[n], b.notes[n]) for n in a.notes)
    return same_notes and agree(a.value, b.value)


def _explains(mistake: Vector, learner: Vector) -> bool:
    failing = [outcome for outcome in mistake.values() if outcome.failed]
    return all(learner[one.check].state == one.state and learner[one.check].what == one.what for one in failing)


def _nearly(mistake: Vector, learner: Vector, first: str) -> bool:
    """The mistake gives all that the learner's answer gives, and a little more."""
    failing = [name for name, outcome in learner.items() if outcome.failed]
    if first_failing(mistake) != first or not all(_same(learner[name], mistake[name]) for name in failing):
        return False
    extra = sum(outcome.failed for outcome in mistake.values()) - len(failing)
    return len(failing) >= AGREEING_PER_EXTRA * extra


def first_failing(vector: Vector) -> str | None:
    """The first check that fails, in the order of the check file; None where all pass."""
    return next((name for name, outcome in vector.items() if outcome.failed), None)


def leave_one_out(known: list[tuple[Mistake, Vector]]) -> list[tuple[Mistake, Diagnosis]]:
    """The forms that still get a name once their own mistake is missing from `known`: all these names are false."""
    false = []
    for mistake, vector in known:
        others = [(other, its_vector) for other, its_vector in known if other.id != mistake.id]
        first = first_failing(vector)
        if first and (found := name_mistake(vector, others, first)):
            false.append((mistake, found))
    return false
