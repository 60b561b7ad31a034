"""How fast a class is graded: students per minute by the number of jobs and on two Dask workers, beside a shell loop.

    python benchmarks/classroom.py --folder /tmp/graded --minutes 60
    python benchmarks/classroom.py --folder /tmp/try --students 4 --sample 1 --growth 2 4 --growth-only 1.01

Each way grades the same made-up class over module 1 into a results folder of its own, so nothing that one has kept
helps the next, and then once more, where everything is known. The loop is `pytest checks/… --answers DIR`, once for
each student of a sample, one after the other: what a teacher would write without `tunelings grade`. All that is
compared runs in one sitting. Both clocks are compared: seconds, for which the machine must be quiet, and processor
time, which other work hardly changes and to which a second core adds nothing. A made-up class draws from a few
hundred kept answers, and a program runs once, so how many are different stands beside the figures. `--growth` grades
classes of these sizes.

Each measurement is kept in FOLDER as soon as it is made: the same command goes on where it was ended, by `--minutes` or
by hand. A measurement that was cut short is no measurement. The docs show figures/results/classroom.json, which is
written once everything is there and `--write` is given.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "figures" / "results" / "classroom.json"
PERIOD = 3.0  # seconds between two looks at the memory
MIB = 2**20


class OutOfTime(Exception):
    """The minutes are over; what has been measured is kept."""


class Notes:
    """The measurements in a folder, by name, and until when more may be made."""

    def __init__(self, folder: Path, minutes: float):
        self.folder, self.end = folder, time.monotonic() + 60 * minutes
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "measured.json"
        self.found: dict[str, Any] = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def have(self, name: str, measure: Callable[[], Any]) -> Any:
        """The measurement of this name, made now if it isn't there."""
        if name not in self.found:
            if self.left <= 0:
                raise OutOfTime(name)
            print(f"{name} …", file=sys.stderr, flush=True)
            self.found[name] = measure()
            self.path.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
        return self.found[name]


def grade(notes: Notes, class_: Path, out: Path, only: str, words: list[str]) -> dict[str, Any]:
    """What `tunelings grade` took: seconds by the clock and of processors, and the most memory of its servers in MiB.

    Raises:
        OutOfTime: it didn't end in the time that is left.
    """
    command = [sys.executable, "-m", "tunelings", "grade", str(class_), "-o", str(out), "--only", only, *words]
    most, busy = {"server": 0, "all": 0}, {}
    earlier: dict[int, float] = {}  # A Dask worker's server may have been there for a while.
    _look({}, earlier)
    is_over = threading.Event()
    watching = threading.Thread(target=_watch, args=(is_over, most, busy))
    watching.start()
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=notes.left)
        seconds = time.monotonic() - began
    except subprocess.TimeoutExpired:
        raise OutOfTime(f"tunelings grade {class_} {' '.join(words)}".strip()) from None
    finally:
        is_over.set()
        watching.join()
    if done.returncode not in (0, 3):
        raise SystemExit(f"tunelings grade ended with {done.returncode}: {done.stdout}")
    sizes = {f"{name}_mib": round(size / MIB) for name, size in most.items()}
    processors = sum(seconds - earlier.get(pid, 0.0) for pid, seconds in busy.items())
    return {"seconds": round(seconds, 2), "processors": round(processors, 2), **sizes,
            "said": done.stdout.splitlines()[-2:]}  # fmt: skip


def _watch(is_over: threading.Event, most: dict[str, int], busy: dict[int, float]) -> None:
    """A server is what is below the outermost process of a sandbox, wherever that was started: here or by Dask.

    most: the most memory in bytes. busy: processor seconds when last seen, of a sandbox by its outermost process and
    with all that it has ended, of any other process below this one by itself.
    """
    while not is_over.wait(PERIOD):
        _look(most, busy)


def _look(most: dict[str, int], busy: dict[int, float]) -> None:
    trees = {one.pid: [one, *_below(one)] for one in _sandboxes()}
    sizes = [sum(map(_size, tree)) for tree in trees.values()]
    most["all"] = max(most.get("all", 0), sum(sizes))
    most["server"] = max(most.get("server", 0), *sizes, 0)
    for pid, tree in trees.items():
        busy[pid] = max(busy.get(pid, 0.0), sum(map(_all_seconds, tree)))
    inside = {one.pid for tree in trees.values() for one in tree}
    busy |= {one.pid: _own_seconds(one) for one in _below(psutil.Process()) if one.pid not in inside}


def _below(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return process.children(recursive=True)
    return []


def _own_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        return sum(process.cpu_times()[:2])
    return 0.0


def _all_seconds(process: psutil.Process) -> float:
    """With those of its children that have ended."""
    with contextlib.suppress(psutil.Error):
        return sum(process.cpu_times()[:4])
    return 0.0


def _sandboxes() -> Iterator[psutil.Process]:
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            parent = one.parent()
            if one.name() == "bwrap" and (parent is None or parent.name() != "bwrap"):
                yield one


def _size(process: psutil.Process) -> int:
    try:  # The proportional size: a page that several processes share counts once.
        return process.memory_full_info().pss
    except psutil.Error:
        return 0


def loop(notes: Notes, class_: Path, checks: list[str], sample: int) -> dict[str, Any]:
    """Seconds per student of pytest, one process for each, by the clock and of processors."""
    students = sorted(path for path in class_.iterdir() if path.is_dir())[:sample]
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for student in students:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks, "--answers", str(student)]
        try:
            subprocess.run(command, cwd=ROOT, capture_output=True, timeout=notes.left)
        except subprocess.TimeoutExpired:
            raise OutOfTime("the loop") from None
    seconds, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processors = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return {
        "sample": len(students),
        "answers": sum(differing(student)["answers"] for student in students),
        "seconds_per_student": round(seconds / len(students), 2),
        "processors_per_student": round(processors / len(students), 2),
        "per_minute": round(60 * len(students) / seconds, 2),
    }


def made_up(place: Path, students: int, only: str) -> Path:
    """The class of this size, made once."""
    from tunelings.classroom import synthetic
    from tunelings.commands.classroom import chosen
    from tunelings.course import Course

    course = Course(ROOT)
    if not (place / "truth.json").exists():
        synthetic.write(synthetic.make(chosen(course, only), students=students, seed=1), course, place)
    return place / "submissions"


def differing(place: Path) -> dict[str, int]:
    """How many answers a class that was made up has handed in, and how many of them are different programs."""
    from tunelings.classroom.programs import program

    found = [(path.name, program(path.read_bytes())) for path in place.rglob("*.py")]
    return {"answers": len(found), "different": len(set(found))}


def twice(notes: Notes, name: str, class_: Path, students: int, only: str, words: list[str]) -> dict[str, Any]:
    """The first run of one way, and the second, in which everything is known."""
    out = notes.folder / name.replace(" ", "-")
    if f"{name}: first run" not in notes.found and out.exists():
        out = notes.folder / f"{out.name}-{os.getpid()}"  # One that was cut short has kept results.
    first = notes.have(f"{name}: first run", lambda: {"out": str(out), **grade(notes, class_, out, only, words)})
    second = notes.have(f"{name}: second run", lambda: grade(notes, class_, Path(first["out"]), only, words))
    counted = differing(class_)
    return {
        "students": students,
        **counted,
        "seconds": first["seconds"],
        "per_minute": round(60 * students / first["seconds"], 2),
        "processors_per_student": round(first["processors"] / students, 2),
        "processors_per_program": round(first["processors"] / counted["different"], 2),
        "second_share": round(second["processors"] / first["processors"], 4),
        "server_mib": first["server_mib"],
        "all_mib": first["all_mib"],
        "said": first["said"],
    }


def measure(notes: Notes, options: argparse.Namespace, scheduler: str) -> dict[str, Any]:
    from tunelings.commands.classroom import chosen
    from tunelings.course import Course

    class_ = made_up(notes.folder / "class", options.students, options.only)
    checks = [str(one.check_path.relative_to(ROOT)) for one in chosen(Course(ROOT), options.only)]
    few = made_up(notes.folder / "class-of-4", 4, options.only)
    # Four are enough for the vectors of all mistakes to be made, which are then kept for every way and for the loop.
    first = notes.have("the vectors", lambda: grade(notes, few, notes.folder / "vectors", options.only, []))
    beside = notes.have("the loop", lambda: loop(notes, class_, checks, options.sample))
    ways = {f"--jobs {n}": ["--jobs", str(n)] for n in options.jobs}
    ways |= {"two Dask workers": ["--scheduler", scheduler]} if scheduler else {}
    found = {name: twice(notes, name, class_, options.students, options.only, words) for name, words in ways.items()}
    for way in found.values():
        way["times_the_loop"] = round(way["per_minute"] / beside["per_minute"], 2)
        way["times_the_loop_processors"] = round(beside["processors_per_student"] / way["processors_per_student"], 2)
    growth = {}
    for size in options.growth:
        one = made_up(notes.folder / f"class-{size}", size, options.growth_only)
        words = ["--jobs", str(max(options.jobs))]
        is_measured = (size, options.growth_only) == (options.students, options.only)
        if is_measured:
            growth[str(size)] = found[f"--jobs {max(options.jobs)}"]
        else:
            growth[str(size)] = twice(notes, f"growth {size}", one, size, options.growth_only, words)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "only": options.only,
        "exercises": len(checks),
        "students": options.students,
        "vectors_seconds": first["seconds"],
        "loop": beside,
        "ways": found,
        "growth_only": options.growth_only,
        "growth": growth,
    }


@contextlib.contextmanager
def two_workers(is_wanted: bool) -> Iterator[str]:
    """The address of a scheduler with two workers of one thread; "" where none is wanted."""
    if not is_wanted:
        yield ""
        return
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where classes, results and measurements are kept")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="end after so many, and go on the next time")
    parser.add_argument("--students", type=int, default=300, help="in the class that each way grades")
    parser.add_argument("--only", default="module01")
    parser.add_argument("--sample", type=int, default=3, help="students in the loop")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--growth", type=int, nargs="*", default=[30, 100, 300], help="sizes of a class")
    parser.add_argument("--growth-only", default="module01", help="the exercises of those classes")
    parser.add_argument("--no-dask", action="store_true")
    parser.add_argument("--write", action="store_true", help="write figures/results/classroom.json, for the docs")
    options = parser.parse_args()
    notes = Notes(options.folder, options.minutes)
    settings = {name: value for name, value in vars(options).items() if name not in ("folder", "minutes", "write")}
    if notes.have("the settings", lambda: settings) != settings:
        raise SystemExit(f"{options.folder} has measurements of other settings: give a new folder.")
    try:
        with two_workers(not options.no_dask) as scheduler:
            found = measure(notes, options, scheduler)
    except OutOfTime as left:
        raise SystemExit(f"The minutes are over before: {left}. The same command goes on.") from None
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
