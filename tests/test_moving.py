"""What can be moved on the site, in a real browser: calculator, pictures, tree; with and without scripts."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict

import pytest

from tests.conftest import ROOT
from tests.support.browsing import IN_BROWSER
from tunelings import loading
from tunelings.handson import memory

pytestmark = IN_BROWSER


def test_the_calculator_has_the_sums_of_python(page):
    page.set_content("<p>")
    page.add_script_tag(path=ROOT / "docs" / "assets" / "calculator.js")
    kinds = itertools.product(memory.PRESETS.values(), memory.METHODS, [False, True], [False, True], [False, True])
    optimizers = itertools.cycle(memory.OPTIMIZER_BYTES)
    runs = [
        memory.Run(sizes, method, float32, 3, 700, checkpointing, stored, next(optimizers), rank=9)
        for sizes, method, float32, checkpointing, stored in kinds
    ]
    script = "runs => runs.map(run => trainingMemory(run).map(({name, gib}) => [name, gib]))"
    for run, parts in zip(runs, page.evaluate(script, [asdict(run) for run in runs]), strict=True):
        assert dict(parts) == pytest.approx(run.parts()), run


def test_the_calculator_is_filled_in_by_keyboard_and_says_fits_tight_or_not(page, address):
    page.goto(f"{address}/hardware/")
    said, total = page.locator("#calculator .verdict"), page.locator("#calculator tbody tr").last
    page.select_option("#gpu", label="RTX 4060 Ti (16 GB)")
    assert said.inner_text().startswith("△ Tight: about 14.3 GiB of 15.0")
    page.locator("#method").focus()
    page.keyboard.press("End")
    needed = sum(memory.Run(memory.PRESETS["Llama 2 7B"], "qlora").parts().values())
    assert said.inner_text().startswith("✓ Fits") and total.inner_text().endswith(f"{needed:.2f}")
    page.fill("#tokens", "65536")
    assert said.inner_text().startswith("✗ Does not fit")
    page.fill("#tokens", "1.5")
    assert said.inner_text() == "Tokens in a sequence: a whole number of at least 1, please."
    page.fill("#tokens", "512")
    page.locator("#calculator summary").click()
    page.fill("#size_layers", "1")
    assert page.locator("#model").input_value() == "" and page.locator(".parameters").inner_text() == "464.5 million"


def test_pictures_that_move_have_the_sums_of_the_exercises(page, address):
    page.goto(f"{address}/module03/lora-linear/")
    caption, drawn = page.locator("#moving-lora figcaption"), page.locator("#moving-lora .up")
    before = float(drawn.get_attribute("width"))
    page.locator("#lora-rank").focus()
    page.keyboard.press("ArrowRight")
    adapter = loading.reference("3.02").lora_parameters({"q_proj": (576, 576)}, 9, ["q_proj"])
    assert f"of rank 9 have {adapter:,}" in caption.inner_text() and float(drawn.get_attribute("width")) > before
    page.goto(f"{address}/module02/learning-rate-schedule/")
    schedule = loading.reference("2.05")
    for step, warmup in itertools.product([0, 3, 40, 77, 399, 450], [0, 40]):
        shares = page.evaluate(
            "([s, w]) => ['linear', 'cosine'].map(k => shareOfPeak(k, s, w, 400, 0.2))", [step, warmup]
        )
        linear, cosine = (
            schedule.warmup_then_linear(step, warmup, 400),
            schedule.cosine_with_floor(step, warmup, 400, 0.2),
        )
        assert shares == pytest.approx([linear, cosine])
    page.select_option("#schedule-kind", "linear")
    assert "Step 400: 0.00." in page.locator("#moving-schedule figcaption").inner_text()


def test_without_scripts_the_pictures_stand_and_the_tree_opens(browser, address):
    def shown(page) -> dict[str, list[str]]:
        found = {}
        for path in ("module03/lora-linear/", "module02/learning-rate-schedule/"):
            page.goto(f"{address}/{path}")
            svg = page.locator(".moving svg").inner_html()
            found[path] = [
                page.locator(".moving figcaption").inner_text(),
                *re.findall(r'(?:points|width)="(.*?)"', svg),
            ]
        return found

    plain, scripted = browser.new_context(java_script_enabled=False), browser.new_context()
    page = plain.new_page()
    assert [
        float(n) for one in shown(page).values() for text in one[1:] for n in re.split("[ ,]", text)
    ] == pytest.approx(
        [float(n) for one in shown(scripted.new_page()).values() for text in one[1:] for n in re.split("[ ,]", text)]
    )
    page.goto(f"{address}/hardware/")
    assert not page.locator("#calculator").is_visible() and page.locator("article table").first.is_visible()
    page.goto(f"{address}/decide/")
    for depth, answer in enumerate(("Yes", "No", "No", "It knew, but")):
        answers = page.locator(f".tree {'> details[open] ' * depth}> details > summary")
        answers.filter(has_text=re.compile(f"^{answer}")).click()
    assert page.get_by_text("50 or more examples of the form").is_visible()
    plain.close(), scripted.close()
