"""The site, served to a real browser: fixtures of the tests that need one, and the marks of their modules."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
IN_BROWSER = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(900),  # On a loaded machine a page takes seconds.
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


# Each page reads the whole index anew, which is a third of what it costs to open one.
FIELDS = {name: {"boost": 1.0} for name in ("title", "text", "tags")}
EMPTY_INDEX = {"config": {"lang": ["en"], "separator": r"\s+", "pipeline": [], "fields": FIELDS}, "docs": []}


def context_of(browser, *, searches: bool = True, **settings):
    """A context that waits as long as a loaded machine needs."""
    context = browser.new_context(**settings)
    context.set_default_timeout(300_000)
    if not searches:
        context.route("**/search_index.json", lambda route: route.fulfill(json=EMPTY_INDEX))
    return context


@pytest.fixture
def page(browser) -> Iterator:
    context = context_of(browser, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
