"""The site in a real browser: the status that ticks itself, the quiz by keyboard, a phone, no network, axe-core."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COURSE, MKDOCS_ENVIRONMENT, ROOT
from tests.support import classes
from tests.support.browsing import IN_BROWSER, context_of
from tests.test_site import html_pages
from tunelings.classroom import outputs
from tunelings.course import MODULES

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = IN_BROWSER


def paths(site: Path) -> list[str]:
    found = [page.relative_to(site).as_posix().removesuffix("index.html") for page in html_pages(site)]
    return [path for path in found if path != "404.html"]


# What a contract holds that is cut off at its right, and code that runs below the button that copies it.
CUT = (
    "[...document.querySelectorAll('.signature code, .contract p')].some(one => one.scrollWidth > one.clientWidth + 1)"
)
COVERED = """[...document.querySelectorAll('pre > code')].some(code => {
  const button = code.parentElement.querySelector('button');
  return button && code.getBoundingClientRect().right > button.getBoundingClientRect().left + 1;
})"""
SCROLLED = "[...document.querySelectorAll('.formula')].some(one => one.scrollWidth > one.clientWidth + 1)"
# A heading with an empty line below its words.
HOLLOW = """[...document.querySelectorAll('article :is(h1, h2, h3)')].some(heading => {
  const words = document.createRange();
  words.selectNodeContents(heading.firstChild);
  return heading.getBoundingClientRect().bottom - words.getBoundingClientRect().bottom > 12;
})"""
# A name in a table that goes on in the next line.
BROKEN = """[...document.querySelectorAll('td code')].some(code => {
  const text = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (text.nextNode())
    for (const name of text.currentNode.textContent.matchAll(/\\w{4,}/g)) {
      range.setStart(text.currentNode, name.index);
      range.setEnd(text.currentNode, name.index + name[0].length);
      if (range.getClientRects().length > 1) return true;
    }
  return false;
})"""


@pytest.fixture(scope="session")
def walk(browser, address, site) -> dict[str, list[str]]:
    """What is wrong with any page, as a phone shows it; each page is opened once."""
    found: dict[str, list[str]] = {
        "asked elsewhere": [],
        "errors": [],
        "wide": [],
        "cut": [],
        "scrolled": [],
        "covered": [],
        "broken": [],
        "hollow": [],
    }
    context = context_of(browser, searches=False, viewport={"width": 360, "height": 740})
    page = context.new_page()

    def hear(request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            found["asked elsewhere"].append(request.url)

    page.on("request", hear)
    page.on("console", lambda message: found["errors"].append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found["errors"].append(str(error)))
    for path in paths(site):
        page.goto(f"{address}/{path}")
        found["wide"] += [path] * page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        found["cut"] += [path] * page.evaluate(CUT)
        found["scrolled"] += [path] * page.evaluate(SCROLLED)
        found["broken"] += [path] * page.evaluate(BROKEN)
        found["hollow"] += [path] * page.evaluate(HOLLOW)
        found["covered"] += [path] * page.evaluate(COVERED)
    context.close()
    return found


def test_every_page_asks_this_site_alone_and_logs_no_error(walk):
    assert (walk["asked elsewhere"], walk["errors"]) == ([], [])


def test_no_page_is_wider_than_a_phone_no_contract_or_formula_is_cut_off_and_no_code_is_covered(walk):
    assert {what: walk[what] for what in ("wide", "cut", "scrolled", "covered", "broken", "hollow") if walk[what]} == {}


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_screen_has_the_command_the_cost_and_three_routes(browser, address, width, height):
    context = context_of(browser, viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(address)
    wanted = [page.locator(".hero pre").first, page.locator(".cost"), *page.locator(".routes li").all()]
    ends = [one.bounding_box()["y"] + one.bounding_box()["height"] for one in wanted]
    heights = page.evaluate("[...document.querySelectorAll('.hero img.loop')].map(one => one.clientHeight)")
    context.close()
    assert len(wanted) == 5 and max(ends) <= height
    assert len(heights) == 1 and 0 < heights[0] < 600, "as large as site.css lets it be"


def test_the_moving_picture_shows_something_where_nothing_moves(browser, address):
    context = context_of(browser, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/assets/loop-dark.svg")
    shown = page.evaluate("[...document.querySelectorAll('.frame')].map(one => getComputedStyle(one).opacity)")
    context.close()
    assert shown == ["0", "1", "0"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser, address, scheme):
    """In the dark scheme colors alone: the rest of a page is the same."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}

    context = context_of(browser, searches=False, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    first = COURSE.module("module03")[0]
    faults = {}
    for path in [
        "",
        "status/",
        "quick-start/",
        "hardware/",
        "decide/",
        "glossary/",
        "verdicts/",
        "module01/",
        "module01/quiz/",
        "module01/cross-entropy/",
        "module05/choose-approach/",
        "background/transformer/",
        "background/libraries/",
        f"{first.module}/{first.card.lesson}/",
    ]:
        page.goto(f"{address}/{path}")
        page.evaluate("document.querySelectorAll('article details').forEach(one => one.open = true)")
        found = Axe().run(page, options=options).response["violations"]
        serious = {f["id"]: f["nodes"][0]["html"][:120] for f in found if f["impact"] in {"serious", "critical"}}
        if serious:
            faults[path] = serious
    context.close()
    assert faults == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_sheet_is_printed_on_one_page_and_nothing_runs_out_of_its_column(page, address, module):
    page.goto(f"{address}/{module}/sheet/")
    page.set_viewport_size({"width": 700, "height": 1000})  # Narrower than A4 and Letter without their margins.
    page.emulate_media(media="print")
    parts = page.locator(".sheet :is(.formula, table)")
    wide = "parts => parts.filter(e => e.scrollWidth > e.closest('.sheet').clientWidth / 2).map(e => e.textContent)"
    assert parts.evaluate_all(wide) == []
    for paper in ("A4", "Letter"):
        assert pages_of(page.pdf(format=paper)) == 1, paper


def test_a_page_that_is_too_long_for_one_sheet_is_seen(page):
    page.set_content("<p style='break-after: page'>one</p><p>two</p>")
    assert pages_of(page.pdf(format="A4")) == 2


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of Chromium has, which writes its page objects uncompressed."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_the_quiz_is_answered_with_the_keyboard_and_the_first_try_counts(page, address):
    page.goto(f"{address}/module01/quiz/")
    question = page.locator(".question").first
    reasons, score = question.locator(".why"), page.locator(".score")
    assert not any(reasons.nth(i).is_visible() for i in range(reasons.count()))
    question.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert question.locator("input:checked").count() == 0, "an arrow has chosen"
    page.keyboard.press("Space")
    assert reasons.nth(0).is_visible() and not reasons.nth(1).is_visible()
    assert reasons.nth(0).inner_text().startswith("✗ No.") and score.inner_text().startswith("0 of ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert reasons.nth(1).inner_text().startswith("✓ Right.") and not reasons.nth(0).is_visible()
    assert score.inner_text().startswith("0 of ") and "1 answered" in score.inner_text()
    page.locator(".question").nth(1).locator(".right input").check()
    assert score.inner_text().startswith("1 of ")


def test_a_card_is_held_against_the_hardware_table(page, address):
    page.goto(f"{address}/hardware/")
    fits = page.locator("[data-gib]")
    assert set(fits.all_text_contents()) == {""}
    page.select_option("#card", label="RTX 4060 Ti (16 GB)")
    needed = [float(gib) for gib in fits.evaluate_all("all => all.map(one => one.dataset.gib)")]
    said = [text == "✓ fits" for text in fits.all_text_contents()]
    assert said == [gib <= 16 * 0.94 for gib in needed] and len(set(said)) == 2


@pytest.mark.parametrize(
    ("words", "number"),
    [("zero_grad", "1.05"), ("overfitting", "2.06"), ("QLoRA", "3.05"), ("1.07", "1.07"), ("Dataloader", "1.10")],
)
def test_search_finds_the_lesson_on(page, address, words, number):
    exercise = COURSE.find(number)
    page.goto(address)
    search = page.locator(".md-search__input").first
    search.fill(words)
    search.press("End")  # The search listens to keys that go up; what is only filled in, it may miss.
    page.wait_for_selector(".md-search-result__item a", timeout=300_000)
    links = page.locator(".md-search-result__item > a")
    found = list(dict.fromkeys(links.evaluate_all("all => all.map(one => new URL(one.href).pathname)")))
    assert f"/{exercise.module}/{exercise.card.lesson}/" in found[:3]


def test_the_published_status_page_is_the_empty_checklist_and_asks_for_nothing(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/status/")
    page.wait_for_timeout(1500)
    assert page.locator("article li:has-text('☐ TODO')").count() == len(COURSE.exercises) + 1  # and the legend
    assert not any("status.json" in url for url in asked)


def test_a_solved_exercise_ticks_its_box_while_the_page_is_open(page, course_copy):
    for name in ("docs", "figures", "tunelings"):
        shutil.copytree(ROOT / name, course_copy.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, course_copy.root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from tunelings.commands.cli import main; main()", "site", "--port", str(port)]
    serving = subprocess.Popen(command, cwd=course_copy.root, env=MKDOCS_ENVIRONMENT, stdout=subprocess.DEVNULL)
    try:
        open_when_served(page, f"http://127.0.0.1:{port}/status/")
        exercise = course_copy.find("1.01")
        box = page.locator("article li [data-exercise='1.01']")
        playwright.expect(box).to_have_text("☐ TODO", timeout=300_000)
        exercise.answer_path.write_text(exercise.solution_path.read_text(encoding="utf-8"), encoding="utf-8")
        playwright.expect(box).to_have_text("◐ in progress", timeout=300_000)
        check = [sys.executable, "-m", "pytest", "-q", "checks/module01/test_ex01_forward_pass.py"]
        subprocess.run(check, cwd=course_copy.root, check=True, capture_output=True)
        playwright.expect(box).to_have_text("☑ done", timeout=300_000)
        playwright.expect(page.locator("[data-done='module01']")).to_have_text("1")
    finally:
        serving.terminate()
        serving.wait(timeout=120)


def open_when_served(page, url: str) -> None:
    """The server answers once the site is built."""
    for _ in range(120):
        try:
            page.goto(url)
            return
        except playwright.Error:
            page.wait_for_timeout(500)
    raise AssertionError(f"{url} never answered")


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_the_report_on_a_class_is_readable_and_asks_for_nothing(browser, tmp_path: Path, scheme: str, width: int):
    from axe_playwright_python.sync_playwright import Axe

    failing = [classes.failed(f"s{n}", why=classes.failure("`x` " * 40), answer_hash="long") for n in range(6)]
    klass = classes.klass([*failing, *(classes.passed(f"p{n}") for n in range(20))])
    outputs.write_all(klass, tmp_path / "out", names={}, answers={"long": "x = 1  # " + "long " * 60})
    context = context_of(browser, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("report.html", "report-to-share.html"):
        page.goto((tmp_path / "out" / name).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = Axe().run(page).response["violations"]
        assert {fault["id"]: fault["nodes"][0]["html"][:120] for fault in found} == {}
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, "only tables and answers scroll sideways"
    context.close()
    assert len(asked) == 2 and all(url.startswith("file://") for url in asked)
