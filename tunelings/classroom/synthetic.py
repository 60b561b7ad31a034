"""A class that was made up: its students' abilities and mistakes are known, so that what is said of it can be tested.

Each student has an ability and each exercise a difficulty, both on the scale of a logistic model (Rasch 1960, with a
steeper slope): the chance to pass is 1 / (1 + exp(-SLOPE * (ability - difficulty))). Who doesn't pass has made one of
the card's mistakes, or an error that no card lists. The answers are the kept right and wrong ones of `tests/answers`,
so this needs a clone of the repository.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.course import Course, CourseError, Exercise, shown_path
from tunelings.grading import stubs
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Failure, NamedMistake, Verdict

SLOPE = 1.7
EASIEST, HARDEST = -1.5, 1.0  # difficulties; abilities are normal, with mean 0 and standard deviation 1
DROPPED = 0.3  # the share that no longer begins the last exercise
MISTAKE, UNLISTED = 0.70, 0.25  # of those who fail; the rest hand in what is no Python
BROKEN_TEXT = "def answer(:\n"


@dataclass(frozen=True)
class Answer:
    """What one student hands in for one exercise.

    kind: "right", "mistake", "unlisted", "broken", "stub" or "missing".
    name: which: a file of tests/answers, "reference", or a mistake's id; form: which form of the mistake.
    """

    exercise: str
    kind: str
    name: str = ""
    form: int = 0


@dataclass(frozen=True)
class Student:
    name: str
    ability: float
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Truth:
    """Everything that is true of a class that was made up."""

    seed: int
    difficulties: dict[str, float]
    students: tuple[Student, ...]


def make(exercises: Sequence[Exercise], *, students: int = 300, seed: int = 0) -> Truth:
    """Draw a class: the same exercises, number of students and seed give the same class.

    Raises:
        CourseError: there are no kept answers, as in a course that `tunelings init` has made.
    """
    rng = random.Random(seed)
    steps = max(len(exercises) - 1, 1)
    difficulties = {e.number: EASIEST + (HARDEST - EASIEST) * i / steps for i, e in enumerate(exercises)}
    choices = {exercise.number: _choices(exercise) for exercise in exercises}
    made = []
    for number in range(1, students + 1):
        ability = rng.gauss(0, 1)
        answers = tuple(
            _draw(rng, exercise.number, choices[exercise.number], ability - difficulties[exercise.number], i / steps)
            for i, exercise in enumerate(exercises)
        )
        made.append(Student(f"student-{number:03d}", ability, answers))
    return Truth(seed, difficulties, tuple(made))


def _choices(exercise: Exercise) -> dict[str, list[Answer]]:
    number, mistakes = exercise.number, exercise.card.mistakes
    unlisted = [path.stem for path in kept(exercise, "wrong") if names(path) == "unlisted"]
    right = ["reference", *(path.stem for path in kept(exercise, "right"))]
    return {
        "right": [Answer(number, "right", name) for name in right],
        "mistake": [Answer(number, "mistake", m.id, form) for m in mistakes for form in range(len(m.forms))],
        "unlisted": [Answer(number, "unlisted", name) for name in unlisted],
    }


def _draw(rng: random.Random, number: str, choices: dict[str, list[Answer]], above: float, late: float) -> Answer:
    """`above`: how far the ability is above the difficulty; `late`: 0 for the first exercise, 1 for the last."""
    if rng.random() < DROPPED * late:
        return Answer(number, rng.choice(["stub", "missing"]))
    if rng.random() < 1 / (1 + math.exp(-SLOPE * above)):
        return rng.choice(choices["right"])
    kind = rng.choices(["mistake", "unlisted", "broken"], [MISTAKE, UNLISTED, 1 - MISTAKE - UNLISTED])[0]
    if kind == "broken":
        return Answer(number, kind)
    listed = choices[kind]
    # A few mistakes are frequent and most are rare: the weights fall as 1, 1/2, 1/3, …
    return rng.choices(listed, [1 / (place + 1) for place in range(len(listed))])[0]


# ---------------------------------------------------------------- as folders
def write(truth: Truth, course: Course, folder: Path) -> None:
    """Write the class as a folder for each student in `folder/submissions`, and `folder/truth.json`.

    Each file ends in a comment with its student's name, as no two people write the same file.

    Raises:
        CourseError: the folder is there already.
    """
    if folder.exists():
        raise CourseError(f"{shown_path(folder)} is there already: give a new folder.")
    exercises = {exercise.number: exercise for exercise in course.exercises}
    texts: dict[Answer, str | None] = {}
    for student in truth.students:
        home = folder / "submissions" / student.name
        home.mkdir(parents=True)
        for answer in student.answers:
            exercise = exercises[answer.exercise]
            if answer not in texts:
                texts[answer] = text_of(answer, exercise)
            text = texts[answer]
            if text is not None:
                path = home / exercise.relative_path
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"{text}# {student.name}\n", encoding="utf-8", newline="\n")
    (folder / "truth.json").write_text(json.dumps(asdict(truth), indent=1) + "\n", encoding="utf-8")


def text_of(answer: Answer, exercise: Exercise) -> str | None:
    """The text of an answer; None where no file is handed in."""
    solution = exercise.solution_path.read_text(encoding="utf-8")
    match answer.kind:
        case "missing":
            return None
        case "broken":
            return BROKEN_TEXT
        case "stub":
            return stubs.cut(solution)
        case "mistake":
            from tunelings.grading.vectors import apply

            (mistake,) = (mistake for mistake in exercise.card.mistakes if mistake.id == answer.name)
            return stubs.uncut(apply(mistake, answer.form, solution))
        case "right" if answer.name == "reference":
            return stubs.uncut(solution)
    tree = "right" if answer.kind == "right" else "wrong"
    (path,) = (path for path in kept(exercise, tree) if path.stem == answer.name)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("# names:", "# breaks:")))


def kept(exercise: Exercise, tree: str) -> list[Path]:
    """The kept right or wrong answers of an exercise."""
    folder = exercise.root / "tests" / "answers" / tree / exercise.module / exercise.name
    if not folder.is_dir():
        raise CourseError(f"{shown_path(folder)} is missing: a class is made up in a clone of the repository.")
    return sorted(folder.glob("*.py"))


def names(path: Path) -> str:
    """What the first line of a wrong answer says that it is named: "# names: no-zero-grad"."""
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("# names:").strip() if first.startswith("# names:") else ""


# ---------------------------------------------------------------- as records
OUTCOMES = {
    "right": Outcome.PASSED,
    "mistake": Outcome.FAILED,
    "unlisted": Outcome.FAILED,
    "broken": Outcome.BROKEN,
    "stub": Outcome.NOT_STARTED,
    "missing": Outcome.MISSING,
}


def records(truth: Truth, exercises: Sequence[Exercise]) -> Class:
    """The class as it should come out of the grader, without anything being run."""
    by_number = {exercise.number: exercise for exercise in exercises}
    rows = tuple(
        _record(student.name, answer, by_number[answer.exercise])
        for student in truth.students
        for answer in student.answers
    )
    students = tuple(student.name for student in truth.students)
    return Class(students, tuple(by_number), rows, {"seed": truth.seed, "isolation": "made up, nothing ran"})


def _record(student: str, answer: Answer, exercise: Exercise) -> Graded:
    outcome = OUTCOMES[answer.kind]
    checks = dict.fromkeys(exercise.check_names(), CheckState.PASSED)
    if answer.kind in {"stub", "missing"}:
        return Graded(student, answer.exercise, outcome)
    failure, state, prints = None, ExerciseState.PASSED, {}
    if outcome == Outcome.BROKEN:
        checks = dict.fromkeys(checks, CheckState.BROKEN)
        message = "line 1 is not valid Python: invalid syntax"
        failure = Failure(next(iter(checks)), CheckState.BROKEN, message=message, line=1)
        state = ExerciseState.FAILED
    if outcome == Outcome.FAILED:
        first = next(iter(checks))
        checks[first] = CheckState.FAILED
        says = {mistake.id: mistake.says for mistake in exercise.card.mistakes}
        named = (NamedMistake(answer.name, says[answer.name]),) if answer.kind == "mistake" else ()
        failure = Failure(first, CheckState.FAILED, "the value", "1.0", answer.name, mistakes=named, line=1)
        state, prints = ExerciseState.FAILED, {first: json.dumps(f"{answer.name} {answer.form}")}
    verdict = Verdict(
        exercise.number, exercise.title, exercise.lesson_address, f"exercises/{exercise.relative_path.as_posix()}",
        state, checks, failure,
    )  # fmt: skip
    digest = f"{answer.exercise} {answer.kind} {answer.name} {answer.form}"
    points = float(outcome == Outcome.PASSED)
    return Graded(
        student, answer.exercise, outcome, points, verdict=verdict, fingerprints=prints, answer_hash=digest
    )  # fmt: skip
