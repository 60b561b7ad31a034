"""What the rows of the hardware table take on this machine, measured: `tunelings doctor --measure`.

Each row makes a real training step (real_step.py) in a process of its own, with random weights. On a GPU the measured
figure is `torch.cuda.max_memory_allocated`, which does not count the CUDA context; without one it is what the memory
of the process grew by, and only rows in float32 are tried. So the computed figure beside it leaves the context out too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from tunelings.handson.hardware import usable
from tunelings.handson.memory import CONTEXT_GIB, Run

MEASURED, TOO_LARGE, NOT_HERE, FAILED = "measured", "too large", "not on this device", "failed"


class MeasureError(Exception):
    """The device cannot be asked; the message is one line."""


@dataclass(frozen=True)
class Room:
    """Where a step would run: "cuda" or "cpu", the name of the card, the GiB that are free."""

    device: str
    name: str
    free_gib: float


@dataclass(frozen=True)
class Step:
    """A run to measure: its name, the GiB computed for it with the context, and the run; None is the one on digits."""

    name: str
    total_gib: float
    run: Run | None
    batch: int = 1


@dataclass(frozen=True)
class Result:
    """What became of a row; GiB without the CUDA context. `why` is empty where state is MEASURED.

    reserved_gib: what torch's allocator took from the card; None on a CPU.
    """

    name: str
    state: str
    computed_gib: float
    measured_gib: float | None = None
    reserved_gib: float | None = None
    seconds: float | None = None
    why: str = ""


def room() -> Room:
    """The device of this machine. Raises MeasureError where torch cannot be asked."""
    answer = _child({"device": None})
    if "error" in answer:
        raise MeasureError(f"Nothing can be measured: {answer['error']}")
    return Room(**answer)


def measure(steps: Sequence[Step], where: Room, say: Callable[[str], object] = lambda _: None) -> Iterator[Result]:
    """A result for each step, one after the other; `say` is told the name of each that is tried."""
    for step in steps:
        computed = step.total_gib - CONTEXT_GIB
        if where.device == "cpu" and step.run is not None and not step.run.float32:
            yield Result(step.name, NOT_HERE, computed, why="in 16 bits: measured on a GPU only")
        elif (needed := computed if where.device == "cpu" else step.total_gib) > usable(where.free_gib):
            why = f"needs {needed:.1f} GiB, and {where.free_gib:.1f} GiB are free"
            yield Result(step.name, TOO_LARGE, computed, why=why)
        else:
            say(step.name)
            yield _tried(step, where, computed)


def _tried(step: Step, where: Room, computed: float) -> Result:
    run = None if step.run is None else asdict(step.run)
    answer = _child({"device": where.device, "run": run, "batch": step.batch})
    if "error" in answer:
        return Result(step.name, FAILED, computed, why=answer["error"])
    return Result(step.name, MEASURED, computed, answer["gib"], answer.get("reserved_gib"), answer["seconds"])


def _child(asked: dict) -> dict:
    """What real_step.py answers; {"error": one line} where it ended without an answer."""
    command = [sys.executable, "-m", "tunelings.handson.real_step", json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode < 0:
        return {"error": f"the process was killed by signal {-done.returncode}; the system may have run out of memory"}
    try:
        if done.returncode == 0:
            return json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        pass
    lines = done.stderr.strip().splitlines() or [f"the process exited with {done.returncode} and no message"]
    return {"error": lines[-1]}
