"""`tunelings doctor --measure`: the memory of real training steps beside what is computed for them."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from rich.table import Table

from tunelings.course import CourseError
from tunelings.desk import screen
from tunelings.handson import measure
from tunelings.handson.hardware import Row


def check(wanted: bool, file: Path | None) -> None:
    """Before minutes are spent: can the file be written, and is there something to write?"""
    if file is None:
        return
    if not wanted:
        raise CourseError("--json saves what --measure finds: pass --measure too.")
    if file.exists():
        raise CourseError(f"{file} exists, and --json doesn't overwrite it: name another file.")
    if not file.absolute().parent.is_dir():
        raise CourseError(f"There is no folder {file.absolute().parent} for --json.")


def run(rows: Sequence[Row], file: Path | None) -> int:
    """Measure the rows, show them, and save them where a file is named; returns how many failed."""
    steps = [measure.Step(row.name, row.parts["total"], row.run, row.batch) for row in rows]
    try:
        where = measure.room()
    except measure.MeasureError as error:
        raise CourseError(str(error)) from None
    screen.show(f"Two training steps of each run on: {where.name} ({where.free_gib:.1f} GiB free).")
    results = list(measure.measure(steps, where, lambda name: screen.show(f"    {name} …")))
    screen.console.print(table(results))
    screen.show(note(where))
    if file is not None:
        file.write_text(as_json(where, results), encoding="utf-8")
        screen.show(f"Saved to {file}.")
    return sum(result.state == measure.FAILED for result in results)


def table(results: Sequence[measure.Result]) -> Table:
    """A row for each run: computed, measured, and their ratio, or why there is none."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("run", "computed GiB", "measured GiB", "measured / computed"):
        shown.add_column(head)
    for result in results:
        if result.measured_gib is None:
            shown.add_row(result.name, f"{result.computed_gib:.2f}", result.state, result.why)
        else:
            ratio = result.measured_gib / result.computed_gib
            shown.add_row(result.name, f"{result.computed_gib:.2f}", f"{result.measured_gib:.2f}", f"{ratio:.2f}")
    return shown


def note(where: measure.Room) -> str:
    if where.device == "cuda":
        return "Measured: torch.cuda.max_memory_allocated. Neither figure counts the CUDA context."
    return "No GPU was found. Measured: how much the process's memory grew, on the CPU. It says little about a GPU."


def as_json(where: measure.Room, results: Sequence[measure.Result]) -> str:
    """The results with the name of the card, the versions, and each row."""
    told = {
        "device": where.device,
        "card": where.name,
        "system": platform.system(),
        "torch": metadata.version("torch"),
        "rows": [asdict(result) for result in results],
    }
    return json.dumps(told, indent=1) + "\n"
