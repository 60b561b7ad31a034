"""The child process of a step: it loads the answers, runs the step, and says how it ended.

    python -m tunelings.project.child FOLDER STEP [--mine]

What libraries and answers print goes to the step's log. It ends when its parent does, by the end of its standard input.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TypeGuard

from tunelings.course import Course, find_root
from tunelings.grading import processes
from tunelings.project import folder as files
from tunelings.project.errors import PartError, ProjectError
from tunelings.project.folder import Folder
from tunelings.project.parts import Parts
from tunelings.project.say import Say


def main(arguments: list[str]) -> int:
    place, step, *options = arguments
    processes.die_with_parent()
    processes.adopt_orphans()
    is_first = os.environ.get("RANK", "0") == "0"
    out = os.dup(1)
    say = Say(out if is_first else None)
    os.dup2(2, 1)
    threading.Thread(target=end_with_parent, daemon=True).start()
    folder = Folder(Path(place))
    parts = Parts(Course(find_root()), mine="--mine" in options)
    try:
        run(folder, step, parts, say)
    except BaseException as error:
        code, text = ended(error, parts, folder, step)
        (say if is_first else Say(out)).ended(code, text)
        with contextlib.suppress(OSError):  # The log may lie on the disk that is full.
            traceback.print_exception(error)
        return code
    say.ended(0, "")
    return 0


def end_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent has ended."""
    while os.read(0, 4096):
        pass
    processes.kill_descendants()
    os._exit(1)


def ended(error: BaseException, parts: Parts, folder: Folder, step: str) -> tuple[int, str]:
    """The exit code and the line for an error."""
    if isinstance(error, ProjectError):
        return 2, str(error)
    if isinstance(error, PartError):
        return 1, str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 2, f"The disk is full at {folder.path}: make room and run it again; steps that are done stay done."
    if is_ours(error, folder) and error.errno in files.UNWRITABLE:
        return 2, files.unwritable(folder, error)
    if blamed := parts.blame(error):
        return 1, str(blamed)
    said = (str(error).splitlines() or [""])[0][:300]
    return 1, f"The step {step} failed: {type(error).__name__}: {said} (the log is {folder.log(step)})"


def is_ours(error: BaseException, folder: Folder) -> TypeGuard[OSError]:
    """Whether it is about a file of the project, and not about one that an answer reaches for."""
    name = error.filename if isinstance(error, OSError) else None
    return isinstance(name, str) and Path(name).is_relative_to(folder.path)


def run(folder: Folder, step: str, parts: Parts, say: Say) -> None:
    """Run one step, and put its result in place; in this process."""
    if step == "new":
        from tunelings.project import new

        new.look(folder, parts, say)
        return
    from tunelings.project import config as settings
    from tunelings.project import steps

    config = settings.load(folder)
    key = steps.keys(folder, config)[step]
    is_first = os.environ.get("RANK", "0") == "0"
    work = folder.work(step)
    if is_first:  # What references have begun, --mine does not go on with.
        folder.begin(step, key + (" mine" if parts.only_mine else ""))
        parts.keep_record(work / "parts.json")
    began = time.monotonic()
    result = run_step(folder, config, step, work, parts, say)
    result |= {"key": key, "parts": parts.used, "wall_seconds": time.monotonic() - began}
    if is_first:
        folder.finish(step, result)


def run_step(folder: Folder, config, step: str, work: Path, parts: Parts, say: Say) -> dict:
    from tunelings.project import base

    base.quiet()
    model_path = base.resolve(config.model, folder.path)
    data = folder.done("data")
    if step == "data":
        from tunelings.project.data import prepare

        # 4.10 is promised a whole tokenizer, as 3.08 is.
        to_count = config.data.pipeline == "steps"
        tokenizer = base.tokenizer_of(model_path, is_chat=config.train.head == "answer", to_count=to_count)
        return prepare(config, folder.path, work, parts, tokenizer, say)
    if step == "baseline":
        from tunelings.project.baseline import baselines

        return baselines(config, folder.path, data, work, model_path, parts, say)
    if step == "train":
        from tunelings.project.train import train

        return train(config, data, work, model_path, parts, say)
    results = {name: folder.result(name) or {} for name in ("data", "baseline", "train", "compare")}
    if step == "compare":
        from tunelings.project.compare import compare

        return compare(config, data, results["baseline"], folder.done("train"), work, model_path, parts, say)
    from tunelings.project.export import export

    return export(config, folder.name, results, folder.done("train"), data, work, model_path, parts, say)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    processes.kill_descendants()
    os._exit(code)  # A thread that an answer has started keeps nothing alive.
