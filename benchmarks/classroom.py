"""How fast a class is graded: students per minute by the number of jobs and on two Dask workers, beside a shell loop.

    python benchmarks/classroom.py                          a made-up class of 300 over module 1, 5 of them in the loop
    python benchmarks/classroom.py --students 30 --only 1.05 --sample 2
    python benchmarks/classroom.py --growth 30 100 300      also how time and memory grow with the class

Every way has a results folder of its own, so nothing that one has kept helps the next; the second run of each is timed
too. The loop is `pytest checks/… --answers DIR`, once for each student of a sample. All are taken in one run, so their
ratios hold on a busy machine; the seconds do not. Printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PERIOD = 0.2  # seconds between two looks at the memory


def grade(class_: Path, out: Path, only: str, *words: str) -> dict:
    """Seconds of `tunelings grade`, and the most memory that a server and all processes together had, in MiB."""
    command = [sys.executable, "-m", "tunelings", "grade", str(class_), "-o", str(out), "--only", only, *words]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    most = {"server": 0, "all": 0}
    watching = threading.Thread(target=_watch, args=(process, most))
    watching.start()
    said, _ = process.communicate()
    watching.join()
    seconds = time.monotonic() - began
    if process.returncode not in (0, 3):
        raise SystemExit(f"tunelings grade ended with {process.returncode}: {said}")
    mib = {f"{name}_mib": round(size / 2**20) for name, size in most.items()}
    return {"seconds": round(seconds, 1), **mib, "said": said.splitlines()[0] if said else ""}


def _watch(process: subprocess.Popen, most: dict[str, int]) -> None:
    while process.poll() is None:
        sizes = []
        for one in _below(process.pid):
            try:  # The proportional size: a page that several processes share counts once.
                sizes.append(("classroom.server" in " ".join(one.cmdline()), one.memory_full_info().pss))
            except psutil.Error:
                continue
        most["all"] = max(most["all"], sum(size for _, size in sizes))
        most["server"] = max(most["server"], max((size for is_server, size in sizes if is_server), default=0))
        time.sleep(PERIOD)


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def loop(class_: Path, checks: list[str], sample: int) -> float:
    """Seconds per student of pytest, one process for each."""
    students = sorted(path for path in class_.iterdir() if path.is_dir())[:sample]
    began = time.monotonic()
    for student in students:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks, "--answers", str(student)]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.monotonic() - began) / len(students)


def measure(place: Path, students: int, only: str, sample: int, ways: dict[str, list[str]]) -> dict:
    from tunelings.classroom import synthetic
    from tunelings.course import Course

    course = Course(ROOT)
    exercises = course.select(only)
    synthetic.write(synthetic.make(exercises, students=students, seed=1), course, place / "class")
    class_ = place / "class" / "submissions"
    found: dict = {"students": students, "only": only}
    if sample:
        checks = [str(one.check_path.relative_to(ROOT)) for one in exercises]
        found["loop"] = {"sample": sample, "seconds_per_student": round(loop(class_, checks, sample), 2)}
    for name, words in ways.items():
        first = grade(class_, place / name, only, *words)
        second = grade(class_, place / name, only, *words)
        found[name] = {**first, "second_seconds": second["seconds"], "second_said": second["said"],
                       "per_minute": round(60 * students / first["seconds"], 1)}  # fmt: skip
        if sample:
            whole_loop = found["loop"]["seconds_per_student"] * students
            found[name]["times_the_loop"] = round(whole_loop / first["seconds"], 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--only", default="module01")
    parser.add_argument("--sample", type=int, default=5, help="students in the loop")
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="sizes of a class, with one job")
    parser.add_argument("--no-dask", action="store_true")
    options = parser.parse_args()
    ways = {"jobs_1": ["--jobs", "1"], "jobs_2": ["--jobs", "2"]}
    results: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if options.no_dask:
            results["ways"] = measure(place, options.students, options.only, options.sample, ways)
        else:
            from distributed import LocalCluster

            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
                ways["dask_2"] = ["--scheduler", cluster.scheduler_address]
                results["ways"] = measure(place, options.students, options.only, options.sample, ways)
        for size in options.growth:
            one = measure(place / str(size), size, options.only, 0, {"jobs_1": ["--jobs", "1"]})
            results.setdefault("growth", []).append(one)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
