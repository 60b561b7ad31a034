"""What the project's own tests share: they grade the grader."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Two test processes of two threads each wait for one another on two cores; set before anything imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest  # noqa: E402

from tests.support.systems import link_or_copy  # noqa: E402
from tunelings.course import Course  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
COURSE = Course(ROOT)
COUNTED = "counted"  # a property of a test: one line of figures, printed at the end of the run
MKDOCS_ENVIRONMENT = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
pytest_plugins = [
    "tests.support.miniature",
    "tests.support.commandline",
    "tests.support.desk",
    "tests.support.terminal",
    "tests.support.browsing",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=1, metavar="N", help="seeds for each answer (sweep: 20)")
    parser.addoption("--exercise", metavar="NAME", help="only the tests of one exercise or module")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.durations is None:  # CI has a limit, so every run says what takes long.
        config.option.durations, config.option.durations_min = 40, 5.0
    # Here and not in pyproject.toml: a learner's warning must not fail a check.
    config.addinivalue_line("filterwarnings", "error")
    # Answers under test may leave files open; the collector finds them in whichever test comes later.
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if exercise := getattr(item, "callspec", None) and item.callspec.params.get("exercise"):
            # With `-n`, one process has all tests of an exercise: they share the vectors of its mistakes.
            item.add_marker(pytest.mark.xdist_group(exercise.number))
    if "sweep" not in config.getoption("markexpr"):
        skip = pytest.mark.skip(reason="the long sweep: ask for it with -m sweep")
        for item in items:
            if item.get_closest_marker("sweep"):
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter) -> None:
    reports = [report for group in terminalreporter.stats.values() for report in group]
    lines = [value for r in reports for name, value in getattr(r, "user_properties", ()) if name == COUNTED]
    if lines:
        terminalreporter.section("counted")
        for line in sorted(set(lines)):  # Each phase of a test reports it.
            terminalreporter.write_line(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.config.getoption("exercise")
    exercises = COURSE.select(name) if name else COURSE.exercises
    if "exercise" in metafunc.fixturenames:
        metafunc.parametrize("exercise", exercises, ids=lambda e: f"{e.number}-{e.name}")
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("seeds")))


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of the site as it is published, built strictly; the file `seconds` says how long it took."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=MKDOCS_ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "seconds").write_text(str(time.perf_counter() - start), encoding="utf-8")
    return folder


@pytest.fixture
def course_copy(tmp_path: Path) -> Course:
    """A copy of the whole course, as a fresh clone would have it, to be changed at will."""
    root = tmp_path / "course"
    for tree in ("exercises", "solutions", "checks"):
        shutil.copytree(ROOT / tree, root / tree, ignore=shutil.ignore_patterns("__pycache__"))
    if (ROOT / "data").exists():
        link_or_copy(root / "data", ROOT / "data")
    shutil.copy(ROOT / "pyproject.toml", root)
    return Course(root)
