"""Verdicts from a process that has already imported what the exercises need.

The process is a server: it reads requests from stdin and writes events to stdout, both as JSON lines.

    request   {"numbers": ["1.05"], "seed": 0}
    events    {"event": "ready"}
              {"event": "started", "pid": 123}
              {"event": "checking", "check": "test_…", "limit": 10.0}
              {"event": "checked"}
              {"event": "progress", "done": 0.4, "text": "epoch 2, loss 0.31"}
              {"event": "verdicts", "verdicts": [{"number": "1.05", "state": "passed", …}]}
              {"event": "error", "text": "…"}
              {"event": "ended"}

Where there is fork (Linux), the server forks a child for each request: the child has the warm imports, and
whatever the answer does dies with it. The server itself never computes: a forked child of a process that
has computed with more than one thread hangs in its first matmul. Elsewhere the server answers one request
itself and exits, and its successor has been started beforehand (see `pool.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pytest

from tunelings.course import Course
from tunelings.grading.store import Progress
from tunelings.grading.verdict import to_json


def warm_up(imports: Iterable[str]) -> None:
    """Import everything, run pytest over nothing, and take it all out of the garbage collector's sight."""
    from tunelings.grading import grade

    for spec in ("tunelings.grading.diagnose", "tunelings.grading.render", *imports):
        module, _, name = spec.partition(":")
        with contextlib.suppress(ImportError, AttributeError):  # The verdict will say what is missing.
            loaded = importlib.import_module(module)
            if name:
                getattr(loaded, name)  # transformers imports its classes on first use.
    grade.rehearse()
    gc.collect()
    gc.freeze()


class Events:
    """Where a server writes; kept apart from stdout, which belongs to the answers."""

    def __init__(self) -> None:
        self.file: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)

    def send(self, event: str, **fields) -> None:
        self.file.write(json.dumps({"event": event, **fields}) + "\n")


class _Follower:
    """A pytest plugin that says which check is running, so that the parent can end one that hangs."""

    def __init__(self, events: Events):
        self.events = events

    def pytest_runtest_call(self, item) -> None:
        from tunelings.grading.run import limit_of

        self.events.send("checking", check=item.name, limit=limit_of(item.obj))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call) -> None:
        if call.when == "call":
            self.events.send("checked")


def answer_request(request: dict, events: Events, root: Path) -> None:
    """Check the exercises of one request and send their verdicts."""
    from tunelings import live
    from tunelings.grading import grade

    live.listener = lambda done, text: events.send("progress", done=done, text=text)
    course = Course(root)
    try:
        exercises = [course.find(number) for number in request["numbers"]]
        verdicts = grade.check(exercises, seed=request.get("seed", 0), plugins=[_Follower(events)])
        events.send("verdicts", verdicts=[to_json(one) for one in verdicts])
    except Exception as error:
        events.send("error", text=f"{type(error).__name__}: {error}")


def serve_by_forking(events: Events, root: Path) -> None:
    """Answer each request in a child of its own, until stdin ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()  # A group of its own: whoever ends it ends the processes that the answer started, too.
            try:
                answer_request(json.loads(line), events, root)
            finally:
                events.file.flush()
                os._exit(0)
        events.send("started", pid=pid)
        os.waitpid(pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # What the answer started and left.
        events.send("ended")
    os._exit(0)  # Taking torch apart would cost a second.


def serve_once(events: Events, root: Path) -> None:
    """Answer one request in this process."""
    line = sys.stdin.readline()
    if line:
        events.send("started", pid=os.getpid())
        answer_request(json.loads(line), events, root)
        events.send("ended")
        events.file.flush()
        os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("imports", nargs="*")
    options = parser.parse_args()
    events = Events()
    warm_up(options.imports)
    Progress(Course(options.root)).checklist()  # Parses every exercise once; the children inherit that.
    events.send("ready")
    (serve_once if options.once else serve_by_forking)(events, options.root)


if __name__ == "__main__":
    main()
