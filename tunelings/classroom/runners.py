"""Where jobs run: in threads of this process that each drive a server, or on a Dask cluster (`cluster.py`)."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from tunelings.classroom.client import Job, Servers
from tunelings.classroom.sandbox import Sandbox
from tunelings.classroom.told import Told

Batch = Sequence[Job]  # jobs that run one after the other in one place
_PERIOD = 0.2  # seconds between two looks at what has ended


class Runner(Protocol):
    """What runs jobs."""

    def run(self, sandbox: Sandbox, batches: Sequence[Batch]) -> Iterator[tuple[Job, Told]]:
        """Each job with its result, as they come. Raises ServerGone where no server starts."""
        ...

    def close(self) -> None:
        """End everything that still runs."""
        ...


class LocalRunner:
    """Threads of this process; each drives one server at a time.

    They live as long as the runner, since a server is killed when the thread that started it ends.
    """

    def __init__(self, jobs: int):
        self.servers = Servers()
        self.pool = ThreadPoolExecutor(jobs, thread_name_prefix="grade")

    def run(self, sandbox: Sandbox, batches: Sequence[Batch]) -> Iterator[tuple[Job, Told]]:
        self.servers.keep_only(sandbox)
        results: queue.Queue[tuple[Job, Told]] = queue.Queue()
        waiting: list[Future[None]] = [
            self.pool.submit(self.servers.run, sandbox, batch, lambda job, told: results.put((job, told)))
            for batch in batches
        ]
        try:
            while waiting or not results.empty():
                try:
                    yield results.get(timeout=_PERIOD)
                except queue.Empty:
                    ended = [future for future in waiting if future.done()]
                    waiting = [future for future in waiting if not future.done()]
                    for future in ended:
                        future.result()
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        self.servers.close()
        self.pool.shutdown(wait=False, cancel_futures=True)
