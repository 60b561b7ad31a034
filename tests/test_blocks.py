"""Every block of a page that shows its output is run, and prints that output.

One page: `pytest tests/test_blocks.py -k transformer`. `python -m tests.support.blocks PAGE` writes its outputs anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support import blocks
from tests.support.gates import broken, lines
from tunelings.course import Course

DOCS = ROOT / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if blocks.RUN in path.read_text(encoding="utf-8")]
BACKGROUND = sorted((DOCS / "background").glob("*.md"))
LESSONS = [DOCS / e.module / f"{e.card.lesson}.md" for e in Course(ROOT).exercises]


@pytest.fixture(scope="module")
def runner():
    one = blocks.Runner()
    yield one
    one.close()


@pytest.mark.xdist_group("blocks")
@pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(DOCS).as_posix() for path in PAGES])
def test_the_blocks_of_a_page_print_what_it_shows(page: Path, runner: blocks.Runner):
    shown = blocks.blocks_of(blocks.rendered(page))
    printed = runner.printed([block.code for block in shown])
    differing = [
        f"line {block.line} prints\n{text}"
        for block, text in zip(shown, printed, strict=True)
        if text.rstrip("\n") != block.output.rstrip("\n")
    ]
    assert not differing, broken(
        "A block of a page must print the output that the page shows.",
        lines(differing),
        page,
        f"python -m tests.support.blocks {page.relative_to(ROOT)}, and read what has changed",
    )


def test_a_page_is_only_as_long_as_its_blocks_are_short():
    for page in PAGES:
        for block in blocks.blocks_of(blocks.rendered(page)):
            assert block.code.count("\n") <= 30, f"{page}, line {block.line}: a block has at most 30 lines"


@pytest.mark.xdist_group("blocks")
def test_blocks_share_names_and_a_block_that_raises_shows_it(runner: blocks.Runner):
    printed = runner.printed(["x = 2", "print(x + 1)", "print(y)", "print('still here')"])
    assert printed[:2] == ["", "3\n"]
    assert printed[2].endswith("NameError: name 'y' is not defined\n")
    assert printed[3] == "still here\n"
    assert "NameError" in runner.printed(["print(x)"])[0]  # The next page begins anew.


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('```python title="run"\nprint(1)\n```\n', "line 1: no output follows"),
        ('```text title="output"\n1\n```\n', "line 1: an output without a block"),
        ('```python title="run"\n1\n```\n\n```text\n1\n```\n', "line 1: the next block after it is not its output"),
    ],
)
def test_a_pair_that_is_not_whole_is_an_error(source: str, says: str):
    with pytest.raises(blocks.UnpairedBlock, match=says):
        blocks.blocks_of(source)


@pytest.mark.parametrize("page", [*BACKGROUND, *LESSONS], ids=[path.stem for path in [*BACKGROUND, *LESSONS]])
def test_a_page_has_its_head_and_three_questions(page: Path):
    source = page.read_text(encoding="utf-8")
    head = source.split("\n## ", 1)[0]
    for part in ("{{ minutes }} minutes", "**First**", "**Afterwards**"):
        assert part in head, f"{page.name}: its head says how long it takes, what to know first, what you can do after"
    questions = source.split("\n## Check yourself\n", 1)[1].split("\n## ", 1)[0]
    assert questions.count('??? question "') == 3


@pytest.mark.parametrize("page", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_shows_a_block_before_its_exercise(page: Path):
    before = page.read_text(encoding="utf-8").split("<!-- exercise -->", 1)[0]
    assert blocks.blocks_of(before), f"{page.name}: a block that runs stands before the exercise"


HEAD = re.compile(r"\{\{ minutes \}\} minutes to read\. \*\*First\*\*: .+?\. \*\*Afterwards\*\* you can .+?\.")


@pytest.mark.parametrize("page", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_opens_with_its_head_and_closes_with_its_questions(page: Path):
    source = page.read_text(encoding="utf-8")
    _, head, _ = source.split("\n\n", 2)
    assert HEAD.fullmatch(" ".join(head.split())), "below the title: minutes to read, **First**, **Afterwards** you can"
    *_, last, reading = source.split("\n## ")
    assert last.startswith("Check yourself\n") and reading.startswith("Further reading\n")
