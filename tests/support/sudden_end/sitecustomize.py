"""kill -9 before the n-th change that a step of a project makes on disk.

Every Python whose PYTHONPATH names this folder loads it, and a test can call `watch` in a fork. SUDDEN_END is "STEP:N":
the process kills itself before the N-th change of that step, or at the first change of a later step if that step has
fewer left; the child process of a step kills `tunelings project run` too. SUDDEN_LOG gets a line for each change.
"""

from __future__ import annotations

import os
import signal
import sys

STEPS = ("data", "baseline", "train", "compare", "export", "report")
EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def step_of(path: str, place: str) -> str | None:
    """The step that a path of the project at `place` belongs to."""
    if not path.startswith(place + os.sep):
        return None
    first, *rest = path[len(place) + 1 :].split(os.sep)
    name = rest[0].lstrip(".").removesuffix(".old") if first == "steps" and rest else first
    return name if name in STEPS else None


def watch(place: str, *, with_parent: bool) -> None:
    wanted, number = os.environ.get("SUDDEN_END", ":0").split(":")
    log, counts, is_inside = os.environ.get("SUDDEN_LOG"), dict.fromkeys(STEPS, 0), False

    def hook(event: str, arguments: tuple) -> None:
        nonlocal is_inside
        if is_inside or event not in EVENTS or not isinstance(arguments[0], str | os.PathLike):
            return
        if event == "open" and not arguments[2] & WRITES:
            return
        step = step_of(os.fspath(arguments[0]), place)
        if step is None:
            return
        counts[step] += 1
        if log:
            is_inside = True
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{step} {event} {arguments[0]}\n")
            is_inside = False
        is_later = wanted and STEPS.index(step) > STEPS.index(wanted)
        if is_later or (step == wanted and counts[step] == int(number)):
            if with_parent:
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


words = sys.orig_argv
if "tunelings.project.child" in words:
    watch(words[words.index("tunelings.project.child") + 1], with_parent=True)
elif words[-3:-1] == ["project", "run"]:
    watch(words[-1], with_parent=False)
