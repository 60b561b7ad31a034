"""The grader's side of the child process that runs the checks of one exercise.

The child is forked: it has what is imported already, and whatever an answer does ends with it. Between it and this
process stands a third, which waits for it; it is the child's parent, so that an answer that ends its parent ends that.
Only this process decides: where the child is gone and has said nothing, the check has failed.

Long: what the parent hears from the child, and what it does about it, is one conversation.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import selectors
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

import psutil

from tunelings import live
from tunelings.grading import limits, processes
from tunelings.grading.between import fork, stand_between
from tunelings.grading.child import FindTask, become, serve
from tunelings.grading.judge import Judgement
from tunelings.grading.printed import Printed, shown_progress
from tunelings.grading.states import CheckState
from tunelings.grading.verdict import Failure, failure_from_json

PERIOD = 1.0  # seconds between two looks at what the child uses
_PATIENCE = 10.0  # seconds in which a process that has nothing to do must answer
_MOST = 2**22  # bytes of one line of the child


def can_fork() -> bool:
    """Forked processes are for Linux: on macOS its frameworks do not survive a fork, and Windows has none."""
    return sys.platform == "linux" and hasattr(os, "fork")


@dataclass
class Reply:
    """What the child said of one check; `ended` says instead how it ended."""

    judgement: Judgement | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)
    left: bool = False  # Threads of the answer still run.
    ended: str = ""
    state: CheckState = CheckState.ESCAPED

    def judgement_of(self, check: str) -> Judgement:
        """The judgement; where there is none, that the check has failed."""
        if self.judgement is not None:
            return self.judgement
        return Judgement(self.state, Failure(check, self.state, message=self.ended))


class Apart:
    """A child process for the checks of one exercise; `find_task` turns a request into a task, in the child."""

    is_for_all = False

    def __init__(self, find_task: FindTask):
        processes.adopt_orphans()
        self.others = {one.pid for one in processes.descendants()}
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        self.out, out = os.pipe()
        self.err, err = os.pipe()
        self.status, status = os.pipe()
        pings, self.pings = os.pipe()
        self.mine = (self.requests, self.answers, self.out, self.err, self.status, self.pings)
        theirs = (requests, answers, out, err, status, pings)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()  # What waits to be written would be written twice.
        self.pid = fork()
        if self.pid == 0:
            stand_between(pings, status, lambda: _run_child(requests, answers, out, err, find_task))
        for number in theirs:
            os.close(number)
        self.buffer = self.unsent = b""
        self.is_over = False
        os.set_blocking(self.requests, False)  # A child that was stopped reads nothing.
        self.selector = selectors.DefaultSelector()
        for number in (self.answers, self.out, self.err, self.status):
            os.set_blocking(number, False)
            self.selector.register(number, selectors.EVENT_READ)

    def ask(self, request: dict[str, Any], limit: float, *, memory_is_limited: bool = True) -> Reply:
        """Have one check run, and wait for what is said of it; a child that does not answer is ended."""
        token = secrets.token_hex(16)
        line = json.dumps({"token": token, "memory_is_limited": memory_is_limited, **request}) + "\n"
        asked = Asked(self.pid, token, limit, memory_is_limited=memory_is_limited)
        self.unsent = line.encode()
        try:
            self.selector.register(self.requests, selectors.EVENT_WRITE)
            while not asked.is_done:
                self._step(asked)
        except BaseException:
            self.end()
            raise
        self._show_printed(asked.printed)
        if not asked.reply.ended and (status := self._ping()) != b"!":
            if status is None:  # Not waited for again, whatever the check has found.
                asked.reply.judgement = None
                asked.end(SILENT, CheckState.TIMEOUT)
            else:
                asked.end(_how_it_ended(status))
        if asked.reply.ended or asked.reply.left:
            self.end()
        return asked.reply

    def _step(self, asked: Asked) -> None:
        for key, _ in self.selector.select(PERIOD):
            match key.fd:
                case self.requests:
                    self._send()
                case self.answers:
                    self._take_lines(asked)
                case self.status:
                    self._take_lines(asked)
                    if not asked.is_done:
                        asked.end(_how_it_ended(_read(self.status) or b""))
                case self.out | self.err:
                    self._show_printed(asked.printed)
        if not asked.is_done:
            asked.look_at_the_clock()

    def _send(self) -> None:
        try:
            self.unsent = self.unsent[os.write(self.requests, self.unsent) :]
        except BlockingIOError:
            return
        except OSError:  # It ended between two checks: a thread, or a process, of the answer's.
            self.unsent = b""
        if not self.unsent:
            self.selector.unregister(self.requests)

    def _take_lines(self, asked: Asked) -> None:
        content = _read(self.answers)
        if not content:
            if content is not None and self.answers in self.selector.get_map():
                self.selector.unregister(self.answers)
            return
        *lines, self.buffer = (self.buffer + content).split(b"\n")
        for line in lines:
            if not asked.is_done:
                asked.hear(line)
        if len(self.buffer) > _MOST:
            asked.end(MEDDLED)

    def _ping(self) -> bytes | None:
        """What the process between answers: b"!", or how the child ended, or b"" where it is gone; None where it waits.

        The answer may have killed it, and then it ends a moment later than the result comes.
        """
        with contextlib.suppress(OSError):
            os.write(self.pings, b"?")
            select.select([self.status], [], [], _PATIENCE)
            return _read(self.status)
        return b""

    def _show_printed(self, printed: Printed) -> None:
        for stream, number in ((1, self.out), (2, self.err)):
            while number in self.selector.get_map():
                content = _read(number)
                if content is None:
                    break
                if not content:
                    self.selector.unregister(number)
                printed.show(stream, content)

    def end(self) -> None:
        """End the child and every process that came from it."""
        if self.is_over:
            return
        self.is_over = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
        processes.kill_descendants(spare=self.others)
        processes.reap(self.pid)
        self.selector.close()
        for number in self.mine:
            os.close(number)


ENDED = "by the answer or because memory ran out"
MEDDLED = "the answer writes into the files of the process that checks it"
SILENT = f"the answer stops the processes that check it: they say nothing for {_PATIENCE:g} s"


class Asked:
    """One check that was asked for: how far it is, and when its time is over."""

    def __init__(self, pid: int, token: str, limit: float, *, memory_is_limited: bool = True):
        """`pid` is the process below which the answer's processes stand."""
        self.pid, self.token, self.limit, self.memory_is_limited = pid, token, limit, memory_is_limited
        self.reply, self.printed = Reply(), Printed()
        self.said: set[tuple[str, bool]] = set()
        self.is_done = False
        self.child: int | None = None
        self.processor_began: float | None = None
        self.next_look = time.monotonic() + PERIOD
        self.next_report = 0.0
        self._give(limits.IMPORTS)
        self.why = f"did not finish its imports in {limits.IMPORTS:g} s"

    def hear(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            if told.pop("token") != self.token:
                raise ValueError("another token")
            self._heed(told)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.end(MEDDLED)

    def _heed(self, told: dict[str, Any]) -> None:
        word = told["said"], bool(told.get("final"))
        if word in self.said and word[0] != "progress":
            raise ValueError("said twice")  # Each gives more time.
        self.said.add(word)
        match told["said"]:
            case "begun":
                self.child = int(told["pid"])
                self.processor_began = processes.processor_seconds(self.child)
                self._give(limits.hard_limit(self.limit))
                self.why = f"did not finish in {self.limit:g} s and could not be interrupted, so it was stopped"
            case "progress":
                if live.listener is not None and time.monotonic() >= self.next_report:
                    self.next_report = time.monotonic() + live.INTERVAL / 2  # `live` in the child may be changed.
                    live.listener(*shown_progress(told["done"], told["text"]))
            case "judged":
                failure = told["failure"]
                self.reply.judgement = Judgement(
                    CheckState(told["state"]),
                    failure and failure_from_json(failure),
                    None if told["skipped"] is None else str(told["skipped"]),
                    fingerprint=str(told["fingerprint"]),
                )
                self.reply.warnings, self.reply.left = _warnings_of(told["warnings"]), bool(told["left"])
                self.is_done = bool(told["final"])
                if printed := told.get("printed"):
                    self.printed.show(1, str(printed).encode())
                self.processor_began = None
                self._give(limits.DIAGNOSIS)

    def _clock(self) -> float:
        """The clock, which stands still while the child could run but others have the processors."""
        return time.monotonic() - (limits.queued(self.child) if self.child is not None else 0.0)

    def _give(self, seconds: float) -> None:
        """Let what comes next take so long by the clock."""
        self.deadline = self._clock() + seconds

    def end(self, why: str, state: CheckState = CheckState.ESCAPED) -> None:
        """No more will be said of this check, whose last judgement stands if it was a failure."""
        if self.reply.judgement is not None and not self.reply.judgement.state.is_failure:
            self.reply.judgement = None
        self.reply.ended, self.reply.state, self.is_done = why, state, True

    def look_at_the_clock(self) -> None:
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + PERIOD
        if self._clock() > self.deadline:
            self.end(self.why, CheckState.TIMEOUT)
        elif self.processor_began is not None and self.child is not None:
            used = processes.processor_seconds(self.child)
            if used is not None and used - self.processor_began > self.limit + limits.GRACE:
                self.end(self.why, CheckState.TIMEOUT)
        if not self.is_done:
            self._look_at_the_processes(processes.descendants(self.pid))

    def _look_at_the_processes(self, found: list[psutil.Process]) -> None:
        if len(found) > limits.PROCESSES:
            self.end(f"the answer starts more than {limits.PROCESSES} processes")
        # The limit of one process acts in the process itself; it counts neither the others nor what they share.
        elif self.memory_is_limited and processes.memory(found) > limits.MEMORY_OF_ALL:
            self.end(limits.TOGETHER, CheckState.CRASHED)


_WARNING = {"text": str, "kind": str, "file": str, "line": int}


def _warnings_of(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The warnings as the child writes them; raises TypeError or KeyError where they are anything else."""
    if not all(isinstance(one[name], kind) for one in told for name, kind in _WARNING.items()):
        raise TypeError("no warnings")
    return told


def _read(number: int) -> bytes | None:
    """What there is to read; None where nothing has come, b"" at the end."""
    try:
        return os.read(number, 2**16)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _how_it_ended(status: bytes) -> str:
    if not status.removeprefix(b"!"):
        return "the answer ends the processes that check it"
    code = int(status.removeprefix(b"!"))
    if os.WIFSIGNALED(code):
        number = os.WTERMSIG(code)
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        if name in {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT"}:
            return f"the process that checks the answer crashed ({name}), in C code that the answer calls"
        return f"the process that checks the answer was ended ({name}), {ENDED}"
    return f"the answer ends the process that checks it, with exit status {os.WEXITSTATUS(code)}, and no result is left"


def _run_child(requests: int, answers: int, out: int, err: int, find_task: FindTask) -> NoReturn:
    try:
        processes.be_seen()
        serve(*become(requests, answers, out, err), find_task)
    finally:
        os._exit(0)
