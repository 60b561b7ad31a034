"""The child process where processes are not forked: a Python of its own, started once for a run of pytest.

It imports what the checks need again, which takes seconds, and is kept from one exercise to the next. What an answer
prints comes with its result, and is lost where the answer ends the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from tunelings.course import Exercise
from tunelings.grading.answers import Source
from tunelings.grading.apart import PERIOD, Asked, Reply
from tunelings.grading.child import serve
from tunelings.grading.judge import Task
from tunelings.grading.limits import OUTPUT
from tunelings.grading.run import checks_of


class Spawned:
    """A process that judges what it is asked, with the interface of `apart.Apart`."""

    is_for_all = True  # exercises of a run

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.pid = self.process.pid
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.is_over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")

    def ask(self, request: dict[str, Any], limit: float, *, memory_is_limited: bool = True) -> Reply:
        """Have one check run, and wait for what is said of it; a child that does not answer is ended."""
        assert self.process.stdin
        token = secrets.token_hex(16)
        asked = Asked(self.pid, token, limit)
        line = json.dumps({"token": token, "memory_is_limited": memory_is_limited, **request}) + "\n"
        with contextlib.suppress(OSError):
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        try:
            while not asked.is_done:
                with contextlib.suppress(queue.Empty):
                    if heard := self.lines.get(timeout=PERIOD):
                        asked.hear(heard)
                    else:
                        status = self.process.wait()
                        asked.end(f"the answer ends the process that checks it, with exit status {status}")
                if not asked.is_done:
                    asked.look_at_the_clock()
        except BaseException:
            self.end()
            raise
        if asked.reply.ended or asked.reply.left:
            self.end()
        return asked.reply

    def end(self) -> None:
        """End the process and every one that came from it."""
        self.rest()
        self.is_over = True
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def rest(self) -> None:
        """End what the answers have started."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    process.kill()


def request_of(task: Task) -> dict[str, Any]:
    """A task as JSON; of fixtures only `tmp_path` can be sent."""
    exercise = task.exercise
    return {
        "exercise": [str(exercise.root), exercise.module, exercise.name],
        "check": task.check.__name__,
        "answer": [str(task.source.path), task.source.text],
        "seed": task.seed,
        "limit": task.limit,
        "open_todos": task.open_todos,
        "diagnosed": task.diagnosed,
        "tmp_path": str(task.fixtures["tmp_path"]) if "tmp_path" in task.fixtures else None,
    }


def _task(request: dict[str, Any]) -> Task:
    root, module, name = request["exercise"]
    path, text = request["answer"]
    exercise = Exercise(Path(root), module, name)
    (check,) = checks_of(exercise.check_path, [request["check"]])
    task = Task(exercise, check, Source(Path(path), text), request["seed"], request["limit"])
    fixtures = {} if request["tmp_path"] is None else {"tmp_path": Path(request["tmp_path"])}
    return replace(task, open_todos=tuple(request["open_todos"]), diagnosed=request["diagnosed"], fixtures=fixtures)


def main() -> None:
    requests, answers = os.dup(0), os.dup(1)
    printed = tempfile.TemporaryFile()
    null = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((null, 0), (printed.fileno(), 1), (printed.fileno(), 2)):
        os.dup2(here, there)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", buffering=1, closefd=False) for number in (1, 2))

    def take_printed() -> str:
        printed.seek(0)
        text = printed.read(OUTPUT + 1).decode(errors="replace")
        printed.seek(0)
        printed.truncate()
        return text

    try:
        serve(requests, answers, _task, take_printed)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
