"""The editor that opens an answer."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

from tunelings.course import CourseError, Exercise, shown_path


def edit(exercise: Exercise) -> int:
    """Open the answer in the editor and wait until that has ended; returns its exit code.

    Raises:
        CourseError: there is no answer or no editor, or the editor cannot be started.
    """
    path = shown_path(exercise.answer_path)
    if not exercise.answer_path.exists():
        raise CourseError(f"{path} is missing: tunelings reset {exercise.number} brings it back.")
    command = _command(path)
    try:
        with _interrupts_left_to_the_editor(), _left_alone():
            return subprocess.run([*command, str(exercise.answer_path)]).returncode
    except OSError as error:
        raise CourseError(f"The editor {command[0]!r} can't be started: {error.strerror}.") from None


@contextlib.contextmanager
def _interrupts_left_to_the_editor() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal, and means the editor while there is one."""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)  # SIG_IGN would be the editor's, too.
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


@contextlib.contextmanager
def _left_alone() -> Iterator[None]:
    """A handler that ends the program would have the editor killed, with what is not saved; the default lets it be."""
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: handler for number in known if callable(handler := signal.getsignal(number))}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _command(path: str) -> list[str]:
    """The editor's command: $VISUAL, $EDITOR (a blank one counts as none), or VS Code where it is installed."""
    named = {name: os.environ.get(name, "").strip() for name in ("VISUAL", "EDITOR")}
    variable = next((name for name, value in named.items() if value), None)
    if variable is None:
        if code := shutil.which("code"):
            return [code]
        raise CourseError(f"No editor is configured: open {path} yourself, or set EDITOR.")
    editor = named[variable]
    try:
        command = [editor] if os.path.exists(editor) else _words(editor)
    except ValueError as error:
        raise CourseError(f"{variable} is {editor!r}, which isn't a command: {str(error).lower()}.") from None
    if not shutil.which(command[0]):
        raise CourseError(f"The editor {command[0]!r} (from VISUAL or EDITOR) is not installed.")
    return command


def _words(command: str) -> list[str]:
    r"""The words of a command line; on Windows a backslash separates folders: "C:\Program Files\vim.exe" -f."""
    if sys.platform != "win32":
        return shlex.split(command)
    words = shlex.split(command, posix=False)  # which leaves the quotes where they are
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word for word in words]
