"""The steps of a project in their order: what each depends on, which are done, and how one runs in a child process.

A step's result is kept under a key: a hash of its settings, its data and the steps before it. Change a setting, and the
steps that it concerns are run again; the others stay done.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from tunelings.grading.processes import adopt_orphans, descendants, kill_descendants
from tunelings.project import base
from tunelings.project import folder as files
from tunelings.project.config import Config, path_of
from tunelings.project.errors import PartError, ProjectError
from tunelings.project.folder import Folder

STEPS = ("data", "baseline", "train", "compare", "export")
Hear = Callable[[dict[str, Any]], None]


def keys(folder: Folder, config: Config) -> dict[str, str]:
    """The key of each step for the settings as they are now."""
    everything = config.model_dump()
    data, train, compare = everything["data"], everything["train"], everything["compare"]
    passages = data.pop("passages")
    sources = [fingerprint(path_of(folder, name)) for name in (config.data.path, config.data.test) if name]
    judge, margin = compare.pop("judge"), compare.pop("margin")
    found = {"data": files.digest("data", config.model, train["head"], data, sources)}
    found["baseline"] = files.digest("baseline", found["data"], passages, compare)
    found["train"] = files.digest("train", found["data"], train)
    found["compare"] = files.digest("compare", found["baseline"], found["train"], judge, margin)
    found["export"] = files.digest("export", found["compare"])
    return found


def fingerprint(path: Path) -> str:
    """The content of a file, or the names, sizes and dates in a folder.

    Raises:
        ProjectError: it is gone.
    """
    if path.is_file():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if not path.exists():
        raise ProjectError(f"The data at {path} is gone: put it back, or change its path in project.toml.")
    found = sorted((p.relative_to(path).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in path.rglob("*"))
    return files.digest(found)


def is_done(folder: Folder, step: str, key: str, *, mine: bool = False) -> bool:
    """Whether the result of a step stands, for these settings; with `mine`, whether no reference has made it."""
    result = folder.result(step)
    if result is None or result.get("key") != key:
        return False
    return not mine or all(part["mine"] for part in result["parts"].values())


def to_run(folder: Folder, config: Config, step: str | None, *, mine: bool, again: bool) -> list[str]:
    """The steps that are not done, up to `step` or to the end; `again` counts the last one as not done."""
    if step is not None and step not in STEPS:
        raise ProjectError(f"There is no step {step!r}: the steps are {', '.join(STEPS)}.")
    wanted = STEPS if step is None else STEPS[: STEPS.index(step) + 1]
    found = keys(folder, config)
    for name in wanted:
        folder.settle(name, found[name])
    left = [name for name in wanted if not is_done(folder, name, found[name], mine=mine)]
    if again:
        first = "data" if step is None else step
        left = [name for name in wanted if name in left or STEPS.index(name) >= STEPS.index(first)]
    return left


@contextlib.contextmanager
def alone(folder: Folder):
    """Nothing else runs in this project meanwhile.

    Raises:
        ProjectError: another run does, or the folder can't be written.
    """
    lock = FileLock(folder.path / ".lock")
    try:
        with files.writing(folder):
            folder.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
            yield
    except Timeout:
        raise ProjectError(f"Another run is at work in {folder.name}: wait for it, or end it.") from None
    finally:
        lock.release()


def run_apart(
    folder: Folder, step: str, hear: Hear, *, processes: int = 1, config: str = "", mine: bool = False
) -> None:
    """Run a step in a child process, which loads the answers; what it says is passed to `hear`.

    Raises:
        ProjectError: bad input.
        PartError: an answer failed, or the child ended without a result.
    """
    command = [sys.executable, "-m", "tunelings.project.child", str(folder.path), step, *(["--mine"] if mine else [])]
    if processes > 1 or config:
        command = launched(command, processes, config)
    (folder.path / "steps").mkdir(parents=True, exist_ok=True)
    adopt_orphans()  # A child that is killed leaves what its answers have started.
    others = {one.pid for one in descendants()}
    with open(folder.log(step), "ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    ended: dict[str, Any] | None = None
    try:
        assert child.stdout
        for line in child.stdout:
            with contextlib.suppress(ValueError):  # Some library's own print.
                said = json.loads(line)
                if said.get("said") == "ended" and not (ended and ended["code"]):
                    ended = said  # Of several processes, the first that fails says why.
                hear(said)
        child.wait()
    finally:
        end(child)
        kill_descendants(others)
    if ended is None:
        raise PartError(
            f"The step {step} ended without a result ({how(child.returncode)}); its log is {folder.log(step)}."
        )
    if ended["code"]:
        raise (ProjectError if ended["code"] == 2 else PartError)(ended["text"])


def launch_options(folder: Folder, config: Config) -> dict[str, Any]:
    """How the training is started.

    Raises:
        ProjectError: the configuration of accelerate is not there.
    """
    name = config.train.accelerate_config
    if name and not path_of(folder, name).is_file():
        raise ProjectError(f"train.accelerate_config: there is no file {path_of(folder, name)}.")
    if name:
        try:
            yaml.safe_load(path_of(folder, name).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            said = " ".join(str(error).split())[:200]
            raise ProjectError(f"train.accelerate_config: {path_of(folder, name)} isn't valid YAML: {said}.") from None
    return {"processes": config.train.processes, "config": str(path_of(folder, name)) if name else ""}


def check(folder: Folder, config: Config) -> None:
    """What the settings need beside the data is there: it would else come up after hours.

    Raises:
        ProjectError: it is not.
    """
    passages, judge = path_of(folder, config.data.passages), config.compare.judge
    if config.train.processes > (cores := os.cpu_count() or 1):
        raise ProjectError(f"train.processes: {config.train.processes} are too many for {cores} cores.")
    if config.data.passages and not passages.exists():
        raise ProjectError(f"data.passages: there is nothing at {passages}.")
    launch_options(folder, config)
    if judge and not judge.startswith(("http://", "https://")):
        base.resolve(judge, folder.path)


def launched(command: list[str], processes: int, config: str) -> list[str]:
    """The same through accelerate, by its own configuration where the settings name one: a copy of the model each."""
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    if config:
        return [*launch, "--config_file", config, *command[1:]]
    # Without a GPU too: with --cpu accelerate starts one process, whatever --num_processes says.
    options = ["--multi_gpu", "--num_processes", str(processes), "--num_machines", "1"]
    return [*launch, *options, "--mixed_precision", "no", "--dynamo_backend", "no", *command[1:]]


def end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it has started."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    name = signal.Signals(-code).name
    return f"{name}, perhaps because memory ran out" if name == "SIGKILL" else name
