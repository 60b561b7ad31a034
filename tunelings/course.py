"""The course on disk: modules, exercises and their cards.

An exercise is five files with one name (see CONTRIBUTING.md). This file knows where they stand and
reads them; it never imports torch, pytest or an answer.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tunelings.cards import Card, CourseError, Head, read_card, read_head
from tunelings.writing import read_regular

if TYPE_CHECKING:
    import ast

MODULES = {
    "module01": "Training fundamentals",
    "module02": "Fine-tuning basics",
    "module03": "LoRA and QLoRA",
    "module04": "Dataset preparation",
    "module05": "Evaluation and choosing an approach",
}
# What a TODO of a stub raises: NotImplementedError(SENTINEL).
SENTINEL = "TODO"
PACKAGE = Path(__file__).resolve().parent  # the grader, all of its rooms
# What `tunelings init` has laid out in a folder, and with which content; written last (setup/layout.py).
MANIFEST = Path(".tunelings", "course.json")
UNFINISHED = Path(".tunelings", "unfinished")  # stands there while files are being laid out
# Checks with one of these marks run only when asked for, so no tick depends on them.
FULL_RUN_MARKS = frozenset({"gpu", "real"})


_MODULE = re.compile(r"(?:module)?0*([1-9]\d*)")


@dataclass(frozen=True)
class Exercise:
    """One exercise; `root` is the folder that holds `exercises/`, `solutions/` and the others."""

    root: Path
    module: str  # "module01"
    name: str  # "ex05_training_step"

    @property
    def number(self) -> str:
        """The public number, such as "1.05"."""
        return f"{module_number(self.module)}.{self.name[2:4]}"

    @property
    def relative_path(self) -> Path:
        """The path of the answer inside `exercises/` or any folder with its tree."""
        return Path(self.module, f"{self.name}.py")

    @property
    def answer_path(self) -> Path:
        return self.root / "exercises" / self.relative_path

    @property
    def solution_path(self) -> Path:
        return self.root / "solutions" / self.relative_path

    @property
    def check_path(self) -> Path:
        return self.root / "checks" / self.module / f"test_{self.name}.py"

    @property
    def card_path(self) -> Path:
        return self.root / "checks" / self.module / f"{self.name}.toml"

    @property
    def lesson_path(self) -> Path:
        return self.root / "docs" / self.module / f"{self.head.lesson}.md"

    @property
    def lesson_address(self) -> str:
        """The lesson's address; the module's where the card is not (yet) readable."""
        try:
            return f"docs/{self.module}/{self.head.lesson}/"
        except CourseError:
            return f"docs/{self.module}/"

    @cached_property
    def card(self) -> Card:
        return read_card(self.card_path)

    @cached_property
    def head(self) -> Head:
        """The card without its mistakes; much faster to read."""
        return read_head(self.card_path)

    @property
    def title(self) -> str:
        """The card's title; from the file's name where the card is not (yet) readable."""
        try:
            return self.head.title
        except CourseError:
            return self.name[5:].replace("_", " ").capitalize()

    def check_names(self) -> list[str]:
        """The checks that decide the tick, in file order, read without importing anything."""
        return list(_check_names(read_regular(self.check_path)))


@functools.lru_cache(maxsize=512)
def _check_names(text: str) -> tuple[str, ...]:
    import ast

    tree = ast.parse(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return tuple(function.name for function in functions if not FULL_RUN_MARKS & _marks(function))


def _marks(function: ast.FunctionDef) -> set[str]:
    """The names in decorators such as `@pytest.mark.gpu` or `@pytest.mark.timeout(60)`."""
    import ast

    targets = [d.func if isinstance(d, ast.Call) else d for d in function.decorator_list]
    return {target.attr for target in targets if isinstance(target, ast.Attribute)}


@dataclass(frozen=True)
class Course:
    """The whole course under one root folder."""

    root: Path

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """All exercises, in the order of their numbers; a solution makes an exercise exist."""
        files = sorted((self.root / "solutions").glob("module[0-9][0-9]/ex[0-9][0-9]_*.py"))
        return tuple(Exercise(self.root, path.parent.name, path.stem) for path in files)

    def module(self, module: str) -> list[Exercise]:
        return [exercise for exercise in self.exercises if exercise.module == module]

    def hands_on(self) -> list[Exercise]:
        """The last exercise of each module: real data, and a run that takes longer than a check."""
        return [exercises[-1] for module in MODULES if (exercises := self.module(module))]

    def find(self, name: str) -> Exercise:
        """The exercise that a learner means by "1.05", "1.5", "ex05_training_step", a path, a title.

        An unknown name raises CourseError with the nearest known one.
        """
        wanted = _normal_name(name)
        by_name: dict[str, list[Exercise]] = {}
        for exercise in self.exercises:
            for known in _known_names(exercise):
                by_name.setdefault(known, []).append(exercise)
        matches = by_name.get(wanted, [])
        if len(matches) == 1:
            return matches[0]
        if matches:
            numbers = ", ".join(exercise.number for exercise in matches)
            raise CourseError(f"{name!r} could be any of {numbers}: use the number.")
        import difflib

        near = difflib.get_close_matches(wanted, by_name, n=1, cutoff=0.5)
        hint = f"did you mean {by_name[near[0]][0].number}?" if near else "tunelings list shows them all."
        raise CourseError(f"There is no exercise {name!r}: {hint}")

    def select(self, name: str) -> list[Exercise]:
        """The exercises that "all", "module01", "1" or one exercise's name stand for."""
        if name == "all":
            return list(self.exercises)
        if not _MODULE.fullmatch(name):
            return [self.find(name)]
        key = module_key(name)
        found = self.module(key)
        if not found:
            raise CourseError(f"{key} ({MODULES[key]}) has no exercises yet.")
        return found


def module_key(name: str) -> str:
    """ "module03" for "3", "03" or "module03"."""
    found = _MODULE.fullmatch(name)
    key = f"module{int(found[1]):02d}" if found else name
    if key not in MODULES:
        raise CourseError(f"There is no module {name!r}: the modules are {', '.join(MODULES)}.")
    return key


def module_number(module: str) -> int:
    """3 for "module03"."""
    return int(module.removeprefix("module"))


def _normal_name(name: str) -> str:
    name = name.strip().replace("\\", "/").lower()
    if number := re.fullmatch(r"0*(\d+)\.0*(\d+)", name):
        return f"{number[1]}.{int(number[2]):02d}"
    stem = name.rsplit("/", 1)[-1].removesuffix(".py").removesuffix(".toml").removeprefix("test_")
    return stem.replace(" ", "_").replace("-", "_")


def _known_names(exercise: Exercise) -> set[str]:
    short = exercise.name.split("_", 1)[1]
    return {exercise.number, exercise.name, short, exercise.name[:4]}


def find_root(start: Path | None = None) -> Path:
    """The course's folder: the nearest one at or above `start` that holds its trees.

    Falls back to the clone that this package was installed from, and to the folder that `tunelings init` made together
    with this environment, so that `tunelings` works anywhere.
    """
    start = (start or Path.cwd()).resolve()
    around = Path(sys.prefix).resolve().parent
    fallbacks = [Path(__file__).resolve().parent.parent, *[around] * is_laid_out(around)]
    for folder in [start, *start.parents, *fallbacks]:
        if all((folder / tree).is_dir() for tree in ("exercises", "solutions", "checks")):
            return folder
    raise CourseError(f"No course at {start}: run `tunelings init` to make one, or change to its folder.")


def is_laid_out(root: Path) -> bool:
    """`root` was made by `tunelings init`, if only in part; a clone was not."""
    return (root / MANIFEST).is_file() or (root / UNFINISHED).is_file()


def laid_out_root(start: Path | None = None) -> Path | None:
    """The nearest folder at or above `start` that `tunelings init` has made, if only in part."""
    start = (start or Path.cwd()).resolve()
    return next((folder for folder in (start, *start.parents) if is_laid_out(folder)), None)


def carried() -> Path:
    """The folder of the course's files that belong to this package: in the installed wheel, or the clone."""
    shipped_files = PACKAGE / "shipped"
    return shipped_files if shipped_files.is_dir() else PACKAGE.parent


def data_folder(name: str) -> Path:
    """The folder of the course's data of this name, such as "mnist"; it may not be there."""
    return find_root() / "data" / name


def shipped(path: Path, what: str) -> Path:
    """`path`, a file that ships with the course in `data/`; `what` says what it holds.

    Raises:
        FileNotFoundError: it is not there; one line that says how to get it back.
    """
    if not path.exists():
        command = "tunelings update" if laid_out_root(path.parent) else "git checkout data"
        raise FileNotFoundError(f"{path} is missing (`{command}` brings the shipped {what} back)")
    return path


def shown_path(path: Path, start: Path | None = None) -> str:
    """`path` as a learner would type it from here, with forward slashes."""
    relative = os.path.relpath(path, start or Path.cwd())
    return Path(path if relative.startswith("..") else relative).as_posix()
