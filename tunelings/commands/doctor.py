"""`tunelings doctor`: what of this machine the course can use, what is wrong, and what puts it right.

`examine()` asks the machine, what takes long last; `findings()` judges what it has said so far and needs no machine, so
it is tested with recorded answers of several cards.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tunelings.grading import environment
from tunelings.grading.environment import REMEDY
from tunelings.handson import models
from tunelings.setup import install

GIB = 2**30
# Columns of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; memory in MiB.
QUERY = "name,driver_version,memory.total,compute_cap"
NEEDED_RAM, NEEDED_DISK = 8 * GIB, 2 * GIB
QUICK_START = "docs/quick-start.md, 'If you have a GPU'"


@dataclass(frozen=True)
class Gpu:
    """One GPU, as its driver describes it."""

    name: str
    driver: str
    memory_gib: float
    capability: tuple[int, int]


@dataclass(frozen=True)
class Machine:
    """What the machine has said of itself so far; None where it could not be asked."""

    python: tuple[int, int]
    system: str
    packages: dict[Requirement, str | None]  # the installed version of each
    ram: int | None
    disk_free: int
    models: dict[str, bool] = field(default_factory=dict)
    smi: str | None = None  # the output of nvidia-smi; None: it isn't asked yet
    torch_cuda: str | None = None  # the CUDA version that torch was built with
    torch_sees: bool = False
    arch_list: list[str] = field(default_factory=list)
    hub: bool | None = None  # None: it isn't asked yet


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is what to type where something is wrong, or could be better.

    state: "ok", "note" (nothing is wrong, and one could do something), or "wrong".
    """

    state: str
    what: str
    remedy: str = ""


def examine() -> Iterator[Machine]:
    """Ask this machine: what it knows at once, then its GPU, of which torch takes seconds to tell, then the network."""
    machine = Machine(
        python=sys.version_info[:2],
        system=f"{platform.system()} {platform.machine()}",
        packages=_packages_here(),
        ram=_ram(),
        disk_free=shutil.disk_usage(_existing(models.cache_folder())).free,
        models={name: models.is_whole(models.cache_folder() / name) for name in models.MODELS},
    )
    yield machine
    machine = replace(machine, smi=nvidia_smi())
    if gpus(machine.smi) and _has_torch(machine):
        cuda, sees, arch_list = _ask_torch()
        machine = replace(machine, torch_cuda=cuda, torch_sees=sees, arch_list=arch_list)
    yield machine
    yield replace(machine, hub=_hub_answers())


def gpus(smi: str | None) -> list[Gpu]:
    """The GPUs in an output of nvidia-smi; a line that describes none is left out."""
    found = []
    for line in (smi or "").splitlines():
        parts = [part.strip() for part in line.split(",")]
        try:
            name, driver, memory, capability = parts
            major, minor = capability.split(".")
            found.append(Gpu(name, driver, float(memory) / 1024, (int(major), int(minor))))
        except ValueError:
            continue
    return found


def findings(machine: Machine) -> list[Finding]:
    """The lines of the report on what was asked so far, in the order of `examine`."""
    return [
        _python(machine),
        *_packages(machine),
        _memory(machine),
        _disk(machine),
        *_models(machine),
        *([] if machine.smi is None else _gpu(machine)),
        *([] if machine.hub is None else [_hub(machine)]),
    ]


def _python(machine: Machine) -> Finding:
    version = ".".join(map(str, machine.python))
    ok = machine.python >= (3, 11)
    return Finding(
        "ok" if ok else "wrong",
        f"Python {version} on {machine.system}",
        "" if ok else "install Python 3.11 or newer, or use uv",
    )


def _packages(machine: Machine) -> list[Finding]:
    wrong = []
    for requirement, version in machine.packages.items():
        if version is not None and not environment.fits(requirement, version):
            wrong.append(
                Finding(
                    "wrong",
                    f"{requirement.name} is {version}, and {requirement.name}{requirement.specifier} is needed",
                    REMEDY,
                )
            )
    if absent := [requirement.name for requirement, version in machine.packages.items() if version is None]:
        verb = "is" if len(absent) == 1 else "are"
        wrong.append(Finding("wrong", f"{environment.named(absent)} {verb} not installed", REMEDY))
    return wrong or [Finding("ok", f"all {len(machine.packages)} packages are installed in a version that works")]


def _gpu(machine: Machine) -> list[Finding]:
    found = gpus(machine.smi)
    if not found:
        return [Finding("note", "no NVIDIA GPU", "every check runs on the CPU; full runs (-m gpu) are skipped")]
    return [_judge(gpu, machine) for gpu in found]


def _judge(gpu: Gpu, machine: Machine) -> Finding:
    major, minor = gpu.capability
    what = f"{gpu.name}, {gpu.memory_gib:.1f} GiB, compute capability {major}.{minor}, driver {gpu.driver}"
    if not _has_torch(machine):
        return Finding("note", f"{what}: torch isn't installed yet", REMEDY)
    if machine.torch_cuda is None:
        return Finding("wrong", f"{what}: this torch is built without CUDA", _torch_for(gpu))
    needed = _driver_for(machine.torch_cuda)
    if _number(gpu.driver) < needed:
        return Finding("wrong", f"{what}: CUDA {machine.torch_cuda} needs driver {needed}", _torch_for(gpu))
    if not machine.torch_sees:  # Then torch does not say either what it has code for.
        remedy = "unset CUDA_VISIBLE_DEVICES, or reinstall the driver and restart"
        return Finding("wrong", f"{what}: torch doesn't see it", remedy)
    if not _has_code(gpu.capability, machine.arch_list):
        built = ", ".join(machine.arch_list)
        return Finding("wrong", f"{what}: this torch (CUDA {machine.torch_cuda}) has code for {built}", _torch_for(gpu))
    return Finding("ok", f"{what}: torch (CUDA {machine.torch_cuda}) has code for it")


def _has_torch(machine: Machine) -> bool:
    return any(one.name == "torch" and version is not None for one, version in machine.packages.items())


def _has_code(capability: tuple[int, int], arch_list: list[str]) -> bool:
    """Compiled code runs on the same major version at the same or a higher minor one; PTX on anything newer."""
    major, minor = capability
    for arch in arch_list:
        kind, _, digits = arch.partition("_")
        digits = digits.rstrip("af")
        built = (int(digits[:-1]), int(digits[-1]))
        if kind == "sm" and built[0] == major and built[1] <= minor:
            return True
        if kind == "compute" and built <= capability:
            return True
    return False


def _torch_for(gpu: Gpu) -> str:
    """The command that installs a torch for this card and driver (sources: the Quick start)."""
    driver = _number(gpu.driver)
    if driver >= 580 and gpu.capability >= (7, 5):
        return "pip install --force-reinstall torch torchvision"
    if gpu.capability >= (10, 0):
        if driver >= 570:
            index = "https://download.pytorch.org/whl/cu128"
            return f'pip install --force-reinstall "torch<2.12" torchvision --index-url {index}'
        return f"install driver 580 or newer, then: pip install --force-reinstall torch torchvision ({QUICK_START})"
    # PyTorch 2.14 is the last release with wheels for CUDA 12.6.
    index = "https://download.pytorch.org/whl/cu126"
    return f'pip install --force-reinstall "torch<2.15" torchvision --index-url {index}'


def _driver_for(cuda: str) -> int:
    """The oldest driver of a CUDA major version (NVIDIA, CUDA compatibility)."""
    return {"11": 450, "12": 525}.get(cuda.partition(".")[0], 580)


def _number(version: str) -> int:
    major = version.partition(".")[0]
    return int(major) if major.isdigit() else 0


def _memory(machine: Machine) -> Finding:
    if machine.ram is None:
        return Finding("ok", "the size of the memory isn't known")
    ok = machine.ram >= NEEDED_RAM
    remedy = "" if ok else "close other programs before the hands-on exercises; their runs take about 4 GiB"
    return Finding("ok" if ok else "wrong", f"{machine.ram / GIB:.0f} GiB of memory", remedy)


def _disk(machine: Machine) -> Finding:
    ok = machine.disk_free >= NEEDED_DISK
    remedy = "" if ok else "free some, or set TUNELINGS_MODELS to a folder on another disk"
    return Finding(
        "ok" if ok else "wrong", f"{machine.disk_free / GIB:.0f} GiB of disk free where the models are kept", remedy
    )


def _models(machine: Machine) -> list[Finding]:
    lines = []
    for name, there in machine.models.items():
        used = ", ".join(models.MODELS[name].exercises)
        state = "is downloaded" if there else "isn't downloaded"
        lines.append(
            Finding(
                "ok" if there else "note",
                f"the model {name} ({used}) {state}",
                "" if there else f"tunelings models get {name}",
            )
        )
    return lines


def _hub(machine: Machine) -> Finding:
    if machine.hub:
        return Finding("ok", "the Hugging Face Hub answers")
    return Finding("note", "the Hugging Face Hub doesn't answer", "give full runs a local folder: --model PATH")


# ---------------------------------------------------------------- asking the machine
def _packages_here() -> dict[Requirement, str | None]:
    try:
        return environment.installed()
    except metadata.PackageNotFoundError:
        return {Requirement("tunelings"): None}


def _ram() -> int | None:
    if hasattr(os, "sysconf"):  # Everywhere but on Windows, and it needs no package.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().total


def _existing(path: Path) -> Path:
    """The nearest folder at or above `path` that is there."""
    return path if path.exists() else _existing(path.parent)


def nvidia_smi() -> str:
    """What nvidia-smi says of the cards; empty where there is none."""
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _ask_torch() -> tuple[str | None, bool, list[str]]:
    """What torch was built with, whether it sees the GPU, its architectures; asked in a process of its own."""
    asks = "torch.version.cuda, torch.cuda.is_available(), torch.cuda.get_arch_list()"
    code = f"import json, torch; print(json.dumps([{asks}]))"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        cuda, sees, arch_list = json.loads(done.stdout.splitlines()[-1])
        return cuda, sees, arch_list
    except (OSError, ValueError, IndexError):
        return None, False, []


def _hub_answers() -> bool:
    return install.answers(os.environ.get("HF_ENDPOINT", "https://huggingface.co"), seconds=3)
