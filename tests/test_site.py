"""The site as it is published: built once, then read file by file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.config import load_config

from tests.conftest import COURSE, ROOT
from tunelings import questions
from tunelings.commands import quiz
from tunelings.course import MODULES, CourseError

# Attributes by which a page loads something by itself, without a click.
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class Links(HTMLParser):
    """What a page loads, where it leads, and the anchors it has."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "link" and found.get("rel") in {"canonical", "next", "prev"}:
            return
        if found.get(LOADS.get(tag, "")):
            self.loads.append(found[LOADS[tag]])
        if tag == "a" and found.get("href"):
            self.leads.append(found["href"])
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}


def html_pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_it_builds_without_a_warning(site: Path, record_property):
    seconds = float((site / "seconds").read_text(encoding="utf-8"))
    record_property("counted", f"the site is built in {seconds:.1f} s")  # For who reads it: no test hangs on a clock.
    assert (site / "index.html").is_file()


def test_no_page_is_larger_than_300_kb(site: Path):
    assert {page.relative_to(site).as_posix() for page in html_pages(site) if page.stat().st_size > 300_000} == set()


def test_every_exercise_has_its_page_with_contract_and_mistakes(site: Path):
    for exercise in COURSE.exercises:
        text = (site / exercise.module / exercise.card.lesson / "index.html").read_text(encoding="utf-8")
        assert f'data-exercise="{exercise.number}"' in text
        assert all(f"<code>{mistake.id}</code>" in text for mistake in exercise.card.mistakes)


def test_no_mark_is_left_in_a_page(site: Path):
    for page in html_pages(site):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<!-- (exercise|mistakes|exercises|modules|checklist|quiz|glossary) -->", text), page
        without_code = re.sub(r"<(code|pre|script)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"\{\{|\{%|%\}", without_code), page


class Words(HTMLParser):
    """The text that a reader sees: in code, in blocks of it, and elsewhere."""

    UNSEEN = frozenset({"script", "style", "template"})
    CODE = frozenset({"code", "pre", "math"})

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.prose, self.code, self.blocks = "", "", ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in self.UNSEEN | self.CODE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
            self.code += "\n"

    def handle_data(self, data):
        if not self.open:
            self.prose += data
        elif not self.UNSEEN & set(self.open):
            self.code += data
            self.blocks += data if "pre" in self.open else ""


# What Markdown or a template leaves behind where it is not understood.
RAW_PROSE = re.compile(
    r"^===|^!!!|^\?\?\?|```|\{\{|\}\}|\{%|\{:|\{\s*[.#][\w-]|&\w+;|&#\d+;|\*\*[A-Za-z]|`|\]\(|\|\s*---|^#{1,6} "
    r"|^\s*\*\[",
    re.MULTILINE,
)
# In code a template's braces can be meant; 4.03 is about entities, so it may name some, but never a `<`.
RAW_CODE = re.compile(r"&lt;|&gt;|\\\|")
RAW_BLOCKS = re.compile(r'^\s*=== "|^\s*```', re.MULTILINE)
# A number of a list that has become a part of the paragraph above it.
RAW_ITEM = re.compile(r"^\d\. .{20}", re.MULTILINE)


def test_no_page_shows_raw_markdown(site: Path):
    found = {}
    for page in html_pages(site):
        text = page.read_text(encoding="utf-8")
        words = Words(text)
        raw = {*RAW_PROSE.findall(words.prose), *RAW_CODE.findall(words.code), *RAW_BLOCKS.findall(words.blocks)}
        raw |= {*RAW_ITEM.findall(re.sub(r"<pre\b.*?</pre>", "", text, flags=re.DOTALL))}
        if raw:
            found[page.relative_to(site).as_posix()] = raw
    assert found == {}


# British spellings by their stems; `Judgement` is the name of a class in the signatures of 5.07.
BRITISH = re.compile(
    r"\b(?!Judgement\b)\w*(?:(?:quant|standard|normal|recogn|initial|memor|penal|stabil|token|optim|organ|summar|general"
    r"|regular|special|minim|maxim|util|real|categor|random|parametr|serial|synchron|custom)is(?:e|ed|es|er|ers|ing|ations?)\b"
    r"|behaviour|neighbour|colour|favour|flavour|honour|labell|modell(?:ed|ing)|cancelled|licence|judgement|learnt\b|spelt\b"
    r"|\bgrey\b|\bcentre\b|catalogue|artefact|analyse|\btowards\b|programme\b|fulfil\b|whilst)\w*",
    re.IGNORECASE,
)


def test_every_page_and_card_is_in_american_spelling(site: Path):
    texts = {page.relative_to(site).as_posix(): words_of(page) for page in html_pages(site)}
    for exercise in COURSE.exercises:
        texts[exercise.card_path.name] = exercise.card_path.read_text(encoding="utf-8").replace("\nlearnt = ", "\n")
    found = {name: set(BRITISH.findall(text)) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}


def words_of(page: Path) -> str:
    words = Words(page.read_text(encoding="utf-8"))
    return f"{words.prose}\n{words.code}"


def test_the_navigation_says_what_the_page_is_called(site: Path):
    text = (site / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^":#]*)" class="md-nav__link[^"]*">\s*<span class="md-ellipsis">\s*(.*?)\s*<', text)
    assert len(links) > len(COURSE.exercises)
    for url, label in links:
        page = (site / url / "index.html").read_text(encoding="utf-8")
        heading = re.sub(r"<.*?>|¶|&para;", "", re.search(r"<h1.*?>(.*?)</h1>", page, flags=re.DOTALL)[1])
        named = re.sub(r"^\d\S*( ·)? ", "", label)
        assert heading == named or (named in {"Home", "Quiz", "Sheet"}), url


def test_a_term_of_the_glossary_is_marked_once_and_in_no_heading(site: Path):
    marks = 0
    for page in html_pages(site):
        text = page.read_text(encoding="utf-8")
        terms = re.findall(r'<abbr title="([^"]*)"', text)
        marks += len(terms)
        assert len(terms) == len(set(terms)), page
        assert not re.search(r"<h[1-6](?:(?!</h).)*<abbr", text, flags=re.DOTALL), page
    assert marks > len(COURSE.exercises)


def test_no_separator_is_left_at_an_end(site: Path):
    for page in html_pages(site):
        assert not re.search(r"·\s*(<span[^>]*></span>\s*)*</(p|li|td)>", page.read_text(encoding="utf-8")), page


def test_the_mistakes_are_folded_and_come_after_the_exercise(site: Path):
    for exercise in COURSE.exercises:
        text = (site / exercise.module / exercise.card.lesson / "index.html").read_text(encoding="utf-8")
        contract, mistakes = text.index('class="contract"'), text.index('<details class="bug">')
        assert contract < mistakes < text.index(f"<code>{exercise.card.mistakes[0].id}</code>"), exercise.number


def test_nothing_is_loaded_from_elsewhere(site: Path):
    for page in html_pages(site):
        found = Links(page.read_text(encoding="utf-8"))
        assert [url for url in found.loads if re.match(r"(https?:)?//", url)] == [], page
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert re.findall(r"url\([\"']?(?:https?:)?//|@import", text) == [], style
    for picture in site.rglob("*.svg"):
        assert (
            re.findall(r"(?:href|src)=[\"']https?://|url\([\"']?https?://", picture.read_text(encoding="utf-8")) == []
        )


def test_every_inner_link_and_anchor_is_there(site: Path):
    found = {page: Links(page.read_text(encoding="utf-8")) for page in html_pages(site)}
    broken = []
    for page, links in found.items():
        if page.name == "404.html":
            continue
        for url in links.leads:
            if re.match(r"[a-z]+:|//", url):
                continue
            path, _, anchor = url.partition("#")
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (not anchor or target not in found or anchor in found[target].anchors)
            if not there:
                broken.append(f"{page.relative_to(site)} -> {url}")
    assert broken == []


def test_the_lesson_that_a_failure_names_is_a_page(site: Path):
    for exercise in COURSE.exercises:
        assert (site / exercise.module / exercise.card.lesson / "index.html").is_file()
        assert (
            exercise.lesson_path.relative_to(ROOT / "docs").as_posix() == f"{exercise.module}/{exercise.card.lesson}.md"
        )


def test_no_formula_is_left_half_translated(site: Path):
    for page in html_pages(site):
        for formula in re.findall(r"<math.*?</math>", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            assert "\\" not in formula and "<mi>&</mi>" not in formula, f"{page.relative_to(site)}: {formula}"
            assert "<mo>&#x0003D;</mo><mo>&#x02212;</mo>" not in formula, "the sign of a number stands apart from it"


def test_no_line_begins_with_the_end_of_a_formula_of_a_number_or_of_an_option(site: Path):
    """A browser may break a line on both sides of a formula, and after the dashes of 1e-5 and --seed."""
    for page in html_pages(site):
        text = page.read_text(encoding="utf-8")
        bare = re.sub(r'<span class="unbroken">.*?</span>', "", text, flags=re.DOTALL)
        loose = re.search(r"[(\[]<math.{200}|.{200}</math>[.,;:!?)]", bare, flags=re.DOTALL)
        assert not loose, f"{page.relative_to(site)}: {loose[0]}"
        article = text.partition("<article")[2].partition("</article>")[0]
        breakable = re.sub(r'<pre\b.*?</pre>|<span class="unbroken">.*?</span>|<[^>]*>', "", article, flags=re.DOTALL)
        assert not re.search(r"\de-\d|(?<![\w-])--[a-z]", breakable), page.relative_to(site)


def test_a_formula_and_a_path_go_on_in_the_next_line_where_their_parts_end(site: Path):
    lesson = (site / "module03" / "dpo-loss" / "index.html").read_text(encoding="utf-8")
    formulas = re.findall(r'<div class="formula" tabindex="0">(.*?)</div>', lesson, flags=re.DOTALL)
    assert [formula.count("<math") for formula in formulas] == [3]
    assert "<code>exercises/<wbr>module03/<wbr>ex11_dpo_loss.py</code>" in lesson
    assert "pytest checks/module03/test_ex11_dpo_loss.py" in lesson, "what is copied has no marks in it"


def test_every_picture_has_words_for_those_who_cannot_see_it():
    for page in (ROOT / "docs").rglob("*.md"):
        for alt in re.findall(r"!\[(.*?)\]\(", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            assert len(alt.split()) >= 5, f"{page}: {alt!r}"


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_a_quiz_whose_every_choice_has_a_reason(module: str):
    asked = questions.load(questions.path_of(ROOT, module))
    assert 5 <= len(asked) <= 8
    for question in asked:
        assert 3 <= len(question.choices) <= 5 and all(len(choice.why.split()) >= 4 for choice in question.choices)
    # Who always takes the first, or the longest, learns nothing of judgment.
    first = [question.choices[0].right for question in asked]
    longest = [max(question.choices, key=lambda choice: len(choice.says)).right for question in asked]
    assert sum(first) < len(first) / 2 + 1 and sum(longest) <= len(longest) / 2 + 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("questions = [", "can't be read as a quiz"),
        ("[[questions]]\nasks = 'x'\nchoices = []\n", "question 1 must have exactly one right choice"),
        ("[[questions]]\nchoices = []\n", "can't be read as a quiz: 'asks'"),
    ],
)
def test_a_broken_quiz_is_one_line(tmp_path: Path, text: str, says: str):
    (tmp_path / "module01.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError) as raised:
        questions.load(tmp_path / "module01.toml")
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_the_terminal_asks_until_the_answer_is_right_and_counts_first_tries():
    choices = (questions.Choice("one", False, "It tempts."), questions.Choice("two", True, "It holds."))
    shown: list[str] = []
    said = iter(["x", "a", "B", "b"])
    right = quiz.ask(
        [questions.QuizQuestion("First?", choices), questions.QuizQuestion("Second?", choices)],
        shown.append,
        lambda _: next(said),
    )
    assert right == 1
    assert "   No. It tempts." in shown and shown.count("   Right. It holds.") == 2


@pytest.mark.parametrize("address", ["https://somebody.github.io/tunelings/", None])
def test_the_published_site_knows_its_address_and_the_one_at_home_has_none(monkeypatch, address: str | None):
    monkeypatch.delenv("SITE_URL", raising=False)
    if address:
        monkeypatch.setenv("SITE_URL", address)
    assert (load_config(str(ROOT / "mkdocs.yml")).site_url or None) == address
