"""Asking a pool of warm workers, without the loop."""

from __future__ import annotations

import time

from tunelings.course import Exercise
from tunelings.grading import render
from tunelings.grading.verdict import Verdict
from tunelings.watch import events
from tunelings.watch.pool import Pool

PATIENCE = 300.0  # Seconds until a test gives up, on a machine that has ten times too much to do.


def collect(pool: Pool, seconds: float = PATIENCE) -> list[events.FromWorker]:
    """The events of the request under way, to its end."""
    found, end = [], time.monotonic() + seconds
    while pool.active is not None:
        said = pool.next_happening(max(0.01, end - time.monotonic()))
        if pool.handle(said.server, said.event):
            found.append(said.event)
    return found


def ask(pool: Pool, *exercises: Exercise) -> list[events.FromWorker]:
    pool.request(list(exercises))
    return collect(pool)


def verdicts(found: list[events.FromWorker]) -> tuple[Verdict, ...]:
    return next((event.verdicts for event in found if isinstance(event, events.Verdicts)), ())


def text_of(verdict: Verdict) -> str:
    """The words of its first failure."""
    return "\n".join(render.failure_lines(verdict, verdict.failure)) if verdict.failure else ""


def wait_until_warm(pool: Pool, exercise: Exercise) -> None:
    pool.prepare(exercise)
    end = time.monotonic() + PATIENCE
    while not any(server.ready for server in pool.servers):
        said = pool.next_happening(max(0.01, end - time.monotonic()))
        pool.handle(said.server, said.event)
