"""The parent's side of the warm worker: start servers, hand requests out, end what hangs.

One interface over two ways to be warm: a server that forks (Linux), or a few prestarted processes that each
answer once. While the server for a module is still importing, a request runs in a cold process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import site
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tunelings.course import Course, Exercise
from tunelings.grading.imports import needed_imports

FORK = sys.platform == "linux"
# Prestarted processes: a save while the first one's successor is importing takes the second.
STANDBYS = 2
# Seconds that a server may take to say that it has started or ended a child.
WAIT = 5.0


@dataclass
class Server:
    """A worker process; its events arrive in the pool's queue as (server, event)."""

    process: subprocess.Popen
    imports: list[str]
    once: bool
    ready: bool = False
    child: int | None = None  # the process that answers the request under way

    def send(self, request: dict) -> None:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.once or self.child is not None:
            _kill_group(self.child or self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


@dataclass
class Pool:
    """Warm workers for one course.

    `events` receives (server, event) for every event of a worker, and (server, {"event": "died", …}) when one ends.
    """

    course: Course
    fork: bool = FORK
    events: queue.Queue = field(default_factory=queue.Queue)
    servers: list[Server] = field(default_factory=list)
    active: Server | None = None
    packages: float = field(default_factory=lambda: _packages_state())

    def prepare(self, exercise: Exercise) -> None:
        """Have a warm worker started (in the background) for the module of this exercise."""
        if self.packages != _packages_state():
            self.packages = _packages_state()
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
        request = {"numbers": [exercise.number for exercise in exercises], "seed": seed}
        try:
            server.send(request)
        except OSError:  # It died a moment ago.
            self._discard(server)
            server = self._start([], once=True)
            server.send(request)
        self.active = server
        self.prepare(exercises[0])

    def handle(self, server: Server, event: dict) -> bool:
        """Keep the books on an event; returns whether it belongs to the request under way."""
        kind = event["event"]
        if kind == "ready":
            server.ready = True
        elif kind == "started":
            server.child = event["pid"]
        elif kind in {"ended", "died"}:
            if server.once and server.child is not None:
                _kill_group(server.child)  # What the answer started and left.
            server.child = None
        if kind == "died" and server in self.servers:
            self.servers.remove(server)
        mine = server is self.active
        if kind in {"ended", "died"} and mine:
            self.active = None
        return mine

    def cancel(self) -> None:
        """End the request under way, and every process that it started."""
        server, self.active = self.active, None
        if server is None:
            return
        if server.once:
            server.close()
        elif server.child is not None or self._take_until(server, "started"):
            _kill_group(server.child)
        if not self._take_until(server, "ended"):
            self._discard(server)

    def _take_until(self, server: Server, kind: str) -> bool:
        """Drop a server's events up to one of this kind; whether it came before the server died."""
        kept, last = [], ""
        with contextlib.suppress(queue.Empty):
            while last not in {kind, "died"}:
                other, event = self.events.get(timeout=WAIT)
                if other is server:
                    last = event["event"]
                    self.handle(server, event)
                else:
                    kept.append((other, event))
        for item in kept:
            self.events.put(item)
        return last == kind

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
        with server.process.stdout as lines, contextlib.suppress(ValueError):  # A line cut short by a kill.
            for line in lines:
                self.events.put((server, json.loads(line)))
        with contextlib.suppress(OSError):
            server.process.stdin.close()
        server.process.wait()
        self.events.put((server, {"event": "died", "once": server.once}))


def _packages_state() -> float:
    """Changes when a package is installed or removed."""
    folders = [Path(folder) for folder in site.getsitepackages()]
    return max((folder.stat().st_mtime for folder in folders if folder.exists()), default=0.0)
