"""What `dev new` writes: an exercise that passes its gates, with TODO(new) wherever something is to be replaced.

The files in new_exercise/ are the templates: a whole exercise that doubles a tensor. In them stand SCAFFOLD_NUMBER,
SCAFFOLD_NAME, SCAFFOLD_TITLE and SCAFFOLD_LESSON, so that each is a valid file of its kind.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from tunelings.course import MODULES, Course, CourseError, Exercise, shown_path

LEFT = "TODO(new)"
_TEMPLATES = Path(__file__).parent / "new_exercise"
_PLACE = re.compile(r"SCAFFOLD_(NUMBER|NAME|TITLE|LESSON)")


def new_exercise(course: Course, number: str, name: str) -> Exercise:
    """The exercise that `number` and `name` would make; a CourseError says what is wrong with them."""
    place = re.fullmatch(r"([1-9])\.(?!00)([0-9]{2})", number)
    if not place or f"module0{place[1]}" not in MODULES:
        raise CourseError(f"{number!r} isn't an exercise number: use one such as 1.11, in modules 1 to {len(MODULES)}.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise CourseError(f"{name!r} isn't a name in snake case, such as label_smoothing.")
    for known in course.exercises:
        if known.number == number:
            raise CourseError(f"{number} exists already ({shown_path(known.solution_path)}); nothing was written.")
        if known.name[5:] == name:
            raise CourseError(f"{name} is the name of {known.number} already; nothing was written.")
    return Exercise(course.root, f"module0{place[1]}", f"ex{place[2]}_{name}")


def title_of(name: str, title: str | None) -> str:
    """The title as it is asked for, or made of the name; a CourseError says what cannot stand in one."""
    if title is None:
        return name.replace("_", " ").capitalize()
    if not title.strip() or not title.isprintable() or re.search(r'["\\]', title):
        raise CourseError(f"{title!r} isn't a title: use one line without quotation marks or backslashes.")
    return title.strip()


def write(exercise: Exercise, title: str) -> list[Path]:
    """Write all files but the stub; returns their paths. Nothing is written where one of them exists."""
    name = exercise.name[5:]
    lesson = name.replace("_", "-")
    values = {"NUMBER": exercise.number, "NAME": name, "TITLE": title, "LESSON": lesson}
    texts = {_target(exercise, lesson, path): path.read_text(encoding="utf-8") for path in templates()}
    if taken := [path for path in [*texts, exercise.answer_path] if path.exists()]:
        raise CourseError(f"{shown_path(taken[0])} exists already; nothing was written.")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_PLACE.sub(lambda place: values[place[1]], text), encoding="utf-8", newline="\n")
    return list(texts)


def templates() -> list[Path]:
    return sorted(path for path in _TEMPLATES.rglob("*.*") if path.suffix in {".py", ".toml", ".md"})


def _target(exercise: Exercise, lesson: str, template: Path) -> Path:
    if template.parent != _TEMPLATES:
        return _kept(exercise, template.parent.name) / template.name
    return {
        "solution.py": exercise.solution_path,
        "check.py": exercise.check_path,
        "card.toml": exercise.card_path,
        "lesson.md": exercise.root / "docs" / exercise.module / f"{lesson}.md",
    }[template.name]


def _kept(exercise: Exercise, tree: str) -> Path:
    return exercise.root / "tests" / "answers" / tree / exercise.module / exercise.name


def places_left(exercise: Exercise) -> list[str]:
    """Where an exercise still says TODO(new), as `path:line`."""
    kept = [path for tree in ("right", "wrong") for path in sorted(_kept(exercise, tree).glob("*.py"))]
    own = [exercise.solution_path, exercise.check_path, exercise.card_path, exercise.lesson_path]
    return [
        f"{shown_path(path)}:{number}"
        for path in [*own, *kept]
        if path.exists()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if LEFT in line
    ]
