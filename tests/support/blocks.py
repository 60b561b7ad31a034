"""The blocks of a page that are run: ```python title="run", and after it what it prints, ```text title="output".

python -m tests.support.blocks docs/background/transformer.md   writes what its blocks print into a page

The blocks of a page share their names, as if they were typed one after the other. One process runs the pages of a
test run, so that torch is imported once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tunelings import lessons

ROOT = Path(__file__).resolve().parent.parent.parent
RUN, OUTPUT = lessons.RUN, 'text title="output"'


@dataclass(frozen=True)
class Block:
    """A block that is run: its code, what the page says it prints, and the lines of that (from, to; 0-based)."""

    line: int
    code: str
    output: str
    output_lines: tuple[int, int]


class UnpairedBlock(ValueError):
    """A block that is run and shows no output, or an output that nothing printed."""


def blocks_of(source: str) -> list[Block]:
    """The blocks of a page's Markdown in their order; UnpairedBlock where a pair is not whole."""
    fences = [token for token in MarkdownIt().parse(source) if token.type == "fence"]
    blocks = []
    waiting = None
    for fence in fences:
        line = fence.map[0] + 1
        if fence.info.strip() == OUTPUT:
            if waiting is None:
                raise UnpairedBlock(f"line {line}: an output without a block that printed it")
            lines = (fence.map[0] + 1, fence.map[1] - 1)
            blocks.append(Block(waiting.map[0] + 1, waiting.content, fence.content, lines))
            waiting = None
        elif waiting is not None:
            raise UnpairedBlock(f"line {waiting.map[0] + 1}: the next block after it is not its output")
        elif fence.info.strip() == RUN:
            waiting = fence
    if waiting is not None:
        raise UnpairedBlock(f"line {waiting.map[0] + 1}: no output follows")
    return blocks


def rendered(page: Path) -> str:
    name = page.relative_to(ROOT / "docs").as_posix()
    return lessons.render(page.read_text(encoding="utf-8"), name, ROOT / "figures" / "results")


class Runner:
    """A process that runs blocks; it is started with the first page and ends with `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def printed(self, codes: list[str]) -> list[str]:
        """What each block prints, all in one namespace; the last one is a traceback where a block raises."""
        if self._process is None:
            environment = {
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "TRANSFORMERS_VERBOSITY": "error",
                "PYTHONHASHSEED": "0",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.support.blocks", "--serve"],
                cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(codes) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()


def serve() -> None:
    """A line of JSON with the blocks of one page in, a line with what they printed out."""
    import torch

    torch.set_num_threads(1)
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What a library writes past Python goes where warnings go, not between the replies.
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=replies, flush=True)


def run(codes: list[str]) -> list[str]:
    import torch

    torch.manual_seed(0)
    names = {"__name__": "__main__"}
    printed = []
    for code in codes:
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            try:
                exec(compile(code, "<block>", "exec"), names)
            except Exception:
                traceback.print_exc(file=stream)
        printed.append(stream.getvalue())
    return printed


def write(page: Path) -> None:
    """Put what its blocks print into the page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    printed = run([block.code for block in blocks_of(rendered(page))])
    places = [block.output_lines for block in blocks_of("\n".join(lines))]
    for (first, last), text in reversed(list(zip(places, printed, strict=True))):
        lines[first:last] = text.rstrip("\n").split("\n")
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        for name in sys.argv[1:]:
            write(Path(name).resolve())
