"""Install the heavy libraries of the course, the extra `tunelings[course]`, into a course folder's environment.

uv does it where it is at hand, else pip; both show their own progress, keep what they have downloaded, and follow
their own settings (HTTPS_PROXY, PIP_INDEX_URL, …). PyTorch comes in two builds: the ordinary one, which on Linux holds
CUDA, and one for the CPU alone from PyTorch's own index (https://pytorch.org/get-started/locally/).
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from tunelings import __version__
from tunelings.course import CourseError, shown_path
from tunelings.grading import environment
from tunelings.setup import venv

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"  # for Windows, where the ordinary build has no CUDA
GB = 10**9
# Disk that the extra takes on Linux, in GB (benchmarks/disk.py); without CUDA: what is left without the packages
# of NVIDIA and triton, which is more than it will be, since torch's own CUDA code is still in it.
DISK_CUDA, DISK_CPU = 6.8, 2.5
Say = Callable[[str], None]
Command = list[str]


def is_installed(root: Path) -> bool:
    """Everything that the exercises need is there: in the folder's environment, or in the one that runs."""
    if venv.is_running(root) or not venv.python(root).exists():
        return environment.problem() is None
    code = "from tunelings.grading import environment; raise SystemExit(environment.problem())"
    return _succeeds([str(venv.python(root)), "-c", code])


def install(root: Path, cuda: bool, say: Say) -> None:
    """Make the folder's environment where there is none, and install the extra into it.

    Raises:
        CourseError: too little disk, no environment could be made, or the installer has failed (it says why itself).
    """
    index = torch_index(cuda, say)
    check_room(root, gigabytes(index))
    make_environment(root)
    for command in commands(installer(root), torch_requirements(), own_requirement(), index):
        _run(command, "The libraries aren't installed")


def gigabytes(index: str | None) -> float:
    """The disk, in GB, that the libraries take with the torch of this index (None: the ordinary one)."""
    return DISK_CUDA if index == CUDA_INDEX or (index is None and sys.platform == "linux") else DISK_CPU


def check_room(root: Path, needed: float) -> None:
    """Raise CourseError where the folder's disk has less than `needed` GB free."""
    free = shutil.disk_usage(root).free / GB
    if free < needed:
        raise CourseError(
            f"The libraries take about {needed:.1f} GB, and {free:.1f} GB are free at {shown_path(root)}: free some "
            "and run the same command again, or give `tunelings init` a folder on another disk."
        )


def torch_index(cuda: bool, say: Say) -> str | None:
    """The index that torch is to come from; None is the one that pip is set to."""
    if cuda:
        if sys.platform == "darwin":
            raise CourseError("There is no CUDA on macOS: leave --cuda out.")
        return CUDA_INDEX if sys.platform == "win32" else None
    if sys.platform != "linux":
        return None  # The ordinary build is the one without CUDA.
    if answers(f"{CPU_INDEX}/torch/"):
        return CPU_INDEX
    more = DISK_CUDA - DISK_CPU
    say(f"{CPU_INDEX} can't be reached: using the default build of torch, with CUDA ({more:.0f} GB more).")
    return None


def answers(address: str, seconds: float = 10) -> bool:
    """An address can be reached from here, by the proxy that is set, if one is; False also for one that is mistyped."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=seconds):
            return True
    except (OSError, ValueError, http.client.HTTPException):
        return False


def make_environment(root: Path) -> None:
    """Make `.venv` in the folder, unless a working one is there; one that no longer works is made anew."""
    folder = venv.folder(root)
    python = str(venv.python(root))
    if _succeeds([python, "-c", "pass"]):
        if not find_uv() and not _succeeds([python, "-m", "pip", "--version"]):  # uv had made it, without pip.
            _run([python, "-m", "ensurepip"], f"{shown_path(folder)} has no pip; `pip install uv` may help")
        return
    if folder.exists() and not (folder / "pyvenv.cfg").exists() and any(folder.iterdir()):
        raise CourseError(
            f"{shown_path(folder)} isn't a virtual environment: move it away, and run the same command again."
        )
    uv = find_uv()
    base = getattr(sys, "_base_executable", sys.executable)  # uvx throws away the environment that runs this.
    command = [uv, "venv", "--python", base] if uv else [sys.executable, "-m", "venv"]
    _run([*command, "--clear", str(folder)], f"{shown_path(folder)} couldn't be created; `pip install uv` may help")


def find_uv() -> str | None:
    """The program uv, if it is at hand; `uvx` and `uv run` say themselves where it is."""
    return os.environ.get("UV") or shutil.which("uv")


def installer(root: Path) -> Command:
    """The words that install into the folder's environment."""
    python = str(venv.python(root))
    if uv := find_uv():  # Without bytecode every start compiles torch again.
        return [uv, "pip", "install", "--python", python, "--compile-bytecode"]
    return [python, "-m", "pip", "install", "--disable-pip-version-check"]


def commands(base: Command, torch: list[str], own: str, index: str | None) -> list[Command]:
    """What to run, in order: torch first where it comes from an index of its own, which has nothing else."""
    first = [[*base, "--index-url", index, *torch]] if index else []
    return [*first, [*base, own]]


def torch_requirements() -> list[str]:
    """What the course asks of torch and torchvision, such as "torch>=2.7"."""
    lines = [line.partition(";")[0].strip() for line in metadata.requires("tunelings") or []]
    return [line for line in lines if line.startswith(("torch>", "torch=", "torchvision"))]


def own_requirement() -> str:
    """This very release with its extra: from the index, or from where it was installed (PEP 610)."""
    origin = json.loads(metadata.distribution("tunelings").read_text("direct_url.json") or "{}")
    if not origin:
        return f"tunelings[{environment.EXTRA}]=={__version__}"
    url, version_control = origin["url"], origin.get("vcs_info", {})
    if version_control:
        url = f"{version_control['vcs']}+{url}@{version_control['commit_id']}"
    return f"tunelings[{environment.EXTRA}] @ {url}"


def upgrade(root: Path) -> None:
    """Bring a newer release into the folder's environment: the running one, or what the index has.

    Raises:
        CourseError: it cannot be had; then nothing has changed.
    """
    own, base = own_requirement(), installer(root)
    if venv.is_running(root):
        if "@" in own:
            return  # It was installed from a file or a clone: there is nothing newer to ask for.
        newest = ["--upgrade-package", "tunelings"] if find_uv() else ["--upgrade"]
        own, base = f"tunelings[{environment.EXTRA}]", [*base, *newest]
    _run([*base, own], "Couldn't get a newer version; nothing has changed (--files-only needs no network)")


def _run(command: Command, failed: str) -> None:
    """Run a program that shows its own progress; where it fails, the last line says what to do."""
    sys.stdout.flush()
    try:
        code = subprocess.run(command).returncode
    except OSError as error:
        raise CourseError(f"{failed}: {command[0]} cannot be run ({error.strerror}).") from None
    if code:
        raise CourseError(
            f"{failed}: the lines above say why. Run the same command again; what was downloaded is kept. Behind a "
            "proxy, set HTTPS_PROXY; pip's and uv's own settings apply."
        )


def _succeeds(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
