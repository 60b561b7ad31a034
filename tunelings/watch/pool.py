"""The parent's side of the warm worker: start servers, hand requests out, end what hangs.

One interface over two ways to be warm: a server that forks (Linux), or a few prestarted processes that each
answer once. While the server for a module is still importing, a request runs in a cold process of its own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import site
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tunelings.course import Course, Exercise
from tunelings.grading import processes
from tunelings.grading.imports import needed_imports
from tunelings.watch import events

FORK = sys.platform == "linux" and hasattr(os, "fork")
# Prestarted processes: a save while the first one's successor is importing takes the second.
STANDBYS = 2
# Seconds that a server may take to say that it has started or ended a child.
WAIT = 5.0


@dataclass(eq=False)
class Server:
    """A worker process; what it says arrives in the pool's inbox."""

    process: subprocess.Popen[str]
    imports: list[str]
    once: bool
    ready: bool = False
    child: int | None = None  # the process that answers the request under way

    @property
    def pipes(self) -> tuple[IO[str], IO[str]]:
        """Where requests are written to, and where events are read from."""
        assert self.process.stdin and self.process.stdout
        return self.process.stdin, self.process.stdout

    def send(self, request: events.Request) -> None:
        stdin, _ = self.pipes
        stdin.write(events.request_to_json(request))
        stdin.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.pipes[0].close()
        if self.once or self.child is not None:
            processes.kill_tree(self.child or self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Said:
    """What a worker said."""

    server: Server
    event: events.FromWorker


Happening = Said | events.FromLearner


@dataclass
class Pool:
    """Warm workers for one course.

    `inbox` receives every event of a worker, `Died` being its last; the loop adds what the learner does.
    `next_happening` takes them out.
    """

    course: Course
    fork: bool = FORK
    inbox: queue.Queue[Happening] = field(default_factory=queue.Queue)
    servers: list[Server] = field(default_factory=list)
    active: Server | None = None
    packages_changed: float = field(default_factory=lambda: _packages_changed())
    set_aside: deque[Happening] = field(default_factory=deque)  # came while `cancel` waited for something else

    def prepare(self, exercise: Exercise) -> None:
        """Have a warm worker started (in the background) for the module of this exercise."""
        if self.packages_changed != _packages_changed():
            self.packages_changed = _packages_changed()
            self.restart()
        imports = needed_imports(self.course.module(exercise.module))
        fitting = [s for s in self.servers if set(imports) <= set(s.imports) and s.process.poll() is None]
        wanted = 1 if self.fork else STANDBYS
        if not fitting:
            self.restart()
        for _ in range(wanted - len(fitting)):
            self.servers.append(self._start(imports, once=not self.fork))

    def request(self, exercises: list[Exercise], seed: int = 0) -> None:
        """Start checking; an earlier request that is still running is dropped."""
        self.cancel()
        self.prepare(exercises[0])
        server = next((s for s in self.servers if s.ready), None)
        if server is None:
            server = self._start([], once=True)
        elif server.once:
            self.servers.remove(server)
        request = events.Request(tuple(exercise.number for exercise in exercises), seed)
        try:
            server.send(request)
        except OSError:  # It died a moment ago.
            self._discard(server)
            server = self._start([], once=True)
            server.send(request)
        self.active = server
        self.prepare(exercises[0])

    def next_happening(self, timeout: float) -> Happening:
        """What happened next, in its order; raises queue.Empty if nothing does within `timeout` seconds."""
        return self.set_aside.popleft() if self.set_aside else self.inbox.get(timeout=timeout)

    def handle(self, server: Server, event: events.FromWorker) -> bool:
        """Keep the books on an event; returns whether it belongs to the request under way."""
        mine = server is self.active
        match event:
            case events.Ready():
                server.ready = True
            case events.Started(pid):
                server.child = pid
            case events.Ended() | events.Died():
                died = isinstance(event, events.Died)
                if server.child is not None and (server.once or died):
                    processes.kill_tree(server.child)  # What the answer started and left.
                server.child = None
                if died and server in self.servers:
                    self.servers.remove(server)
                if mine:
                    self.active = None
        return mine

    def cancel(self) -> None:
        """End the request under way, and every process that it started."""
        server, self.active = self.active, None
        if server is None:
            return
        if server.once:
            server.close()
        else:
            if server.child is None:
                self._take_until(server, events.Started)
            if server.child is not None:
                processes.kill_tree(server.child)
        if not self._take_until(server, events.Ended):
            self._discard(server)

    def _take_until(self, server: Server, kind: type) -> bool:
        """Drop a server's events up to one of this kind; whether it came before the server died."""
        others: list[Happening] = []
        last: events.FromWorker | None = None
        with contextlib.suppress(queue.Empty):
            while not isinstance(last, kind | events.Died):
                happening = self.next_happening(WAIT)
                if isinstance(happening, Said) and happening.server is server:
                    last = happening.event
                    self.handle(server, last)
                else:
                    others.append(happening)
        self.set_aside.extendleft(reversed(others))
        return isinstance(last, kind)

    def restart(self) -> None:
        """Drop all warm workers: the grader or an installed package has changed, or others are needed."""
        for server in list(self.servers):
            self._discard(server)

    def _discard(self, server: Server) -> None:
        if server in self.servers:
            self.servers.remove(server)
        server.close()

    def close(self) -> None:
        self.cancel()
        self.restart()

    def _start(self, imports: list[str], *, once: bool) -> Server:
        command = [sys.executable, "-m", "tunelings.watch.worker", "--root", str(self.course.root)]
        command += ["--once"] * once + ["--", *imports]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is the parent's to handle.
            # A library's thread pool that was started before a fork does not exist in the child.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"} if not once else None,
        )
        server = Server(process, imports, once)
        threading.Thread(target=self._read, args=(server,), daemon=True).start()
        return server

    def _read(self, server: Server) -> None:
        stdin, stdout = server.pipes
        with stdout as lines:
            try:
                for line in lines:
                    if (event := events.from_json(line)) is not None:
                        self.inbox.put(Said(server, event))
            except ValueError:  # A damaged line: cut short by a kill, or what an answer wrote between.
                server.process.kill()
        with contextlib.suppress(OSError):
            stdin.close()
        server.process.wait()
        self.inbox.put(Said(server, events.Died(server.once)))


def _packages_changed() -> float:
    """When a package was last installed or removed."""
    folders = [Path(folder) for folder in site.getsitepackages()]
    return max((folder.stat().st_mtime for folder in folders if folder.exists()), default=0.0)
