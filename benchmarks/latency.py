"""How long from a save to the verdict: warm in the watch loop, and cold with pytest.

    python benchmarks/latency.py [--repeats 10] [--exercise 1.05 | module01 | all] [--standby]

Prints a table of medians in seconds, with `python -c "import torch"` from the same run. Works on a copy of
the course in a temporary folder. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tunelings.course import Course, Exercise, find_root
from tunelings.desk import screen
from tunelings.grading import vectors
from tunelings.grading.imports import needed_imports
from tunelings.grading.states import ExerciseState
from tunelings.watch import events
from tunelings.watch.loop import Watcher, watch_files
from tunelings.watch.pool import Pool

TREES = ("exercises", "solutions", "checks", "docs")


def copy_of(root: Path, folder: Path) -> Course:
    for tree in TREES:
        shutil.copytree(root / tree, folder / tree)
    (folder / "data").symlink_to(root / "data")
    shutil.copy(root / "pyproject.toml", folder)
    return Course(folder)


class Bench:
    """A watch loop whose verdicts are timed instead of read."""

    def __init__(self, course: Course, fork: bool):
        self.course = course
        self.watcher = Watcher(course, course.exercises[0], pool=Pool(course, fork=fork))
        self.session = self.watcher.session

    def saved(self, paths: frozenset[Path]) -> None:
        self.session.pool.inbox.put(events.FilesChanged(paths))

    def until_verdict(self) -> None:
        """Handle events until a verdict has been printed and the worker is idle."""
        view = self.session.view
        view.running = True
        while view.running or self.session.pool.active:
            self.watcher.handle_next()

    def first_verdict(self) -> float:
        start = time.perf_counter()
        self.session.check([self.session.view.exercise])
        self.until_verdict()
        return time.perf_counter() - start

    def wait_until_warm(self, exercise: Exercise) -> None:
        self.session.pool.prepare(exercise)
        while not any(server.ready for server in self.session.pool.servers):
            self.watcher.handle_next()

    def save(self, exercise: Exercise, text: str, repeats: int) -> tuple[float, str]:
        """The median time from writing the file to the printed verdict, and the verdict's state."""
        times = []
        for number in range(repeats + 1):  # The first fills the cache of the mistakes' vectors.
            self.wait_until_warm(exercise)
            start = time.perf_counter()
            exercise.answer_path.write_text(f"{text}\n# save {number} {time.time()}\n", encoding="utf-8")
            self.until_verdict()
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:]), self.session.view.verdict.state


def wall(command: list[str], folder: Path, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def import_line(exercise: Exercise) -> str:
    modules = sorted({spec.split(":")[0] for spec in needed_imports([exercise])})
    return "import " + ", ".join(name for name in modules if not name.startswith("tunelings"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--exercise", default="all")
    parser.add_argument("--standby", action="store_true", help="prestarted processes, as where there is no fork")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = copy_of(find_root(), Path(folder))
        print_table(course, options)


def print_table(course: Course, options: argparse.Namespace) -> None:
    import threading

    out, screen.console = Console(), Console(file=open("/dev/null", "w"), highlight=False, soft_wrap=True)  # noqa: SIM115
    python, repeats = sys.executable, options.repeats
    table = Table("exercise", "warm pass", "warm failure", "cold pytest", "imports alone", title="seconds, medians")
    bench = Bench(course, fork=not options.standby)
    out.print(f'python -c "import torch": {wall([python, "-c", "import torch"], course.root, repeats):.2f} s')
    out.print(f"start to the first verdict: {bench.first_verdict():.2f} s")
    stop = threading.Event()
    arguments = (course.root, bench.saved, stop)
    threading.Thread(target=watch_files, args=arguments, daemon=True).start()
    for exercise in course.select(options.exercise):
        bench.session.view.turn_to(exercise)
        solution = exercise.solution_path.read_text(encoding="utf-8")
        passed, state = bench.save(exercise, solution, repeats)
        assert state == ExerciseState.PASSED, (exercise.number, state)
        failed, state = bench.save(exercise, vectors.apply(exercise.card.mistakes[0], 0, solution), repeats)
        assert state == ExerciseState.FAILED, (exercise.number, state)
        exercise.answer_path.write_text(solution, encoding="utf-8")
        cold = wall([python, "-m", "pytest", str(exercise.check_path)], course.root, repeats)
        imports = wall([python, "-c", import_line(exercise)], course.root, repeats)
        table.add_row(f"{exercise.number} {exercise.title}", *(f"{t:.2f}" for t in (passed, failed, cold, imports)))
    stop.set()
    out.print(table)
    for server in bench.session.pool.servers:
        status = Path(f"/proc/{server.process.pid}/status")
        if status.exists():
            rss = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            out.print(f"memory of the warm worker: {int(rss.split()[1]) / 1024:.0f} MiB")
    bench.session.pool.close()


if __name__ == "__main__":
    main()
