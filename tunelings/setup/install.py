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

TORCH = "https://download.pytorch.org/whl"  # an index of each build: cpu, cu126, cu130, …
CPU_INDEX = f"{TORCH}/cpu"
CUDA_INDEX = f"{TORCH}/cu130"  # for Windows, where the ordinary build has no CUDA
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


def install(root: Path, index: str | None) -> None:
    """Make the folder's environment where there is none, and install the extra into it, torch from `torch_index`.

    Raises:
        CourseError: too little disk, no environment could be made, or the installer has failed (it says why itself).
    """
    check_room(root, gigabytes(index))
    make_environment(root)
    try:
        for command in commands(installer(root), torch_requirements(), own_requirement(), index):
            _run(command, "The libraries aren't installed")
    except CourseError:
        check_room(root, gigabytes(index))  # A disk that has filled up since then says more.
        raise


def gigabytes(index: str | None) -> float:
    """The disk, in GB, that the libraries take with the torch of this index (None: the ordinary one)."""
    return DISK_CUDA if index == CUDA_INDEX or (index is None and sys.platform == "linux") else DISK_CPU


def check_room(root: Path, needed: float) -> None:
    """Raise CourseError where the folder's disk has less free than what is left of `needed`, both in GB."""
    free = shutil.disk_usage(root).free / GB
    left = needed - installed_gigabytes(root)  # An interrupted run has installed some.
    if free < left:
        raise CourseError(
            f"The libraries take about {left:.1f} GB, and {free:.1f} GB are free at {shown_path(root)}: free some "
            "and run the same command again, or give `tunelings init` a folder on another disk."
        )


def installed_gigabytes(root: Path) -> float:
    """What the folder's environment holds already, in GB."""
    return sum(path.lstat().st_size for path in venv.folder(root).rglob("*")) / GB


def torch_index(cuda: bool, say: Say, *, asked: bool = False) -> str | None:
    """The index that torch is to come from; None is the one that pip is set to.

    `asked`: the learner has chosen the build of torch, so that no other one is taken instead.

    Raises:
        CourseError: there is no such build, or it was `asked` for and its index can't be reached.
    """
    if cuda:
        if sys.platform == "darwin":
            raise CourseError("There is no CUDA on macOS: leave --cuda out.")
        return CUDA_INDEX if sys.platform == "win32" else None
    if sys.platform != "linux":
        return None  # The ordinary build is the one without CUDA.
    if answers(f"{CPU_INDEX}/torch/"):
        return CPU_INDEX
    if asked:
        raise CourseError(
            f"{CPU_INDEX} can't be reached, and PyTorch without CUDA comes from there. Run the same command again when "
            "it can, or use --cuda for the default build."
        )
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


def is_from_index() -> bool:
    """The package that runs came from an index, which may have a newer release; not from a file or a clone."""
    return "@" not in own_requirement()


def upgrade(root: Path, say: Say) -> None:
    """Bring a newer release into the folder's environment: the one that runs, or if it runs there, the index's newest.

    An index that can't be reached only keeps the release that is there: `say` is told so.

    Raises:
        CourseError: the release that runs can't be installed; then nothing has changed.
    """
    base = [*installer(root), *torch_options(root)]
    if not venv.is_running(root):
        failed = "Couldn't get a newer version; nothing has changed (--files-only needs no network)"
        _run([*base, own_requirement()], failed)
    elif is_from_index():
        say("Asking the package index for the newest release of tunelings.")
        try:
            for options in newest_release(uv=find_uv() is not None):
                _run([*base, *options], "No newer release could be fetched")
        except CourseError as error:
            say(f"{error} Going on with version {__version__}.")


def newest_release(uv: bool) -> list[list[str]]:
    """What to give the installer, call by call, for the index's newest release to take the place of the one there."""
    package = f"tunelings[{environment.EXTRA}]"
    if uv:
        return [["--upgrade-package", "tunelings", package]]
    # Where the index can't be reached, pip is content with the release that is there; asked for any, it fails.
    asked = ["--quiet", "--dry-run", "--ignore-installed", "--no-deps", "tunelings"]
    return [asked, ["--upgrade", package]]


def torch_options(root: Path) -> Command:
    """Let a torch that has to be replaced come in the same build as the folder's, such as "2.9.1+cpu"."""
    code = "from importlib.metadata import version; print(version('torch'))"
    try:
        done = subprocess.run([str(venv.python(root)), "-c", code], capture_output=True, text=True)
    except OSError:
        return []
    build = done.stdout.strip().partition("+")[2]
    if build != "cpu" and not build.startswith("cu"):
        return []  # There is no torch yet, or it is the build of the ordinary index.
    # "2.9.1+cpu" counts as later than "2.9.1" (PEP 440): where both indexes are compared, it is chosen.
    if find_uv():
        return ["--index", f"{TORCH}/{build}", "--index-strategy", "unsafe-best-match"]
    return ["--extra-index-url", f"{TORCH}/{build}"]


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
            "proxy, set HTTPS_PROXY; if no space is left, free some, or set TMPDIR to a folder on another disk."
        )


def _succeeds(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
