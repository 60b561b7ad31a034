"""What can be moved on the site, in a real browser: calculator, pictures, tree; with and without scripts."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.conftest import ROOT
from tests.support.browsing import IN_BROWSER, context_of
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


def opened(page, name: str):
    """A picture as its file has it, then with its script: the page, and what it showed before and after."""
    page.set_content((ROOT / "docs" / "moving" / f"{name}.html").read_text(encoding="utf-8"))
    shown = []
    for script in (None, ROOT / "docs" / "assets" / "moving.js"):
        if script:
            page.add_script_tag(path=script)
        numbers = " ".join(re.findall(r' (?:points|width|height|x|y)="(.*?)"', page.locator("svg").inner_html()))
        shown.append((page.locator("figcaption").inner_text(), [float(n) for n in re.split("[ ,]", numbers)]))
    return shown


@pytest.mark.parametrize("name", ["lora", "momentum", "schedule", "temperature"])
def test_a_picture_that_nothing_moves_is_the_one_that_its_script_draws_first(page, name):
    (caption, numbers), (caption_drawn, drawn) = opened(page, name)
    assert caption_drawn == caption and drawn == pytest.approx(
        numbers, abs=0.11
    )  # The last digit may round either way.
    assert page.locator("form").is_visible()


def test_rank_and_scale_are_moved_by_keyboard_and_counted_as_in_3_02(page):
    opened(page, "lora")
    before = float(page.locator(".up").get_attribute("width"))
    page.locator("#lora-rank").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    adapter = loading.reference("3.02").lora_parameters({"q_proj": (576, 576)}, 12, ["q_proj"])
    said = page.locator("figcaption").inner_text()
    assert f"of rank 12 have {adapter:,}" in said and "α / r = 1.333" in said
    assert float(page.locator(".up").get_attribute("width")) > before


def test_the_schedules_are_those_of_2_05(page):
    opened(page, "schedule")
    schedule = loading.reference("2.05")
    script = "([s, w]) => ['linear', 'cosine'].map(kind => shareOfPeak(kind, s, w, 400, 0.2))"
    for step, warmup in itertools.product([0, 3, 40, 77, 399, 450], [0, 40]):
        linear = schedule.warmup_then_linear(step, warmup, 400)
        cosine = schedule.cosine_with_floor(step, warmup, 400, 0.2)
        assert page.evaluate(script, [step, warmup]) == pytest.approx([linear, cosine])
    page.select_option("#schedule-kind", "linear")
    assert "Step 400: 0.00." in page.locator("figcaption").inner_text()


def test_the_steps_through_the_valley_are_those_of_1_04(page):
    opened(page, "momentum")
    sgd_step = loading.reference("1.04").sgd_step
    for rate, momentum in [(0.019, 0.0), (0.019, 0.9), (0.03, 0.9), (0.01, 0.5)]:
        place, velocity = torch.tensor([10.0, 1.0], dtype=torch.float64).requires_grad_(), torch.zeros(2).double()
        path = [place.tolist()]
        while path[-1][0] ** 2 + 100 * path[-1][1] ** 2 > 0.2:
            sgd_step([place], [place.detach() * torch.tensor([1.0, 100.0])], [velocity], rate, momentum)
            path.append(place.tolist())
        found = page.evaluate("([rate, momentum]) => throughTheValley(rate, momentum)", [rate, momentum])
        assert found["end"] == "arrived" and len(found["path"]) == len(path)
        assert found["path"][-1] == pytest.approx(path[-1])


def test_the_keyboard_moves_the_rate_past_the_edge_and_momentum_brings_it_back(page):
    opened(page, "momentum")
    said = page.locator("figcaption")
    page.locator("#momentum-rate").focus()
    page.keyboard.press("ArrowRight")
    assert "still above a thousandth" in said.inner_text()
    page.keyboard.press("ArrowRight")
    assert "Learning rate 0.021, momentum 0. It diverges" in said.inner_text()
    page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert re.search(r"momentum 0.1. After \d+ steps the loss is a thousandth", said.inner_text())


def test_temperature_and_labels_give_the_loss_of_torch(page):
    opened(page, "temperature")
    logits = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)
    script = "([t, c, e]) => lossAtTemperature([2, 1, 0], t, c, e)"
    for temperature, target, smoothing in itertools.product([0.1, 1.0, 5.0], [0, 1, 2], [0.0, 0.3]):
        found = page.evaluate(script, [temperature, target, smoothing])
        loss = cross_entropy(logits / temperature, torch.tensor(target), label_smoothing=smoothing)
        assert found["shares"] == pytest.approx((logits / temperature).softmax(-1).tolist())
        assert found["loss"] == pytest.approx(loss.item()) and found["lowest"] <= found["loss"]
    page.select_option("#temperature-target", "2")
    page.locator("#temperature-temperature").focus()
    page.keyboard.press("End")
    assert page.locator("figcaption").inner_text() == (
        "At T = 5 the shares are 0.402, 0.329 and 0.269. Class 2 is right. The cross-entropy is 1.31."
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert "The label asks for 0.167, 0.167 and 0.667." in page.locator("figcaption").inner_text()


def test_without_scripts_there_are_the_table_the_pictures_and_the_tree(browser, address):
    context = context_of(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/hardware/")
    assert not page.locator("#calculator").is_visible() and page.locator("tr:has([data-gib])").first.is_visible()
    page.goto(f"{address}/module03/lora-linear/")
    assert page.locator(".moving svg").is_visible() and not page.locator(".moving form").is_visible()
    page.goto(f"{address}/decide/")
    for depth, answer in enumerate(("Yes", "No", "No", "It knew, but")):
        answers = page.locator(f".tree {'> details[open] ' * depth}> details > summary")
        answers.filter(has_text=re.compile(f"^{answer}")).click()
    assert page.get_by_text("50 or more examples of the form").is_visible()
    context.close()
