"""A warm process that runs answers, inside a sandbox: it has imported what the exercises need, and forks for each.

It reads requests from stdin, a line of JSON each, and writes lines to stdout:

    {"id": "…", "number": "1.05", "seed": 0, "answer": "…", "usual": ["opens files"], "vectors": false}

    {"ready": true, "rooms": true, "seen": []}
                                             once; `rooms`: each answer has namespaces of its own (`room.py`); `seen`:
                                             what the sandbox should have hidden (`room.seen`)
    {"id": "…", "state": "passed", …}        the result (`told.py`)
    {"ended": "…"}                           the request of this id is over, with or without a result

`answer` is the file's bytes in base64. For each request the server forks a process that judges; the answer itself runs
in a child of that (`grading/apart.py`), which has no file open that leads out. The server never computes: a process
that was forked from one that has computed with several threads hangs in its first matmul.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

from tunelings.classroom import flags, room
from tunelings.classroom.told import LARGEST, Told, failure_of
from tunelings.course import Course
from tunelings.grading import limits
from tunelings.grading.contain import GRADER_CHANGED
from tunelings.grading.runs import Run
from tunelings.grading.states import CheckState, ExerciseState

ADDRESS_SPACE = limits.MEMORY + 2 * 2**30  # bytes; a check's own limit is lower, and comes first
_TREES = ("solutions", "checks", "data", "tunelings")


class Output:
    """Where results go; kept apart from stdout, which leads nowhere from then on."""

    def __init__(self) -> None:
        self.number = os.dup(1)
        self.null = os.open(os.devnull, os.O_RDWR)
        os.dup2(self.null, 1)

    def hush(self) -> None:
        """Let nothing be written to stderr from now on; until then, why the server doesn't start stands there."""
        os.dup2(self.null, 2)

    def say(self, line: str) -> None:
        content = line.encode() + b"\n"
        while content:
            content = content[os.write(self.number, content) :]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--own-user", action="store_true", help="the sandbox has a user of its own")
    parser.add_argument("--own-processes", action="store_true", help="and no process in it but what the server starts")
    parser.add_argument("--no-rooms", action="store_true")
    parser.add_argument("--canary", type=Path, help="a file that no sandbox shows; where it is to be looked for")
    parser.add_argument("imports", nargs="*")
    options = parser.parse_args()
    output = Output()
    if options.no_rooms:  # The same user has run answers before: nothing that they left is read.
        own = tempfile.mkdtemp(prefix="student-")
        os.environ |= {"HOME": own, "TMPDIR": own}
        tempfile.tempdir = None
    from tunelings.grading import grade

    room.limit(has_own_user=options.own_user)
    grade.warm_up([*options.imports, "tunelings.grading.vectors"])
    room.limit_memory(ADDRESS_SPACE)
    rooms = not options.no_rooms and room.is_possible()
    seen = room.seen(options.canary, files_alone=not options.own_processes) if options.canary else []
    room.hide()
    output.hush()
    output.say(json.dumps({"ready": True, "rooms": rooms, "seen": seen}))
    serve(output, Course(options.root), rooms=rooms, own_processes=options.own_processes)


def serve(output: Output, course: Course, *, rooms: bool, own_processes: bool) -> NoReturn:
    """Answer each request in a process of its own, until stdin ends."""
    from tunelings.grading import between, processes

    processes.adopt_orphans()
    for line in sys.stdin:
        request = json.loads(line)
        pid = between.fork()
        if pid == 0:
            _in_child(output, course, request, rooms)
        os.waitpid(pid, 0)
        if own_processes:
            _kill_all()
        processes.kill_descendants()
        output.say(json.dumps({"ended": request["id"]}))
    os._exit(0)  # Taking torch apart would cost a second.


def _kill_all() -> None:
    """End every process of the sandbox but this one and its first."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return
    while True:  # Those that this process has adopted.
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _in_child(output: Output, course: Course, request: dict[str, Any], rooms: bool) -> NoReturn:
    from tunelings.grading import processes

    try:
        processes.die_with_parent()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)  # No answer can read the next request.
        if rooms:
            room.enter()
        output.say(judge(course, request))
    finally:
        os._exit(0)


def judge(course: Course, request: dict[str, Any]) -> str:
    """The result of one request, as a line."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="answer-"))
    try:
        told = _judged(course, request, folder, began)
    except Exception as error:
        told = _nothing(request["id"], f"{type(error).__name__}: {error}"[:500])
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    line = told.model_dump_json()
    if len(line.encode()) > LARGEST:
        line = _nothing(request["id"], "its result is longer than a result may be").model_dump_json()
    return line


def _judged(course: Course, request: dict[str, Any], folder: Path, began: float) -> Told:
    from tunelings.grading import grade

    exercise = course.find(request["number"])
    _lay_out(folder, course)
    path = folder / "exercises" / exercise.relative_path
    path.parent.mkdir(parents=True)
    path.write_bytes(base64.b64decode(request["answer"]))
    os.chdir(folder)
    # None can spoil the folder in which pytest keeps those of the next one.
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    run = grade.check_folder(exercise, Path("exercises"), seed=request["seed"])
    seconds = time.monotonic() - began
    found = flags.of(run.source.text, _text(exercise.solution_path), request["usual"]) if run.source else []
    if request["vectors"]:
        from tunelings.grading.vectors import MistakeVectors

        MistakeVectors(exercise, request["seed"]).all()
    return _told(request["id"], run, found, seconds)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _lay_out(folder: Path, course: Course) -> None:
    """Make the working folder look like the course, whose own folder is read-only: some answers read its data."""
    for name in _TREES:
        if (course.root / name).exists():
            (folder / name).symlink_to(course.root / name)


def _told(request: str, run: Run, found: list[str], seconds: float) -> Told:
    from tunelings.grading.apart import ENDED, MEDDLED

    said = [(one.state, one.message) for one in run.failures.values()]
    escaped = [message for state, message in said if state == CheckState.ESCAPED]
    return Told(
        id=request,
        state=run.state,
        checks=run.checks,
        failure=failure_of(run.verdict),
        fingerprints=run.fingerprints,
        flags=found,
        tampered=any(message.startswith((GRADER_CHANGED, MEDDLED)) for message in escaped),
        memory=any(state == CheckState.CRASHED and message.startswith(limits.OUT_OF_MEMORY) for state, message in said),
        starved=any(ENDED in message for message in escaped),
        ended=False,
        trouble="",
        seconds=round(seconds, 3),
    )


def _nothing(request: str, trouble: str) -> Told:
    return Told(
        id=request, state=ExerciseState.FAILED, checks={}, failure=None, fingerprints={}, flags=[],
        tampered=False, memory=False, starved=False, ended=False, trouble=trouble, seconds=0.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
