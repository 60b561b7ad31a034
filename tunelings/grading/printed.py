"""What an answer prints, passed on to the screen as far as it may."""

from __future__ import annotations

import codecs
import re
import sys
from dataclasses import dataclass, field
from typing import TextIO

from tunelings.grading import limits
from tunelings.grading.text import cut, printable, visible


@dataclass
class Printed:
    """What one check prints, passed on up to a limit, with control characters made visible."""

    left: int = limits.OUTPUT
    decoders: dict[int, codecs.IncrementalDecoder] = field(default_factory=dict)

    def show(self, stream: int, content: bytes) -> None:
        decoder = self.decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")("replace"))
        if not content or self.left <= 0:
            return
        shown = content[: self.left]
        self.left -= len(shown)
        to = sys.stdout if stream == 1 else sys.stderr
        _write(to, _visible(decoder.decode(shown)))
        if self.left <= 0:
            _write(to, f"\n… the answer prints more than {limits.OUTPUT // 1024} KiB; the rest is not shown\n")
        to.flush()


def shown_progress(done: float, text: object) -> tuple[float, str]:
    """What a check says of how far it is, as the screen takes it: an answer may have said it."""
    share = max(0.0, min(1.0, done)) if done == done else 0.0
    return share, cut(visible(str(text)))


def _write(to: TextIO, text: str) -> None:
    """Write what this screen or file has characters for: the rest must not fail the answer that printed it."""
    encoding = getattr(to, "encoding", None)
    to.write(printable(text, encoding) if encoding else text)


def _visible(text: str) -> str:
    """`text` with control characters written out, so that none acts on the screen; a progress bar becomes lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(lambda found: visible(found[0]), lines)


# Controls, ends of lines, and what turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
