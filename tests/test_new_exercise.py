"""`dev new` in a copy of the whole repository: what it writes passes every gate, and each gate says its rule."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import MKDOCS_ENVIRONMENT, ROOT
from tests.support.systems import link_or_copy
from tunelings.course import Course

pytestmark = pytest.mark.xdist_group("a new exercise")  # One process makes the copy.
# What git would not hold, and the folder that is only read.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "site", "runs", "data", "*.egg-info")
NUMBER = "1.99"
TUNELINGS = ["-c", "from tunelings.commands.cli import main; main()"]


@dataclass(frozen=True)
class Copy:
    """A copy of the repository, and commands in it as a maintainer types them."""

    root: Path

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        environment = {**MKDOCS_ENVIRONMENT, "PYTHONPATH": str(self.root), "NO_COLOR": "1", "PYTEST_ADDOPTS": ""}
        environment.pop("CI", None)  # There pytest's summary says each text once more.
        return subprocess.run([sys.executable, *args], cwd=self.root, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def new(tmp_path_factory) -> Copy:
    copy = Copy(tmp_path_factory.mktemp("new") / "course")
    shutil.copytree(ROOT, copy.root, ignore=LEFT_OUT)
    link_or_copy(copy.root / "data", ROOT / "data")
    done = copy(*TUNELINGS, "dev", "new", NUMBER, "label_smoothing", "--title", "A new LoRA")
    assert done.returncode == 0, done.stderr
    return copy


def test_it_passes_dev_check_as_printed(new: Copy):
    assert new(*TUNELINGS, "dev", "stubs", NUMBER).returncode == 0
    done = new(*TUNELINGS, "dev", "check", NUMBER, "--seeds", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE), done.stdout
    assert "\nsolutions/module01/ex99_label_smoothing.py:1 says TODO(new)\n" in done.stdout


@pytest.mark.sweep
def test_no_small_change_of_its_reference_survives(new: Copy):
    done = new(*TUNELINGS, "dev", "mutate", NUMBER)
    assert (done.returncode, done.stdout) == (0, "module01: 4 mutants, 0 survive (0.0%)\n")


def test_the_house_and_the_site_miss_nothing_but_what_is_to_be_replaced(new: Copy):
    wanted = "house and not arrow or site and (contract or mark or inner_link or lesson or formula or picture)"
    done = new("-m", "pytest", "-q", "tests/test_house.py", "tests/test_site.py", "-k", wanted)
    failed = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    assert failed == ["tests/test_house.py::test_nothing_of_a_scaffold_is_left"], done.stdout
    assert "A new LoRA" in (new.root / "STATUS.md").read_text(encoding="utf-8")


def test_what_it_writes_is_linted_and_formatted(new: Copy):
    for command in (["check"], ["format", "--check"]):
        done = new("-m", "ruff", *command, "solutions", "checks", "tests")
        assert done.returncode == 0, done.stdout


def test_each_gate_says_its_rule_and_what_to_do(new: Copy, tmp_path: Path):
    copy = Copy(tmp_path / "course")
    shutil.copytree(new.root, copy.root, symlinks=True)
    made = Course(copy.root).find(NUMBER)
    for tree in ("right", "wrong"):
        kept = sorted((copy.root / "tests" / "answers" / tree / made.module / made.name).glob("*.py"))
        kept[0].unlink()
    card = made.card_path.read_text(encoding="utf-8")
    card = card[: card.index('[[mistakes]]\nid = "in-place"')]
    hint = next(line for line in card.splitlines() if line.startswith('    "2 * x'))
    made.card_path.write_text(card.replace(hint + "\n", ""), encoding="utf-8")
    results = copy.root / "figures" / "results" / "module01_label_smoothing.json"
    results.write_text('{"loss": 0.34267}', encoding="utf-8")
    made.lesson_path.write_text("# Short\n\nThe loss is 0.343.\n", encoding="utf-8")
    made.answer_path.write_text("", encoding="utf-8")
    done = copy(*TUNELINGS, "dev", "check", NUMBER, "--seeds", "1")
    assert done.returncode == 1
    for rule in RULES:
        assert rule in done.stdout, f"{rule}\n\n{done.stdout}"


def test_what_a_gate_cannot_look_at_is_said_once(new: Copy, tmp_path: Path):
    copy = Copy(tmp_path / "course")
    shutil.copytree(new.root, copy.root, symlinks=True)
    made = Course(copy.root).find(NUMBER)
    made.lesson_path.unlink()
    card = made.card_path.read_text(encoding="utf-8")
    edits = made.card.mistakes[0].forms[0]
    made.card_path.write_text(card.replace(f'old = "{edits[0][0]}"', 'old = "nowhere"', 1), encoding="utf-8")
    done = copy(*TUNELINGS, "dev", "check", NUMBER, "--seeds", "1")
    assert done.returncode == 1
    assert done.stdout.count("rule:") == 2 and "FileNotFoundError" not in done.stdout, done.stdout
    assert "CourseError" not in done.stdout and "Traceback" not in done.stdout + done.stderr
    for rule in RULES_OF_WHAT_IS_NOT_THERE:
        assert done.stdout.count(rule) == 1, f"{rule}\n\n{done.stdout}"


RULES = [
    "rule:  The stub must be exactly what `dev stubs` cuts from the solution.",
    "do:    tunelings dev stubs 1.99",
    "rule:  An exercise needs at least 3 right answers, each as a different engineer would write it.",
    "file:  tests/answers/right/module01/ex99_label_smoothing",
    "rule:  An exercise needs at least 5 wrong answers written from scratch, 2 of them unlisted.",
    "found: 4, 2 of them unlisted",
    "rule:  A card needs at least 3 hints of more than 10 characters, each saying more than the one before.",
    "rule:  A lesson must have more than 1500 characters.",
    "found: 28\n",
    "rule:  The lesson must contain <!-- exercise --> exactly once; the site puts the contract there.",
    "rule:  A measured number must come from figures/results/ (docs/contributing.md, A measured number).",
    "found: line 3: '0.343' is measured.loss\n",
]
RULES_OF_WHAT_IS_NOT_THERE = [
    "rule:  An exercise must have a lesson, the page that its card names.",
    "file:  docs/module01/label-smoothing.md\n",
    "rule:  Each `old` of a mistake must appear exactly once in the solution, untouched by the edits before it.",
    "found: unchanged: 'nowhere' stands 0 times in the solution, not once.",
    "file:  checks/module01/ex99_label_smoothing.toml\n",
]
