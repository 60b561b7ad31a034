"""MkDocs hook: puts what is made from the course's files where the pages ask for it.

Every page is a jinja2 template that takes its measured numbers from figures/results/ (tunelings/lessons.py). Then what
tunelings/pages.py makes is put in the place of marks. A lesson holds two: `<!-- exercise -->` (the contract and the
commands) and `<!-- mistakes -->` (the known mistakes, folded). The others stand in `marks_of`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache, partial
from html import unescape
from pathlib import Path

import latex2mathml.converter
from mkdocs.exceptions import PluginError

from tunelings import lessons, pages
from tunelings.course import MODULES, Course, CourseError, Exercise, module_number
from tunelings.grading.code import code_hash
from tunelings.grading.store import Progress
from tunelings.handson import hardware, memory

# What arithmatex makes of $…$ and $$…$$, and the punctuation on both sides.
FORMULA = re.compile(
    r"(?P<before>[(\[]*)"
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>(?P<after>[.,;:!?)]*)',
    re.DOTALL,
)
# A minus that follows no number and no name; a browser would set it apart from what it negates, as between two terms.
SIGN = re.compile(r"(?P<before>(?:x00028;|x0002C;|x0003D;|x02260;|[(\[])</mo>)<mo>(?=&#x02212;)")
# A function's name, and what it is applied to without parentheses.
NAMED = re.compile(r"(?P<name><mi>(?:cos|exp|ln|log|sin)</mi>)(?=<m(?:i|n|sub|frac)\b)")
# What a browser would break: a number at its minus, an option after its dashes.
WHOLE = re.compile(r"\d[\d.]*e-\d+|(?<![\w-])--[a-z][\w-]*")
# Where a long path or address may go on in the next line.
SLASH = re.compile(r"(?<=\w/)(?=\w)")
# The text between two tags, or a block of code, which stays as it is.
TEXT = re.compile(r"<pre\b.*?</pre>|>[^<>]+<", re.DOTALL)
# A term of the glossary as the extension `abbr` marks it, or a whole heading.
TERM = re.compile(r'<abbr title="(?P<meaning>[^"]*)">(?P<word>.*?)</abbr>|(?P<heading><h[1-6].*?</h[1-6]>)', re.DOTALL)
SEARCH = 'data-md-component="search" role="dialog"'
ROOT = Path(__file__).resolve().parent.parent
COURSE = Course(ROOT)
RESULTS = ROOT / "figures" / "results"
HOME = ROOT / "docs" / "home.toml"
GLOSSARY = ROOT / "docs" / "glossary.toml"
# Pictures with controls, which moving.js shows; without it a picture stands as it is in its file.
MOVING = sorted((ROOT / "docs" / "moving").glob("*.html"))
_live = False


def on_startup(command: str, **_) -> None:
    global _live
    _live = command == "serve"


def on_config(config):
    """The navigation follows the folders, so that a new exercise needs no entry."""
    modules = []
    for module, title in MODULES.items():
        number = module_number(module)
        lessons = [{f"{e.number} {e.title}": f"{module}/{e.card.lesson}.md"} for e in COURSE.module(module)]
        parts = [f"{module}/index.md", *lessons, {"Sheet": f"{module}/sheet.md"}, {"Quiz": f"{module}/quiz.md"}]
        modules.append({f"{number} · {title}": parts})
    config.nav = [*config.extra["before"], *modules, *config.extra["after"]]
    return config


def on_page_read_source(page, **_) -> str:
    """The page with its numbers; here and not later, so that an error names the line of the file."""
    try:
        return lessons.render(page.file.content_string, page.file.src_uri, RESULTS)
    except CourseError as error:
        raise PluginError(str(error)) from None


def on_page_markdown(markdown: str, page, **_) -> str:
    for mark, make in marks_of(page.file.src_uri).items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    if page.file.src_uri.startswith("module"):
        markdown += f"\n\n{pages.tooltips(GLOSSARY)}\n"
    return markdown


def marks_of(src_uri: str) -> dict:
    """What each mark of a page stands for; made only where the page holds the mark."""
    module = src_uri.partition("/")[0]
    marks = {
        "<!-- cost -->": lambda: pages.cost(COURSE),
        "<!-- routes -->": lambda: pages.routes(COURSE, HOME),
        "<!-- modules -->": lambda: pages.module_cards(COURSE, HOME),
        "<!-- checklist -->": lambda: pages.checklist(COURSE),
        "<!-- glossary -->": lambda: pages.glossary(GLOSSARY),
        "<!-- exercises -->": lambda: pages.exercise_table(COURSE, module),
        "<!-- contributing -->": lambda: (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "<!-- hardware -->": lambda: pages.hardware_table(hardware.ROWS, usable_cards()),
        "<!-- cards -->": lambda: pages.card_options(usable_cards()),
        "<!-- presets -->": lambda: pages.model_options(
            {name: asdict(sizes) for name, sizes in memory.PRESETS.items()}, chosen="Llama 2 7B"
        ),
        "<!-- scores -->": lambda: pages.scores(
            RESULTS / "check_quality.json", {exercise.number: code_hash(exercise) for exercise in COURSE.exercises}
        ),
        "<!-- promises -->": lambda: pages.promises_held(COURSE),
        "<!-- scenarios -->": lambda: pages.scenarios(ROOT / "checks" / "module05" / "scenarios.toml"),
        **{f"<!-- moving: {path.stem} -->": partial(path.read_text, encoding="utf-8") for path in MOVING},
        "<!-- quiz -->": lambda: pages.quiz_block(ROOT / "docs" / "quizzes" / f"{module}.toml"),
    }
    if exercise := exercises_by_page().get(src_uri):
        marks["<!-- exercise -->"] = lambda: pages.exercise_block(exercise)
        marks["<!-- mistakes -->"] = lambda: pages.mistakes_table(exercise)
    return marks


def usable_cards() -> dict[str, float]:
    return {name: hardware.usable(gib) for name, gib in hardware.CARDS.items()}


@cache
def exercises_by_page() -> dict[str, Exercise]:
    return {f"{e.module}/{e.card.lesson}.md": e for e in COURSE.exercises}


def on_page_content(html: str, **_) -> str:
    """Formulas as MathML, which browsers draw themselves: no script, no font is loaded. Lines break between words."""
    return TEXT.sub(breaking_well, FORMULA.sub(mathml, marked_once(html)))


def breaking_well(text: re.Match) -> str:
    if text[0].startswith("<pre"):
        return text[0]
    return SLASH.sub("<wbr>", WHOLE.sub(r'<span class="unbroken">\g<0></span>', text[0]))


def marked_once(html: str) -> str:
    """The page with each term of the glossary marked where it first stands, and never in a heading."""
    seen = set()

    def first(match: re.Match) -> str:
        if match["heading"]:
            return re.sub(r"</?abbr\b[^>]*>", "", match[0])
        known = match["meaning"] in seen
        seen.add(match["meaning"])
        return match["word"] if known else match[0]

    return TERM.sub(first, html)


def mathml(match: re.Match) -> str:
    """A formula; one that stands alone is cut at each \\qquad, where it may go on in the next line."""
    tex = unescape(match["tex"]).replace(r"\_", "_")  # The converter leaves the escape in the text.
    if match["tag"] == "span":
        formula = match["before"] + converted(tex, "inline") + match["after"]
        return f'<span class="unbroken">{formula}</span>' if match["before"] or match["after"] else formula
    parts = [part for part in tex.split(r"\qquad") if part.strip()]
    if any(part.count("{") != part.count("}") for part in parts):
        parts = [tex]
    formulas = "".join(converted(part, "block") for part in parts)
    return f'{match["before"]}<div class="formula" tabindex="0">{formulas}</div>{match["after"]}'


def converted(tex: str, display: str) -> str:
    formula = latex2mathml.converter.convert(tex, display=display)
    formula = SIGN.sub(r'\g<before><mo form="prefix">', formula)
    return NAMED.sub(r'\g<name><mspace width="0.17em"/>', formula)


def on_post_page(output: str, **_) -> str:
    """A name for the theme's search dialog; status.js asks for progress only where this server answers."""
    output = output.replace(SEARCH, f'{SEARCH} aria-label="Search"', 1)
    return output.replace("<body", '<body data-live="status.json"', 1) if _live else output


def on_serve(server, **_):
    """While `mkdocs serve` runs, /status.json is the learner's progress as it is at that moment."""
    pages_app = server.get_app()

    def app(environ, start_response):
        if not environ["PATH_INFO"].endswith("/status.json"):
            return pages_app(environ, start_response)
        states = json.dumps(Progress(Course(ROOT)).states()).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [states]

    server.set_app(app)
    return server
