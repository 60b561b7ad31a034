"""A page's source filled in: every measured number in it comes from a result file of figures/results/.

A page is a jinja2 template. It knows `measured`, the results of its own script (docs/module01/evaluate.md:
module01_evaluate.json), `measured_by("module02_freeze_depth")`, those of another script, `is_measured("…")`, whether a
script that needs a GPU has results, and the filter `number`:

    {{ measured["update 0.1 times the weights"].float32 | number(".2g") }}

`minutes`, how long the page takes, `repository`, the course's public address, and `in_colab`, the address at which
Colab opens the notebook of a hands-on exercise.

Nothing here knows MkDocs: docs/hooks.py hands the pages over.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jinja2
import jinja2.nodes

from tunelings import repository
from tunelings.course import CourseError

WORDS_A_MINUTE, MINUTES_A_BLOCK = 200, 1.5  # A block's output is to be predicted before it is run.
RUN = 'python title="run"'
# What nobody reads as prose: code, what jinja2 replaces, formulas, comments, and where a link leads.
NO_PROSE = re.compile(
    r"^```.*?^```$|\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}|\$\$.*?\$\$|\$[^$\n]+\$|<!--.*?-->|\]\([^)]*\)",
    re.DOTALL | re.MULTILINE,
)
WORD = re.compile(r"[^\W\d_][\w'’-]*")


class Missing(jinja2.StrictUndefined):
    """What a page asks for and nobody has: an error as soon as it is used, with the keys that are there."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, Mapping):
            return f"no key {self._undefined_name!r}; there are {', '.join(map(repr, self._undefined_obj))}"
        if isinstance(self._undefined_obj, list):
            return f"no entry {self._undefined_name!r} in a list of {len(self._undefined_obj)}"
        return super()._undefined_message


def number(value: object, spec: str) -> str:
    """The filter of the pages: a number in a format of Python, `0.173 | number(".2f")` is 0.17.

    Raises TypeError for what is no number (bool, None, text) and ValueError for a format that there is not.
    """
    if isinstance(value, jinja2.Undefined):
        str(value)  # Missing raises, and names the key.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"number({spec!r}) wants a number, not {value!r}")
    return format(value, spec)


def shown(value: object) -> object:
    """What an expression may leave in a page: text and numbers, never a None, a table or a method."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | jinja2.Undefined):
        raise TypeError(f"neither a number nor text: {value!r}")
    return value


ENVIRONMENT = jinja2.Environment(
    undefined=Missing,
    finalize=shown,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)
ENVIRONMENT.filters["number"] = number
for name in ("default", "d"):  # They would hide a key that is missing.
    del ENVIRONMENT.filters[name]


def render(source: str, page: str, results: Path) -> str:
    """The Markdown of a page with its numbers filled in.

    `page` is its path below docs/, such as "module01/evaluate.md"; `results` is the folder of the result files.
    Raises CourseError, one line that names the page, the line, the expression and what is wrong with it.
    """
    measured, measured_by = own_results(page, results), reader(results)
    try:
        known = {"measured": measured, "measured_by": measured_by, "in_colab": in_colab(page)}
        known |= {"minutes": minutes_of(source), "repository": repository.address()}
        known["is_measured"] = lambda script: (results / f"{script}.json").is_file()
        return ENVIRONMENT.from_string(parse(source)).render(known)
    except jinja2.TemplateSyntaxError as error:
        text = source.splitlines()[error.lineno - 1].strip()
        raise CourseError(f"docs/{page}, line {error.lineno}: {text}: {error.message}") from None
    except Exception as error:  # Whatever an expression raises is the page's fault.
        line = failing_line(error)
        words = " ".join(str(error).split()) or repr(error)
        raise CourseError(f"docs/{page}, line {line}: {failing_expression(source, line, words)}: {words}") from None


def minutes_of(source: str) -> int:
    """How long a page takes: its words at 200 a minute, and a minute and a half for each block that is run."""
    words = len(WORD.findall(NO_PROSE.sub(" ", source)))
    return max(1, round(words / WORDS_A_MINUTE + MINUTES_A_BLOCK * source.count(f"```{RUN}\n")))


def parse(source: str) -> jinja2.nodes.Template:
    """The page as jinja2 reads it; TemplateSyntaxError also for what could leave an empty place without a word."""
    tree = ENVIRONMENT.parse(source)
    for condition in tree.find_all(jinja2.nodes.CondExpr):
        if condition.expr2 is None:  # jinja2 makes an empty text of it, in spite of `undefined`.
            raise jinja2.TemplateSyntaxError("an if in an expression needs its else", condition.lineno)
    return tree


def own_script(page: str) -> str:
    """The name of the script that measures for a page: module01_training_step for module01/training-step.md."""
    return page.removesuffix(".md").replace("/", "_").replace("-", "_")


def in_colab(page: str) -> str:
    """The address at which Colab opens a page's notebook: notebooks/module01_mnist_from_scratch.ipynb."""
    return repository.in_colab(f"notebooks/{own_script(page)}.ipynb")


def own_results(page: str, results: Path) -> object:
    """The results of a page's own script; an error only when used, since many pages have no script."""
    path = results / f"{own_script(page)}.json"
    if not path.is_file():
        return Missing(hint=f"there is no figures/results/{path.name}")
    return load(path)


def reader(results: Path) -> Callable[[str], object]:
    """The function `measured_by` of the pages: a script's name -> its results."""

    def measured_by(script: str) -> object:
        path = results / f"{script}.json"
        if not path.is_file():
            raise CourseError(f"there is no figures/results/{path.name}")
        return load(path)

    return measured_by


def load(path: Path) -> object:
    """A result file; CourseError where it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"figures/results/{path.name} cannot be read as JSON: {error}") from None


def failing_line(error: Exception) -> int:
    """The line of the page at which an error was raised: jinja2 puts it into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno or 0 for frame in frames if frame.filename == "<template>"][-1]


def expressions(source: str) -> Iterator[tuple[int, int, str]]:
    """Every `{{ … }}` and `{% … %}` of a page: its first line, its last, its text."""
    text, first = "", 0
    for line, kind, value in ENVIRONMENT.lex(source):
        if kind in ("variable_begin", "block_begin"):
            text, first = "", line
        text += value
        if kind in ("variable_end", "block_end"):
            yield first, line, text.strip()


def failing_expression(source: str, line: int, words: str) -> str:
    """The expression of that line which holds what the error's words quote; all of the line where none does."""
    there = [text for first, last, text in expressions(source) if first <= line <= last]
    quoted = re.findall(r"'([^']+)'", words.partition(";")[0])
    return " ".join([text for text in there if any(one in text for one in quoted)] or there)
