"""The files that a newcomer meets first agree with the course as it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests import test_exercises as gates
from tests.conftest import COURSE, ROOT
from tests.support.typed_numbers import NO_TEXT, NUMBER
from tunelings.commands import scaffold
from tunelings.course import MODULES
from tunelings.setup import install


def test_every_exercise_has_its_five_files():
    for exercise in COURSE.exercises:
        for path in (exercise.answer_path, exercise.check_path, exercise.card_path, exercise.lesson_path):
            assert path.is_file(), f"{exercise.number} is five files (CONTRIBUTING.md), and {path} is missing"


def test_nothing_of_a_scaffold_is_left():
    left = [place for exercise in COURSE.exercises for place in scaffold.places_left(exercise)]
    assert left == [], f"replace what `dev new` has marked with {scaffold.LEFT}"


def test_no_file_is_left_without_an_exercise():
    names = {(exercise.module, exercise.name) for exercise in COURSE.exercises}
    for tree in ("exercises", "checks", "tests/answers/right", "tests/answers/wrong"):
        for path in (ROOT / tree).glob("module*/*ex[0-9][0-9]_*"):
            stem = re.sub(r"\.\d{4}-\d{2}-\d{2}-\d{6}(-\d+)?$", "", path.stem)  # a file that reset has kept
            assert (path.parent.name, stem.removeprefix("test_")) in names, path


def test_the_readme_names_the_modules_and_the_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, title in enumerate(MODULES.values(), start=1):
        assert f"| {number} · {title} |" in readme
    for mark in ("start", "test"):
        command = re.search(rf"<!-- the {mark} command -->\n```\n(.+)\n```", readme)
        assert command, f"no {mark} command"


def test_the_readme_says_how_long_each_module_takes():
    """To a quarter of an hour: one more exercise of ten minutes needs no other README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, module in enumerate(MODULES, start=1):
        hours = sum(exercise.card.minutes for exercise in COURSE.module(module)) / 60
        said = re.search(rf"^\| {number} · [^|]+\| ([\d.]+) h \|", readme, re.MULTILINE)
        assert said and abs(float(said[1]) - hours) <= 0.25, f"module {number} takes {hours:.1f} h"


def figures_of_the_readme() -> list[str]:
    """Each statement of the README that holds a measured number, with the number that its result file has."""
    folder = ROOT / "figures" / "results"
    quality = json.loads((folder / "check_quality.json").read_text(encoding="utf-8"))["exercises"].values()
    mistakes, forms, variants, false_names = (
        sum(entry[name] for entry in quality) for name in ("mistakes", "forms", "variants", "leave_one_out")
    )
    courses = json.loads((folder / "other_courses.json").read_text(encoding="utf-8"))["courses"]
    accepted = {}
    for name, course in courses.items():
        counts = course["exercises"].values()
        of_all = sum(one["wrong_accepted"] for one in counts), sum(one["wrong"] for one in counts)
        accepted[name.partition(" ")[0]] = "{} of {}".format(*of_all)
    return [
        f"(about {install.DISK_CUDA:.0f} GB with CUDA, at most {install.DISK_CPU} GB without)",
        f"{mistakes:,} known mistakes in {forms:,} forms must fail, {variants:,} right answers",
        f"{false_names} of {forms:,} forms get a name",
        f"torchlings accepted {accepted['torchlings']}",
        f"CS336 {accepted['CS336']}",
        f"ARENA {accepted['ARENA']}",
    ]


def test_the_figures_of_the_readme_are_the_measured_ones():
    words = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert [figure for figure in figures_of_the_readme() if figure not in words] == []


def test_the_readme_has_no_number_that_no_test_checks():
    """A new figure needs a result file and a line above; the hours of the modules have a test of their own."""
    readme = NO_TEXT.sub(" ", (ROOT / "README.md").read_text(encoding="utf-8"))
    words = " ".join(" ".join(line for line in readme.splitlines() if not line.startswith("|")).split())
    for figure in figures_of_the_readme():
        words = words.replace(figure, "")
    (python,) = re.findall(
        r'^requires-python = ">=([\d.]+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    unmeasured = {"2026", "15"}  # a date, and the minutes that an exercise takes its author
    assert {match[0] for match in NUMBER.finditer(words)} == {python, *unmeasured}


def test_the_addresses_of_the_readme_are_those_of_the_project():
    """One place names the repository; the site, Colab and Codespaces follow from it."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    owner, name = re.fullmatch(r"https://github\.com/([\w-]+)/([\w-]+)", urls["Repository"]).groups()
    known = {
        urls["Documentation"],
        f"https://codespaces.new/{owner}/{name}",
        f"https://colab.research.google.com/github/{owner}/{name}",
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert urls["Documentation"] == f"https://{owner}.github.io/{name}/"
    assert set(re.findall(r"\]\((https://[^)]+)\)", readme)) == known


def test_what_the_changelog_says_has_moved_is_where_it_says():
    moved = re.findall(r"^\| `(\S+)` \| `(\S+)` \|$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert moved
    for before, now in moved:
        assert is_there(now) and not is_there(before), f"{before} -> {now}"


def is_there(name: str) -> bool:
    return (ROOT / name).is_dir() if name.endswith("/") else (ROOT / f"{name.replace('.', '/')}.py").is_file()


def test_contributing_says_what_the_gates_ask():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"| {gates.HINTS} hints, {gates.MISTAKES} mistakes;" in text
    assert f"| {gates.VARIANTS} right answers;" in text
    assert f"| {gates.WRONG} wrong answers, {gates.UNLISTED} of them `unlisted`;" in text
    assert f"| {gates.LESSON:,} characters," in text


def banned_phrases(text: str) -> list[str]:
    """The phrases in a text that the style guide in CONTRIBUTING.md bans."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.search(r"A test finds these phrases([^*]+)", guide)
    assert listed, "CONTRIBUTING.md lists no banned phrases"
    words = [phrase.replace(" ", r"\s+") for phrase in re.findall("`([^`]+)`", listed[1])]
    text = re.sub(r"\b(are|is|were|was|be|not)\s+all\s+the\s+same\b", "", text)  # These say "identical".
    return [found[0] for found in re.finditer(rf"\b({'|'.join(words)})(s|ed|ing)?\b", text, re.IGNORECASE)]


def what_is_read() -> dict[str, str]:
    """The texts of all files whose words somebody may read, by their names."""
    paths = [path for room in ("docs", "solutions", "tunelings") for path in (ROOT / room).rglob("*")]
    paths += (ROOT / "checks").glob("*/*.toml")
    paths += (ROOT / "checks").glob("*/*.py")
    texts = [path for path in paths if path.suffix in {".html", ".jinja", ".js", ".md", ".py", ".toml"}]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in [*texts, ROOT / "README.md"]}


def test_nothing_that_is_read_holds_a_phrase_that_the_style_guide_bans():
    found = {name: banned_phrases(text) for name, text in what_is_read().items()}
    assert {name: phrases for name, phrases in found.items() if phrases} == {}


def spaced_percents(text: str) -> list[str]:
    """Each number, or expression in braces, with a space before its percent sign; the end of a jinja2 tag is none."""
    return re.findall(r"[0-9}] %(?!\})", text)


def test_a_percent_sign_follows_its_number_without_a_space():
    texts = what_is_read()
    kept_as_they_are = ('"50 % & {} <b>"', '"{0} %s {question} {{}}"')  # Texts that an answer has to keep.
    for name, data in zip(("04/test_ex07_synthetic_data", "05/test_ex07_judge_pairs"), kept_as_they_are, strict=True):
        assert data in texts[f"checks/module{name}.py"]
        texts[f"checks/module{name}.py"] = texts[f"checks/module{name}.py"].replace(data, "")
    found = {name: spaced_percents(text) for name, text in texts.items()}
    assert {name: signs for name, signs in found.items() if signs} == {}


def test_a_spaced_percent_sign_is_told_from_a_tag_and_a_remainder():
    assert spaced_percents("95 % of {{ share }} %, 9 %.") == ["5 %", "} %", "9 %"]
    assert spaced_percents("95% {% if n % 2 %} {{ x }} {% set a = 7 %}") == []


def test_a_banned_phrase_is_found_across_lines_and_only_in_its_sense():
    assert banned_phrases("Mended, it is kept all\n    the same.") == ["Mended", "all\n    the same"]
    assert banned_phrases("The rows are all the same, and recommended.") == []


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda p: p.stem)
def test_an_issue_form_is_as_github_reads_it(path: Path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys() <= {"name", "description", "labels", "body"}
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    for part in form["body"]:
        assert part["type"] in {"input", "textarea", "dropdown"} and part["attributes"]["label"]
        assert ("options" in part["attributes"]) == (part["type"] == "dropdown")


def test_every_arrow_runs_one_way():
    """The contracts of pyproject.toml, on the imports as they stand."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("course", "grading.store"),
        ("handson/models", "grading.answers"),
        ("grading/stubs", "desk.files"),
        ("desk/files", "handson.models"),
        ("watch/keys", "commands.dev"),
        ("pages", "handson.models"),
        ("setup/layout", "watch.keys"),
        ("desk/files", "setup.layout"),
        ("lessons", "grading.stubs"),
        ("grading/run", "lessons"),
        ("grading/store", "grading.plugin"),
    ],
)
def test_an_arrow_that_runs_back_up_or_in_a_circle_is_found(tmp_path: Path, place: str, target: str):
    shutil.copytree(ROOT / "tunelings", tmp_path / "tunelings")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "tunelings" / f"{place}.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}\nimport tunelings.{target}\n", encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1 and target.rpartition(".")[2] in done.stdout, done.stdout + done.stderr


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
