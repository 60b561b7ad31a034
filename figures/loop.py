"""The loop of the home page: what one types and what one sees, taken from a real run. Writes loop-dark.svg.

python figures/loop.py

A copy of the course is opened with `tunelings watch 1.05` in a pseudo-terminal; three states of the answer are saved
one after the other, and what the terminal shows is drawn.
"""

import os
import shutil
import sys
import tempfile
import time
from html import escape
from pathlib import Path

import pexpect
import pyte

HERE = Path(__file__).parent
ROOT = HERE.parent
# Narrow, so that its letters can still be read on a phone.
COLUMNS, CODE_ROWS, ROWS = 58, 10, 18
WIDTH, LINE, LEFT = 560, 19, 16
SECONDS = 4.5
HEAD = "def training_step(model, batch, loss_fn, optimizer):\n"  # without its types, which would take five lines
FORGOTTEN = "    optimizer.zero_grad()\n"


def answers(stub, solution):
    """The three states: as it comes, with one line forgotten, right."""
    body = solution.split("# BEGIN SOLUTION")[1].split("\n", 1)[1].split("    # END SOLUTION")[0]
    head, _, todo = stub.partition("    # TODO")
    todo = "    # TODO" + todo.partition(", forward")[0] + ", …\n    raise NotImplementedError"
    return [
        (stub, HEAD + todo),
        (head + body.replace(FORGOTTEN, ""), HEAD + body.replace(FORGOTTEN, "")),
        (head + body, HEAD + body),
    ]


def screens(course, states, path):
    """What the terminal shows after each state of the answer was saved."""
    terminal = pyte.Screen(COLUMNS, 40)
    stream = pyte.ByteStream(terminal)
    command = ["-c", "from tunelings.commands.cli import main; main()", "watch", "1.05"]
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = pexpect.spawn(sys.executable, command, cwd=str(course), dimensions=(40, COLUMNS), env=environment)
    shown = []
    for (text, _), word in zip(states, ["not started", "This is what comes out", "Next (n)"], strict=True):
        path.write_text(text, encoding="utf-8")
        shown.append(wait(process, stream, terminal, word))
    process.close(force=True)
    return shown


def wait(process, stream, terminal, word):
    """The screen once it holds a word and has come to rest."""
    end, last = time.monotonic() + 120, ""
    while time.monotonic() < end:
        try:
            stream.feed(process.read_nonblocking(65536, timeout=0.3))
        except pexpect.TIMEOUT:
            if word in last:
                return [line.rstrip() for line in terminal.display]
        last = "\n".join(terminal.display)
    raise SystemExit(f"{word!r} did not come:\n{last}")


def color(line):
    if line.startswith("✓"):
        return "#8fd694"
    return "#ff9c8f" if line.startswith("✗") else "#e6e6e6"


def frame(number, code, screen):
    """One state as a group of text lines: the file above, the terminal below."""
    lines = [("#9fb4c7", "exercises/module01/ex05_training_step.py")]
    lines += [("#8fd694" if f"{line}\n" == FORGOTTEN else "#f2e6c9", line) for line in code.split("\n")]
    lines = lines[:CODE_ROWS] + [("", "")] * (CODE_ROWS - len(lines))
    keys = next((row for row, line in enumerate(screen) if line.startswith("h hint")), len(screen))
    lines += [("#9fb4c7", "$ tunelings")] + [(color(line), line) for line in screen[:keys]][: ROWS - 1]
    texts = [
        f'<text x="{LEFT}" y="{28 + LINE * row}" fill="{fill}" xml:space="preserve">{escape(line)}</text>'
        for row, (fill, line) in enumerate(lines)
        if line.strip()
    ]
    return f'<g class="frame f{number}">{"".join(texts)}</g>'


def draw(frames):
    """The frames one after the other; who asks for less motion, or has none, sees the second, with the failure."""
    total = SECONDS * len(frames)
    share = 100 / len(frames)
    height = 20 + LINE * (CODE_ROWS + ROWS)
    css = [
        "text { font: 15px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }",
        f".frame {{ opacity: 0; animation: show {total}s infinite; }} .f1 {{ opacity: 1; }}",
        f"@keyframes show {{ 0%, {share - 0.5:.1f}% {{ opacity: 1 }} {share:.1f}%, 100% {{ opacity: 0 }} }}",
        *[f".f{number} {{ animation-delay: {number * SECONDS - total}s; }}" for number in range(len(frames))],
        "@media (prefers-reduced-motion: reduce) { .frame { animation: none } }",
    ]
    y = LINE * CODE_ROWS + 12
    rule = f'<line x1="0" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="#3b4252"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<style>{' '.join(css)}</style>"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#1f2430"/>{rule}{"".join(frames)}</svg>\n'
    )


def main():
    with tempfile.TemporaryDirectory() as name:
        course = Path(name)
        for tree in ("exercises", "solutions", "checks", "docs"):
            shutil.copytree(ROOT / tree, course / tree, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", course)
        path = course / "exercises" / "module01" / "ex05_training_step.py"
        solution = (course / "solutions" / "module01" / "ex05_training_step.py").read_text(encoding="utf-8")
        states = answers(path.read_text(encoding="utf-8"), solution)
        shown = screens(course, states, path)
    frames = [frame(i, code, screen) for i, ((_, code), screen) in enumerate(zip(states, shown, strict=True))]
    (ROOT / "docs" / "assets" / "loop-dark.svg").write_text(draw(frames), encoding="utf-8")
    print("\n".join(line for line in shown[1] if line))


if __name__ == "__main__":
    main()
