"""The child process that runs the checks of one exercise: what it does after the fork, and what it says.

It reads requests, a line of JSON each, and answers each with lines that begin with the request's token:

    {"token": "…", "check": "test_…", "tmp_path": "…", "diagnosed": true, "memory_is_limited": true}

    {"token": "…", "said": "begun", "pid": 123}             its imports are done, the clock runs
    {"token": "…", "said": "progress", "done": 0.5, "text": "…"}
    {"token": "…", "said": "judged", "final": false, "state": "failed", "failure": {…}, …}

What an answer does to this process ends with it. Nothing that it says is more than a verdict on this answer.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

from tunelings import expect, live
from tunelings.expect import CheckFailed
from tunelings.grading import processes
from tunelings.grading.contain import GRADER_CHANGED, Exited, LeftBehind, contained
from tunelings.grading.judge import Judgement, Task, judge
from tunelings.grading.limits import MEMORY, memory_limit
from tunelings.grading.run import prepare
from tunelings.grading.states import CheckState
from tunelings.grading.verdict import Failure, failure_to_json

_HIGH = 600  # An answer that closes the first few hundred files does not mean ours.
_MOST_WARNINGS = 20
_FINALIZERS = ("__del__", "weakref")

FindTask = Callable[[dict[str, Any]], Task]


def serve(requests: int, answers: int, find_task: FindTask, printed: Callable[[], str] | None = None) -> None:
    """Answer every request that comes in; returns when there will be no more. `printed` takes what was printed."""
    pid = os.getpid()

    def say(token: str, said: str, **fields: Any) -> None:
        if os.getpid() != pid:  # The answer has forked, and its child came back here.
            os._exit(0)
        line = json.dumps({"token": token, "said": said, **fields}).encode() + b"\n"
        while line:
            line = line[os.write(answers, line) :]

    token = ""

    def report(done: float, text: str) -> None:
        say(token, "progress", done=done, text=text)

    live.listener = report
    with os.fdopen(requests, "rb", closefd=False) as lines:
        for line in lines:
            request = json.loads(line)
            token = request["token"]
            _answer(request, find_task(request), say, printed)


def _answer(request: dict[str, Any], task: Task, say: Callable[..., None], printed: Callable[[], str] | None) -> None:
    token = request["token"]
    prepare(task.check, task.source)
    threads = set(threading.enumerate())
    say(token, "begun", pid=os.getpid())
    with memory_limit(MEMORY if request["memory_is_limited"] else None), warnings.catch_warnings(record=True) as caught:

        def tell(judgement: Judgement, final: bool = False) -> None:
            _flush()
            left = any(thread not in threads for thread in threading.enumerate())
            fields = judgement_to_json(judgement) | ({"printed": printed()} if printed else {})
            say(token, "judged", final=final, left=left, warnings=_as_json(caught or []), **fields)

        try:
            judgement = replace(judge(task, tell), error=None)
            if any(word in task.source.text for word in _FINALIZERS):
                with contained():
                    gc.collect()  # What a `__del__` does comes before the verdict and not after it.
        except (Exited, LeftBehind) as escaped:
            if not judgement.state.is_failure:
                judgement = _escaped(task, str(escaped))
        except BaseException as error:  # Ctrl-C does not reach this process: it is the answer's.
            judgement = _escaped(task, f"the answer ends the program: {type(error).__name__}")
        if judgement.state == CheckState.PASSED and not _still_judges():
            judgement = _escaped(task, f"{GRADER_CHANGED}: it lets a wrong value pass")
        tell(judgement, final=True)


def _still_judges() -> bool:
    """What the checks are written in still sees that 0 is not 1."""
    try:
        expect.close(0.0, 1.0, what="zero")
    except CheckFailed:
        return True
    except BaseException:
        return False
    return False


def _escaped(task: Task, said: str) -> Judgement:
    failure = Failure(task.check.__name__, CheckState.ESCAPED, message=said)
    return Judgement(CheckState.ESCAPED, failure)


def judgement_to_json(judgement: Judgement) -> dict[str, Any]:
    failure = judgement.failure
    return {
        "state": judgement.state.value,
        "failure": failure and failure_to_json(failure),
        "skipped": judgement.skipped,
        "fingerprint": judgement.fingerprint,
    }


def _as_json(caught: list[warnings.WarningMessage]) -> list[dict[str, Any]]:
    """The warnings that can be told: `warnings.showwarning` takes anything for one, and its text may raise."""
    told = []
    for one in caught[:_MOST_WARNINGS]:
        with contextlib.suppress(BaseException):
            line = one.lineno if 0 < one.lineno < 2**31 else 1  # Python takes no larger number back.
            text, kind = str(one.message)[:1000], one.category.__name__
            told.append({"text": text, "kind": kind, "file": str(one.filename), "line": line})
    return told


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


# After the fork


def become(requests: int, answers: int, out: int, err: int) -> tuple[int, int]:
    """Make a forked process the child: a session, streams and signals of its own; returns where it reads and writes."""
    os.setsid()
    processes.die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    requests, answers = _moved(requests), _moved(answers)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    drop_files(null, keep={requests, answers})
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout, sys.stderr = (
        open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False) for number in (1, 2)
    )
    sys.breakpointhook = _no_debugger
    threading.excepthook, sys.unraisablehook = threading.__excepthook__, sys.__unraisablehook__
    logging.getLogger().handlers.clear()  # pytest's; warnings then go to stderr.
    faulthandler.enable(2)
    os.register_at_fork(after_in_child=_end_if_forked)
    return requests, answers


def _moved(number: int) -> int:
    import fcntl

    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:  # Fewer files are allowed.
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)


def drop_files(null: int, keep: set[int]) -> None:
    """Let every other open file be the null device: some are pipes and screens of the processes above.

    They are not closed, since whoever holds their numbers would close the next file of the same number.
    """
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        numbers = list(range(3, 256))
    for number in numbers:
        if number > 2 and number not in keep:
            with contextlib.suppress(OSError):
                os.fstat(number)
                os.dup2(null, number)


def _no_debugger(*args: Any, **options: Any) -> None:
    raise RuntimeError("breakpoint() needs a terminal: run pytest with --in-process -s")


def _end_if_forked() -> None:
    """A fork of the answer's own ends at once; those of multiprocessing and subprocess do their work and end."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.endswith(_FORKERS):
            return
        frame = frame.f_back
    os._exit(0)


_FORKERS = (os.path.join("multiprocessing", "popen_fork.py"), os.path.join("lib", "subprocess.py"), "/subprocess.py")
