"""README.md as a stranger meets it: on GitHub, where it takes two screens at most."""

from __future__ import annotations

import re

import markdown

from tests.conftest import ROOT
from tests.support.browsing import IN_BROWSER

pytestmark = IN_BROWSER
SCREEN = 1080
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What decides the height in github-markdown-css: the column of a repository's front page, its sizes and its margins.
GITHUB = """
* { box-sizing: border-box; }
body { margin: 0; }
article { max-width: 1012px; padding: 32px; line-height: 1.5;
  font: 16px/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
p, ul, pre, table { margin: 0 0 16px; }
h1, h2 { margin: 24px 0 16px; padding-bottom: .3em; border-bottom: 1px solid; font-weight: 600; line-height: 1.25; }
h1 { font-size: 2em; }
h2 { font-size: 1.5em; }
article > :first-child { margin-top: 0; }
article > :last-child { margin-bottom: 0; }
ul { padding-left: 2em; }
li + li { margin-top: .25em; }
code, pre { font: 13.6px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { padding: .2em .4em; }
pre { padding: 16px; overflow: auto; background: #f6f8fa; }
pre code { padding: 0; }
table { border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid; }
img { max-width: 100%; }
"""


def as_on_github(text: str) -> str:
    article = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists"])
    base = f"<base href='{ROOT.as_uri()}/'>"
    return f"<!doctype html><meta charset='utf-8'>{base}<style>{GITHUB}</style><article>{article}</article>"


def height(browser, tmp_path, text: str) -> float:
    """How many pixels a README takes, once its picture is there."""
    (tmp_path / "readme.html").write_text(as_on_github(text), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": SCREEN})
    page.goto((tmp_path / "readme.html").as_uri())
    assert page.evaluate("[...document.images].map(one => one.naturalWidth > 0)") == [True]
    found = page.locator("article").bounding_box()["height"]
    page.close()
    return found


def test_the_readme_is_under_two_screens(browser, tmp_path):
    assert height(browser, tmp_path, README) <= 2 * SCREEN


def test_a_picture_without_a_width_is_seen_to_take_more(browser, tmp_path):
    assert height(browser, tmp_path, re.sub(r' width="\d+"', "", README)) > 2 * SCREEN
