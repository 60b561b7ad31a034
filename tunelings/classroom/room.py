"""A room: the namespaces in which one answer runs, inside the sandbox, and which end with it.

`unshare` (Linux) gives a forked process empty folders for temporary files, a network that is loopback alone, and no
privileges over anything. What stands around it is the sandbox of `sandbox.py`: a room keeps
answers from each other, the sandbox keeps them from the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from pathlib import Path

_NEWNS, _NEWIPC, _NEWUSER, _NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 2, 4, 16384, 1 << 18
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CAPABILITY_VERSION_3 = 0x20080522
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

SCRATCH = "/scratch"  # where temporary files go; not /tmp, below which a course may lie
SHARED = "/dev/shm"
DISK = 512 * 2**20  # bytes of temporary files
FILE = 512 * 2**20  # bytes of one file
PROCESSES = 1024  # and threads; only counted where the sandbox has a user of its own


class NoRoom(OSError):
    """The system gives no namespaces inside the sandbox."""


def enter() -> None:
    """Take this process, and all that it will start, into a room of its own; there is no way back.

    Call it in a forked process with one thread. Its processes are seen by the whole sandbox: a process namespace would
    want a /proc of its own, which the kernel refuses where bwrap was started by root. The server ends them instead.

    Raises:
        NoRoom: there can be none here.
    """
    user, group = os.getuid(), os.getgid()
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)  # Or the files that name its user are closed to it.
    _call("unshare", _NEWUSER | _NEWNS | _NEWNET | _NEWIPC)
    for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(line, encoding="ascii")
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    for folder in (SCRATCH, SHARED):
        options = f"size={DISK},mode=1777".encode()
        _call("mount", b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options)
    _loopback_up()
    _drop_privileges()
    hide()


def is_possible() -> bool:
    """Whether rooms can be had here, tried in a forked process."""
    if sys.platform != "linux":
        return False
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            enter()
            code = 0
        os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def seen(canary: Path, *, files_alone: bool) -> list[str]:
    """What of the machine can be seen from here, where a sandbox should hide it.

    canary: a file of the machine's, made for this. files_alone: network and processes need not be hidden. Ask before
    any answer has run; the first process of the sandbox and this one are all there are.
    """
    found = []
    with contextlib.suppress(OSError):
        canary.read_bytes()
        found.append("files")
    if not files_alone and any(name != "lo" for _, name in socket.if_nameindex()):
        found.append("the network")
    if not files_alone and sum(name.isdigit() for name in os.listdir("/proc")) > 2:
        found.append("processes")
    return found


def _loopback_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def _drop_privileges() -> None:
    """Give up every capability that a new user namespace brings."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("capset", header, bytes(24))


def hide() -> None:
    """Keep other processes of the same user out of this one's memory and files; its forks inherit that."""
    with contextlib.suppress(OSError):
        _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def limit(*, has_own_user: bool) -> None:
    """Limits that no answer can lift: the size of a file, no core dumps, and, in a user of its own, processes."""
    import resource

    wanted = {resource.RLIMIT_FSIZE: FILE, resource.RLIMIT_CORE: 0}
    if has_own_user:
        wanted[resource.RLIMIT_NPROC] = PROCESSES
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def limit_memory(more: int) -> None:
    """Let each process have an address space of at most `more` bytes beyond what this one has now."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as pages:
        has = int(pages.read().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = has + more if hard == resource.RLIM_INFINITY else min(has + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


_library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _call(name: str, *arguments: object) -> None:
    """A function of the C library that returns 0, or says in errno why not."""
    if _library is None or getattr(_library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise NoRoom(number, f"{name}: {os.strerror(number)}")
