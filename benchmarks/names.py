"""How often the rule names a mistake, truly or falsely, on all that is kept: known forms and wrong answers.

    python benchmarks/names.py                     by module; vectors that are not kept yet are made (up to an hour)
    python benchmarks/names.py --per-extra 1 2 3   the same for other values of AGREEING_PER_EXTRA, cross-validated
    python benchmarks/names.py --exercise 4.07     one exercise, with each false or missing name

Vectors are kept in .tunelings/names.json under a hash of the exercise's files, so that another rule takes seconds.
What is counted:

- wrong answers (tests/answers/wrong): named as their first line says; not named; named falsely. One whose first line
  says `unlisted` is named falsely by any name.
- near misses: each form of a mistake that has others is the answer, and its own entry is missing; the other forms are
  on the card. An answer that nobody has foreseen is like this.
- leave one out: each form is the answer and its whole mistake is missing. Any name is false.
"""

import argparse
import collections
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from rich.progress import track

from tunelings.course import MODULES, Course
from tunelings.grading import answers, diagnose, vectors

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".tunelings" / "names.json"
KINDS = ("named", "one of two", "not named", "false")
COLUMNS = (
    *(f"wrong answer: {kind}" for kind in KINDS),
    *(f"unlisted: {kind}" for kind in KINDS[2:]),
    *(f"near miss: {kind}" for kind in KINDS),
    *(f"left out: {kind}" for kind in KINDS[2:]),
)
FOLDS = 5


def wrong_answers(exercise):
    return sorted((ROOT / "tests" / "answers" / "wrong" / exercise.module / exercise.name).glob("*.py"))


def content_hash(exercise):
    digest = hashlib.sha256()
    for path in (exercise.solution_path, exercise.check_path, exercise.card_path, *wrong_answers(exercise)):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def plain(vector):
    return [asdict(outcome) for outcome in vector.values()]


def name_in(path):
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# names:").strip()


def vectors_of(exercise):
    """Every form and every kept wrong answer of one exercise with its name and its vector."""
    known = vectors.MistakeVectors(exercise, 0).all()
    wrong = [(path, vectors.vector_of(exercise, answers.read(path), 0)) for path in wrong_answers(exercise)]
    return {
        "key": content_hash(exercise),
        "forms": [[mistake.id, plain(vector)] for mistake, vector in known],
        "wrong": [[path.name, name_in(path), plain(vector)] for path, vector in wrong],
    }


def collected(exercises):
    """The vectors of these exercises; only those whose files have changed are made anew."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for exercise in track(exercises, description="vectors"):
        if kept.get(exercise.number, {}).get("key") != content_hash(exercise):
            kept[exercise.number] = vectors_of(exercise)
            KEPT.parent.mkdir(exist_ok=True)
            temporary = KEPT.with_suffix(".tmp")
            temporary.write_text(json.dumps(kept), encoding="utf-8")
            os.replace(temporary, KEPT)
    return {exercise.number: read(exercise, kept[exercise.number]) for exercise in exercises}


def read(exercise, stored):
    mistakes = {mistake.id: mistake for mistake in exercise.card.mistakes}
    forms = [(mistakes[name], vector_from(vector)) for name, vector in stored["forms"]]
    return forms, [(file, name, vector_from(vector)) for file, name, vector in stored["wrong"]]


def vector_from(stored):
    return {one["check"]: vectors.read_outcome(one) for one in stored}


def names(vector, known):
    """The ids that the rule gives; None where every check passes."""
    first = diagnose.first_failing(vector)
    if first is None:
        return None
    found = diagnose.name_mistake(vector, known, first)
    return [mistake.id for mistake in found.mistakes] if found else []


def kind_of(given, name):
    """Which of KINDS the given names are, where `name` is the true one (None: there is none)."""
    return "not named" if not given else "named" if given == [name] else "one of two" if name in given else "false"


def counted(forms, wrong):
    """How often each column comes out for one exercise, and what is worth a look."""
    count, look = collections.Counter(), []

    def note(tried, what, given, name):
        column = f"{tried}: {kind_of(given, name)}"
        count[column] += 1
        if column.endswith("false") or name and column.endswith("not named"):
            look.append(f"{column}: {what} {', '.join(given)}")

    for file, name, vector in wrong:
        if (given := names(vector, forms)) is None:
            continue
        if name == "unlisted":
            note("unlisted", file, given, None)
        else:
            note("wrong answer", f"{file} ({name})", given, name)
    for mistake, vector in forms:
        others = [(other, its) for other, its in forms if other.id != mistake.id]
        if (given := names(vector, others)) is None:
            continue
        note("left out", mistake.id, given, None)
        siblings = [(other, its) for other, its in forms if its is not vector]
        if len(siblings) > len(others):
            note("near miss", mistake.id, names(vector, siblings), mistake.id)
    return count, look


def table(exercises, counts):
    """A line for each module, and one for all."""
    print("| module | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for module in (*MODULES, None):
        own = [counts[e.number] for e in exercises if module in (None, e.module)]
        total = sum(own, collections.Counter())
        if own:
            print(f"| {module or '**all**'} | " + " | ".join(str(total[column]) for column in COLUMNS) + " |")


def named(count):
    return count["wrong answer: named"] + count["near miss: named"]


def false(count):
    return sum(number for column, number in count.items() if column.endswith("false"))


def cross_validated(exercises, by_value, before):
    """Choose the value on four fifths of the exercises, count it on the last: no name may be false that was not."""
    print(f"\n{'held out':>10} {'chosen':>7} {'named':>6} {'before':>7} {'false':>6} {'before':>7}")
    for fold in range(FOLDS):
        here = [e.number for i, e in enumerate(exercises) if i % FOLDS == fold]
        rest = [e.number for i, e in enumerate(exercises) if i % FOLDS != fold]

        def total(counts, numbers):
            return sum((counts[number] for number in numbers), collections.Counter())

        allowed = false(total(before, rest))
        fitting = [value for value, counts in by_value.items() if false(total(counts, rest)) <= allowed]
        best = max(fitting, key=lambda value: named(total(by_value[value], rest)), default=None)
        chosen, old = total(by_value.get(best, before), here), total(before, here)
        print(f"{fold + 1:>10} {best!s:>7} {named(chosen):>6} {named(old):>7} {false(chosen):>6} {false(old):>7}")


def main():
    options = argparse.ArgumentParser(description="Count true, missing and false names on all that is kept.")
    options.add_argument("--exercise", help="one exercise, such as 4.07, with what is worth a look")
    options.add_argument("--per-extra", type=int, nargs="+", help="other values of AGREEING_PER_EXTRA to compare")
    args = options.parse_args()
    course = Course(ROOT)
    exercises = [course.find(args.exercise)] if args.exercise else course.exercises
    data = collected(exercises)

    def counts():
        return {number: counted(*parts) for number, parts in data.items()}

    for number, (_, look) in counts().items():
        for line in look if args.exercise else [line for line in look if ": false: " in line]:
            print(f"{number}  {line}")
    table(exercises, {number: count for number, (count, _) in counts().items()})
    if args.per_extra:
        by_value = {}
        for value in (10**9, *args.per_extra):  # The first allows no check more: every failure must be explained.
            diagnose.AGREEING_PER_EXTRA = value
            by_value[value] = {number: count for number, (count, _) in counts().items()}
            print(f"\n{'no check more' if value == 10**9 else f'one check more for each {value}'}\n")
            table(exercises, by_value[value])
        cross_validated(exercises, by_value, by_value[10**9])


if __name__ == "__main__":
    main()
