"""How answers are kept from the machine that grades them: which way is possible here, and the command that does it.

`bwrap` (bubblewrap) makes a file system that holds Python, its packages and the course, read-only, and nothing else of
this machine; no network but loopback, a process space of its own, and an environment of a few names.
"""

from __future__ import annotations

import enum
import functools
import os
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tunelings.classroom import room
from tunelings.course import MANIFEST, PACKAGE, Course, CourseError

STUDENT = "student"  # the user that answers run as in a container
_USER = "1000"  # inside bwrap; it owns nothing outside
# What a dynamic linker, a resolver of 127.0.0.1 and a clock need of /etc; no names, no keys.
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime")
_TREES = ("solutions", "checks", "data", "figures/results")
# A library's thread pool that was started before a fork does not exist in the child.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"}


class Isolation(enum.StrEnum):
    """What stands between an answer and this machine."""

    BWRAP = "bwrap"
    CONTAINER = "container"  # of the caller's making; answers run as another user in it
    NONE = "none"


class NoIsolation(CourseError):
    """Answers can't be kept from this machine, and nobody said that they need not be."""


def find(*, may_be_none: bool = False) -> Isolation:
    """The best way that works here.

    Raises:
        NoIsolation: none does, and `may_be_none` is false.
    """
    trouble = bwrap_trouble()
    if not trouble:
        return Isolation.BWRAP
    if _is_container():
        return Isolation.CONTAINER
    if may_be_none:
        return Isolation.NONE
    raise NoIsolation(
        f"Answers can't be isolated here: {trouble}. docs/grade-a-class.md says how to allow bwrap; "
        "--no-isolation runs answers as you, with all that you may read, write and send."
    )


@functools.cache
def bwrap_trouble() -> str:
    """Why `bwrap` can't be used here; "" where it can."""
    if sys.platform != "linux":
        return "bwrap needs Linux"
    if shutil.which("bwrap") is None:
        return "bwrap is not installed (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
    try:
        command = ["bwrap", *_NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "true"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap doesn't start ({error})"
    return (
        "" if done.returncode == 0 else f"bwrap doesn't start ({done.stderr.strip().splitlines()[-1:] or 'no reason'})"
    )


_NAMESPACES = (
    "--unshare-all", "--unshare-user", "--uid", _USER, "--gid", _USER, "--hostname", "classroom", "--cap-drop", "ALL",
    "--die-with-parent", "--new-session",
)  # fmt: skip


def _is_container() -> bool:
    """A container whose maker runs this as root, and has made the user `student` for the answers."""
    marks = ("/.dockerenv", "/run/.containerenv", "/autograder/run_autograder")
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not any(Path(mark).exists() for mark in marks):
        return False
    import pwd

    try:
        pwd.getpwnam(STUDENT)
    except KeyError:
        return False
    return True


@dataclass(frozen=True)
class Sandbox:
    """Where a server for some exercises runs. `may_write_vectors`: only for the course's own answers."""

    course: Course
    isolation: Isolation
    imports: tuple[str, ...]
    may_write_vectors: bool = False

    def command(self, canary: str) -> list[str]:
        """The command that starts the server; `canary`: a file that it must not be able to read."""
        server = [sys.executable, "-m", "tunelings.classroom.server", "--root", str(self.course.root)]
        if self.isolation != Isolation.NONE:
            server += ["--canary", canary]
        if self.isolation != Isolation.BWRAP:
            return [*server, "--no-rooms", "--", *self.imports]
        own_user = ["--own-user"] * (os.geteuid() != 0 and _counts_by_namespace())
        return [*self._bwrap(), *server, "--own-processes", *own_user, "--", *self.imports]

    def options(self) -> dict:
        """What `subprocess.Popen` needs besides."""
        options: dict = {"env": self._environment(), "cwd": "/", "start_new_session": True}
        if self.isolation == Isolation.CONTAINER:
            options |= {"user": STUDENT, "group": STUDENT, "extra_groups": []}
        return options

    def _environment(self) -> dict[str, str]:
        kept = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE.parent)}
        kept |= _ENVIRONMENT
        return kept | {name: os.environ[name] for name in ("SYSTEMROOT", "CUDA_VISIBLE_DEVICES") if name in os.environ}

    def _bwrap(self) -> list[str]:
        words = ["bwrap", *_NAMESPACES, "--clearenv"]
        homes = {"HOME": room.SCRATCH, "TMPDIR": room.SCRATCH}
        for name, value in (self._environment() | homes).items():
            words += ["--setenv", name, value]
        for name in ("/usr", "/opt"):
            words += ["--ro-bind-try", name, name]
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            path = Path("/", name)
            if path.is_symlink():
                words += ["--symlink", os.readlink(path), str(path)]
            elif path.exists():
                words += ["--ro-bind", str(path), str(path)]
        for name in _ETC:
            words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        words += ["--proc", "/proc", "--dev", "/dev"]
        for folder in (room.SCRATCH, room.SHARED):
            words += ["--size", str(room.DISK), "--tmpfs", folder]
        shown = self._read_only()
        words += [] if any(path.is_relative_to("/tmp") for path in shown) else ["--symlink", room.SCRATCH, "/tmp"]
        for path in shown:
            words += ["--ro-bind", str(path), str(path)]
        vectors = self.course.root / ".tunelings" / "vectors"
        if vectors.is_dir():
            words += ["--bind" if self.may_write_vectors else "--ro-bind", str(vectors), str(vectors)]
        # /dev is a file system of its own, which all answers of this server would share.
        return [*words, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/"]

    def _read_only(self) -> list[Path]:
        """The interpreter, the packages, this package and the course; outer folders come first."""
        root = self.course.root
        found = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), PACKAGE}
        found |= {Path(folder) for folder in site.getsitepackages()}
        found |= {root / tree for tree in (*_TREES, MANIFEST)}
        found |= {path.resolve() for path in (Path(sys.executable), Path(sys.executable).resolve().parent)}
        outside = sorted(path for path in found if path.exists() and not path.is_relative_to("/usr"))
        return [path for path in outside if not any(path != other and path.is_relative_to(other) for other in outside)]


def _counts_by_namespace() -> bool:
    """Since Linux 5.14 a limit on processes counts those of the namespace, and not all of the user's."""
    release = os.uname().release.split(".")
    return (int(release[0]), int("".join(c for c in release[1] if c.isdigit()) or 0)) >= (5, 14)
