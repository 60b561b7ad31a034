"""Load an answer afresh from any folder with the tree of `exercises/`.

Every load compiles the source again under a module name of its own: no bytecode cache can serve an old
version, and nothing that one load left in its module reaches the next. What a right answer is, is not
known here.
"""

from __future__ import annotations

import functools
import io
import itertools
import linecache
import os
import stat
import sys
import tokenize
import traceback
import types
from dataclasses import dataclass
from pathlib import Path

from tunelings.grading import stubs
from tunelings.writing import read_regular

LARGEST = 1_000_000  # bytes of an answer's file
# What Python itself cannot take of a source: a syntax error, a null byte, an expression of 20,000 terms.
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)

_serial = itertools.count()


class AnswerError(Exception):
    """The answer cannot be loaded; the message says in one line what is wrong, and `line` where."""

    def __init__(self, message: str, line: int | None = None):
        super().__init__(message)
        self.line = line


class NameMissing(AttributeError):
    """A check asked the answer for a name that it does not define."""


class Answer(types.ModuleType):
    """The module of an answer; a name that is not there is reported as the learner's, not as a crash."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise NameMissing(f"the answer defines no `{name}`", name=name, obj=self)


@dataclass(frozen=True)
class Source:
    """The text of an answer and where it came from."""

    path: Path
    text: str

    @property
    def filename(self) -> str:
        return str(self.path)


def read(path: Path) -> Source:
    """Read an answer's text; a missing, unreadable or wrongly encoded file is an AnswerError."""
    try:
        content = read_bytes(path)
        with io.BytesIO(content) as file:
            encoding, _ = tokenize.detect_encoding(file.readline)  # A coding line, a byte order mark: as Python does.
        return Source(path, io.TextIOWrapper(io.BytesIO(content), encoding).read())
    except FileNotFoundError:
        if path.is_symlink():
            raise AnswerError(f"the file is a link to {os.readlink(path)}, which is missing") from None
        raise AnswerError("the file is missing; `tunelings reset` brings the stub back") from None
    except (UnicodeError, LookupError, SyntaxError) as error:  # The last two: a coding line that names no text.
        raise AnswerError(f"the file is not valid UTF-8 text ({error}); save it as UTF-8") from None
    except OSError as error:
        raise AnswerError(f"the file can't be read: {error.strerror}") from None


def read_bytes(path: Path) -> bytes:
    """The bytes of an answer's file.

    Raises:
        OSError: there is no such file, or it cannot be read.
        AnswerError: it is a folder, a pipe or another file that has no text, or it is larger than 1 MB.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise AnswerError(f"{kind} stands where the answer's file should be; `tunelings reset` brings the stub back")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise AnswerError(f"the file is larger than {LARGEST / 1e6:g} MB; an answer has a few thousand characters")
    return content


def load(source: Source) -> Answer:
    """Run the answer's top level and return its module.

    Raises:
        AnswerError: a syntax error (with its line), or anything that the top level raises.
    """
    name = f"tunelings_answer_{next(_serial)}_{source.path.stem}"
    module = Answer(name)
    module.__file__ = source.filename
    try:
        code = _compiled(source.text, source.filename)
    except UNREADABLE as error:
        raise AnswerError(_syntax_line(error), getattr(error, "lineno", None)) from None
    keep_lines(source.filename, source.text)
    sys.modules[name] = module  # Dataclasses and pickle look the module up while it runs.
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, NotImplementedError | KeyboardInterrupt | TimeoutLike):
            raise
        line = _line_of(error, source)
        where = f"line {line}: " if line else ""
        raise AnswerError(f"{where}loading the file raises {type(error).__name__}: {error}", line) from error
    return module


@functools.lru_cache(maxsize=64)
def _compiled(text: str, filename: str) -> types.CodeType:
    return compile(text, filename, "exec", dont_inherit=True)


class TimeoutLike(BaseException):
    """Base of the grader's own interruptions, which no answer may swallow by `except Exception`."""


def keep_lines(filename: str, text: str) -> None:
    """Tracebacks and inspect.getsource show this text, also when the file has changed since."""
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)


def unload(module: Answer) -> None:
    """Forget a loaded answer."""
    sys.modules.pop(module.__name__, None)


def todo_state(source: Source, solution: Path) -> list[str] | None:
    """The TODOs of the answer that are left; None where none was begun ("not started").

    Raises AnswerError where the answer does not parse, or the solution gives no stub.
    """
    try:
        stub = stubs.cut(read_regular(solution))
    except (OSError, UnicodeDecodeError, stubs.StubError) as error:
        why = getattr(error, "strerror", None) or error
        raise AnswerError(f"the course is damaged: {solution.name} gives no stub to compare with ({why})") from None
    try:
        still_open, total = stubs.open_todos(source.text, stub)
    except UNREADABLE as error:
        raise AnswerError(_syntax_line(error), getattr(error, "lineno", None)) from None
    return None if len(still_open) == total else still_open


def _syntax_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        text = (error.text or "").strip()
        return f"line {error.lineno} is not valid Python: {error.msg}" + (f"\n  {text}" if text else "")
    if isinstance(error, RecursionError | MemoryError):
        return "Python can't compile the file: an expression in it is too long or too deeply nested"
    return f"the file is not valid Python: {error}"


def _line_of(error: BaseException, source: Source) -> int | None:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == source.filename]
    return frames[-1].lineno if frames else None
