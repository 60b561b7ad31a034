"""Load an answer afresh from any folder with the tree of `exercises/`.

Every load compiles the source again under a module name of its own: no bytecode cache can serve an old
version, and nothing that one load left in its module reaches the next. What a right answer is, is not
known here.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import sys
import tokenize
import traceback
import types
from dataclasses import dataclass
from pathlib import Path

from tunelings.grading import stubs

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
        with tokenize.open(path) as file:  # Honours a coding line and a byte order mark, as Python does.
            return Source(path, file.read())
    except FileNotFoundError:
        raise AnswerError("the file is missing; `tunelings reset` brings the stub back") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise AnswerError(f"the file is not valid UTF-8 text ({error}); save it as UTF-8") from None
    except OSError as error:
        raise AnswerError(f"the file cannot be read: {error.strerror}") from None


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
    except (SyntaxError, ValueError) as error:
        raise AnswerError(_syntax_line(error), getattr(error, "lineno", None)) from None
    # Tracebacks and inspect.getsource must show this text, also when the file has changed since.
    linecache.cache[source.filename] = (len(source.text), None, source.text.splitlines(True), source.filename)
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


def unload(module: Answer) -> None:
    """Forget a loaded answer."""
    sys.modules.pop(module.__name__, None)


def todo_state(source: Source, solution: Path) -> list[str] | None:
    """The TODOs of the answer that are left; None where none was begun ("not started").

    Raises AnswerError where the answer does not parse.
    """
    stub = stubs.cut(solution.read_text(encoding="utf-8"))
    try:
        still_open, total = stubs.open_todos(source.text, stub)
    except (SyntaxError, ValueError) as error:
        raise AnswerError(_syntax_line(error), getattr(error, "lineno", None)) from None
    return None if len(still_open) == total else still_open


def _syntax_line(error: SyntaxError | ValueError) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        text = (error.text or "").strip()
        return f"line {error.lineno} is not valid Python: {error.msg}" + (f"\n  {text}" if text else "")
    return f"the file is not valid Python: {error}"


def _line_of(error: BaseException, source: Source) -> int | None:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == source.filename]
    return frames[-1].lineno if frames else None
