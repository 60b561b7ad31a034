"""The deciding side of a server: start it in its sandbox, hand it one answer after the other, and believe little."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tunelings.classroom import told
from tunelings.classroom.sandbox import Sandbox
from tunelings.classroom.told import NotOfThisForm, Told
from tunelings.grading import limits, processes
from tunelings.grading.states import ExerciseState

START = 600.0  # seconds by the clock in which a server must have imported what it needs, on a busy machine
_SLACK = 60.0


@dataclass(frozen=True)
class Job:
    """One answer to one exercise, to be run. `limits`: seconds, of each of its checks."""

    key: str  # of the cache
    number: str
    seed: int
    answer: bytes
    usual: tuple[str, ...]
    limits: tuple[float, ...]
    vectors: bool = False

    @property
    def longest(self) -> float:
        """Seconds by the clock after which there is a result, whatever the answer did."""
        running = sum(limits.hard_limit(one) for one in self.limits)
        vectors = 3600.0 if self.vectors else 0.0
        return limits.IMPORTS + running + limits.DIAGNOSIS + _SLACK + vectors


class ServerGone(Exception):
    """The server ended, hangs, or says what is not of the schema."""


class GraderEnded(ServerGone):
    """It ended, or stopped answering, while an answer ran in it: by the answer, or because memory ran out."""


class Server:
    """A server in its sandbox; of what it writes nothing is more than data."""

    def __init__(self, sandbox: Sandbox):
        """Start it. Raises ServerGone where it can't be."""
        # That bwrap starts is no proof that it hides anything: the server has to look for this file, and not find it.
        self.canary = tempfile.NamedTemporaryFile(prefix="tunelings-canary-")
        try:
            self.process = subprocess.Popen(
                sandbox.command(self.canary.name), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, bufsize=0, **sandbox.options(),
            )  # fmt: skip
        except OSError as error:  # Such as a Python below /root, for the user `student`.
            self.canary.close()
            raise ServerGone(f"{error.filename or sys.executable} can't be started: {error.strerror}") from None
        self.buffer = b""
        self.rooms = False

    def wait_until_ready(self) -> None:
        """Wait until it has imported what it needs. Raises ServerGone, with what it complained of, where it has not."""
        try:
            said = self._object(time.monotonic() + START)
        except ServerGone as gone:
            raise ServerGone(f"{gone} {self._complaint()}".strip()) from None
        if (seen := said.get("seen")) != []:
            raise ServerGone(f"the sandbox doesn't hide {' and '.join(map(str, seen or ['anything']))} of this machine")
        self.rooms = said.get("rooms") is True
        self.canary.close()

    def ask(self, job: Job) -> Told:
        """The result of one job.

        Raises:
            ServerGone: there is none; the server has been ended, if it wasn't already.
        """
        request = secrets.token_hex(16)
        asked = {"id": request, "number": job.number, "seed": job.seed, "usual": job.usual, "vectors": job.vectors,
                 "answer": base64.b64encode(job.answer).decode()}  # fmt: skip
        deadline = time.monotonic() + job.longest
        result: Told | None = None
        try:
            self._write(json.dumps(asked).encode() + b"\n")
            while True:
                line = self._line(deadline)
                if line == json.dumps({"ended": request}).encode():
                    break
                if result is not None:
                    raise ServerGone("it gives two results for one answer")
                result = told.read(line)
                if result.id != request:
                    raise ServerGone("its result names another request")
        except NotOfThisForm as error:
            self.close()
            raise ServerGone(f"it gives {error}") from None
        except BaseException:
            self.close()
            raise
        if result is None:
            raise GraderEnded("the processes that grade the answer ended without a result")
        return result

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def close(self) -> None:
        """End the server and with it all that it has started."""
        self.canary.close()
        if self.process.poll() is None:
            processes.kill_tree(self.process.pid)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, content: bytes) -> None:
        assert self.process.stdin is not None
        view = memoryview(content)
        try:
            while view:
                view = view[self.process.stdin.write(view) :]
        except OSError:
            raise ServerGone("the process that runs answers has ended") from None

    def _line(self, deadline: float) -> bytes:
        assert self.process.stdout is not None
        number = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([number], [], [], left)[0]:
                raise GraderEnded("no result came within the time limit of all checks together")
            if not (content := os.read(number, 2**16)):
                raise GraderEnded("the process that runs answers ended without a result")
            self.buffer += content
            if len(self.buffer) > 2 * told.LARGEST:
                raise ServerGone("it writes more than a result may have")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def _object(self, deadline: float) -> dict:
        try:
            found = json.loads(self._line(deadline))
        except ValueError:
            raise ServerGone("its output isn't JSON") from None
        return found if isinstance(found, dict) else {}

    def _complaint(self) -> str:
        """The last line that the server wrote before it was ready; nothing has run in it by then."""
        self.process.kill()
        assert self.process.stderr is not None
        lines = self.process.stderr.read(2**16).decode(errors="replace").strip().splitlines()
        self.close()
        return f"({lines[-1]})" if lines else ""


class Servers:
    """The servers of this process, one for each thread that asks; a server with rooms is kept for the next job."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[tuple[Sandbox, Server]] = []
        self.all: set[Server] = set()
        self.is_closed = False

    def run(self, sandbox: Sandbox, jobs: Iterable[Job], tell: Callable[[Job, Told], None]) -> None:
        """Run jobs that belong together, and tell each result as it comes.

        Without rooms, a server is used for these jobs only. A server that ends is replaced, and costs no other answer
        its result; the answer that it ended with is told as `lost`, so that it runs once more, alone.

        Raises:
            ServerGone: a server doesn't start.
        """
        server = None
        try:
            for job in jobs:
                server = server or self._take(sandbox)
                try:
                    tell(job, server.ask(job))
                except ServerGone as gone:
                    self._end(server)
                    server = None
                    if self.is_closed:
                        raise
                    tell(job, lost(str(gone), by_answer=isinstance(gone, GraderEnded)))
        finally:
            if server is not None:
                self._give_back(sandbox, server)

    def _take(self, sandbox: Sandbox) -> Server:
        with self.lock:
            if self.is_closed:
                raise ServerGone("interrupted")
            while found := next((one for one in self.idle if one[0] == sandbox), None):
                self.idle.remove(found)
                if not found[1].is_over:
                    return found[1]
                self.all.discard(found[1])
            server = Server(sandbox)
            self.all.add(server)
        try:
            server.wait_until_ready()
        except BaseException:
            self._end(server)
            raise
        return server

    def _give_back(self, sandbox: Sandbox, server: Server) -> None:
        if server.rooms and not server.is_over and not self.is_closed:
            with self.lock:
                self.idle.append((sandbox, server))
        else:
            self._end(server)

    def _end(self, server: Server) -> None:
        server.close()
        with self.lock:
            self.all.discard(server)

    def keep_only(self, sandbox: Sandbox) -> None:
        """End the servers that nobody uses but those of this sandbox."""
        with self.lock:
            others = [server for one, server in self.idle if one != sandbox]
            self.idle = [(one, server) for one, server in self.idle if one == sandbox]
        for server in others:
            self._end(server)

    def close(self) -> None:
        """End all servers; what waits for one hears that it is gone."""
        with self.lock:
            self.is_closed = True
            idle = [server for _, server in self.idle]
            busy = self.all.difference(idle)
            self.idle.clear()
        for server in idle:
            self._end(server)
        for server in busy:  # Its own thread, which reads from it, does the rest.
            processes.kill_tree(server.process.pid)


def lost(trouble: str, *, by_answer: bool = False) -> Told:
    """What stands for a result that never came; `by_answer`: its grader ended while it ran."""
    return Told(
        id="", state=ExerciseState.FAILED, checks={}, failure=None, fingerprints={}, flags=[], tampered=False,
        memory=False, starved=True, ended=by_answer, trouble=trouble, seconds=0.0,
    )  # fmt: skip
