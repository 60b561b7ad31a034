"""The same jobs on a Dask cluster: a task is what one student has handed in, and starts a server of its own machine's.

A task whose worker is lost runs again on another; a result that came twice is the same. Workers need the course, the
same version of everything, and bwrap; what doesn't agree ends the run before any answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunelings.classroom import keys, sandbox
from tunelings.classroom.client import Job, ServerGone, Servers, lost
from tunelings.classroom.runners import Batch
from tunelings.classroom.sandbox import Isolation, Sandbox
from tunelings.classroom.told import NotOfThisForm, Told, read
from tunelings.course import Course, CourseError, find_root

RETRIES = 2  # of a task that fails; a lost worker counts for none
_PATIENCE = "60s"  # until a scheduler must have answered


@dataclass(frozen=True)
class Task:
    """What a worker is sent. surroundings: hashes and versions that must be its own, too."""

    root: str
    isolation: str
    imports: tuple[str, ...]
    may_write_vectors: bool
    surroundings: dict[str, str]
    jobs: tuple[Job, ...]


_servers = Servers()  # of the worker's process


def run_task(task: Task) -> list[bytes]:
    """Run on a worker: the result of each job, as a line of JSON.

    Raises:
        ServerGone: this worker can't run answers as was asked, or isn't of the same version.
    """
    root = Path(task.root)
    course = Course(root if (root / "solutions").is_dir() else find_root())
    own = keys.surroundings(course)
    if differ := [name for name in task.surroundings if own.get(name) != task.surroundings[name]]:
        raise ServerGone(f"a worker differs from here in {', '.join(differ[:5])}")
    if task.isolation == Isolation.BWRAP and (trouble := sandbox.bwrap_trouble()):
        raise ServerGone(f"a worker can't isolate answers: {trouble}")
    lines: list[bytes] = []
    here = Sandbox(course, Isolation(task.isolation), task.imports, may_write_vectors=task.may_write_vectors)
    _servers.keep_only(here)
    _servers.run(here, task.jobs, lambda job, told: lines.append(told.model_dump_json().encode()))
    return lines


class ClusterRunner:
    """Hands batches to the workers of a Dask scheduler."""

    def __init__(self, address: str):
        """Raises CourseError where Dask is not installed or no scheduler answers."""
        try:
            from distributed import Client
        except ImportError:
            raise CourseError('--scheduler needs Dask: pip install "tunelings[cluster]"') from None
        try:
            self.client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise CourseError(f"No Dask scheduler answers at {address}: {error}") from None

    def run(self, sandbox: Sandbox, batches: Sequence[Batch]) -> Iterator[tuple[Job, Told]]:
        from distributed import as_completed
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        surroundings = keys.surroundings(sandbox.course)
        tasks = [
            Task(str(sandbox.course.root), sandbox.isolation, sandbox.imports, sandbox.may_write_vectors,
                 surroundings, tuple(batch))
            for batch in batches
        ]  # fmt: skip
        waiting = {
            self.client.submit(run_task, task, retries=RETRIES, pure=False, priority=-place): task
            for place, task in enumerate(tasks)
        }
        try:
            for future in as_completed(list(waiting), loop=self.client.loop):
                task = waiting.pop(future)
                try:
                    lines = future.result()
                except KilledWorker:
                    lines = [b""] * len(task.jobs)
                yield from zip(task.jobs, (_told(line) for line in lines), strict=True)
        except (asyncio.CancelledError, CancelledError, CommClosedError):  # Which one, its version says.
            raise ServerGone("the Dask scheduler is gone; start one, and the same command goes on") from None
        finally:
            self.client.cancel(list(waiting))

    def close(self) -> None:
        self.client.close()


def _told(line: Any) -> Told:
    """A worker's line; one that is not of the schema is no verdict."""
    try:
        return read(line)
    except NotOfThisForm:
        return lost("the workers that ran it were lost")
