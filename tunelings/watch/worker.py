"""Verdicts from a process that has already imported what the exercises need.

The process is a server: it reads requests from stdin and writes events to stdout (see `events.py`).

Where there is fork (Linux), the server forks a child for each request: the child has the warm imports, and pytest's
plugin in it runs the answer in a child of its own. The server itself never computes: a forked child of a process that
has computed with more than one thread hangs in its first matmul. Elsewhere the server answers one request itself,
the answer included, and exits; its successor has been started beforehand (see `pool.py`).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import IO

import pytest

from tunelings.course import Course
from tunelings.grading import processes
from tunelings.grading.store import Progress
from tunelings.watch import events


class Output:
    """Where a server writes its events; kept apart from stdout, which belongs to the answers."""

    def __init__(self) -> None:
        self.file: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)

    def send(self, event: events.FromWorker) -> None:
        self.file.write(events.to_json(event))


class _Follower:
    """A pytest plugin that says which check is running, so that the parent can end one that hangs."""

    def __init__(self, output: Output):
        self.output = output

    def pytest_runtest_call(self, item) -> None:
        from tunelings.grading.run import limit_of

        self.output.send(events.Checking(item.name, limit_of(item.obj)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call) -> None:
        if call.when == "call":
            self.output.send(events.Checked())


def answer_request(line: str, output: Output, root: Path) -> None:
    """Check the exercises of one request and send their verdicts."""
    from tunelings import live
    from tunelings.grading import apart, grade
    from tunelings.grading.printed import shown_progress

    live.listener = lambda done, text: output.send(events.Reported(*shown_progress(done, text)))
    course = Course(root)
    try:
        request = events.request_from_json(line)
        exercises = [course.find(number) for number in request.numbers]
        # Where nothing is forked, this process is the child: the loop ends it, and says so where no verdict comes.
        in_process = not apart.can_fork()
        found = grade.check(exercises, seed=request.seed, plugins=[_Follower(output)], in_process=in_process)
        output.send(events.Verdicts(tuple(found)))
    except Exception as error:
        output.send(events.Error(f"{type(error).__name__}: {error}"))


def serve_by_forking(output: Output, root: Path) -> None:
    """Answer each request in a child of its own, until stdin ends."""
    from tunelings.grading import between

    processes.adopt_orphans()
    for line in sys.stdin:
        pid = between.fork()
        if pid == 0:
            processes.die_with_parent()
            os.setsid()  # A group of its own: whoever ends it ends the processes that the answer started, too.
            try:
                answer_request(line, output, root)
            finally:
                output.file.flush()
                os._exit(0)
        output.send(events.Started(pid))
        os.waitpid(pid, 0)
        processes.kill_descendants()  # What the answer started and left, where it ended the process that looks for it.
        output.send(events.Ended())
    os._exit(0)  # Taking torch apart would cost a second.


def serve_once(output: Output, root: Path) -> None:
    """Answer one request in this process."""
    line = sys.stdin.readline()
    if line:
        output.send(events.Started(os.getpid()))
        answer_request(line, output, root)
        output.send(events.Ended())
        output.file.flush()
        os._exit(0)


def main() -> None:
    from tunelings.grading import grade

    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("imports", nargs="*")
    options = parser.parse_args()
    output = Output()
    grade.warm_up(options.imports)
    Progress(Course(options.root)).checklist()  # Parses every exercise once; the children inherit that.
    output.send(events.Ready())
    (serve_once if options.once else serve_by_forking)(output, options.root)


if __name__ == "__main__":
    main()
