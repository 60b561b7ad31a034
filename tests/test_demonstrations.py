"""What the lessons demonstrate is recorded from real runs: the records agree with the data that they are about."""

from __future__ import annotations

import json
import runpy
from collections import Counter

import pytest

from tests.conftest import ROOT
from tunelings.course import Course
from tunelings.grading import answers
from tunelings.handson import reviews, reviews_task

FIGURES = ROOT / "figures"


@pytest.fixture
def figures(monkeypatch):
    """Scripts of figures/ import each other as they do when they are started."""
    monkeypatch.syspath_prepend(FIGURES)


def results_of(name: str) -> dict:
    return json.loads((ROOT / "figures" / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def digits() -> dict:
    return results_of("module01_mnist_digits")


def test_each_digit_that_is_shown_as_wrong_has_its_label_and_is_read_otherwise_by_all(digits: dict):
    labels = (ROOT / "data" / "mnist" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    assert digits["test_digits"] == len(labels) and len(digits["shown"]) == 16
    assert len({one["index"] for one in digits["shown"]}) == 16
    for one in digits["shown"]:
        assert one["label"] == labels[one["index"]]
        assert len(one["read"]) == digits["seeds"] and one["label"] not in one["read"]
    sure = [one["sure"] for one in digits["shown"]]
    assert sure == sorted(sure, reverse=True)


def test_the_counts_of_wrong_digits_fit_together(digits: dict):
    one_by_one = digits["wrong_by_seed"]
    assert digits["wrong_by_all"] <= min(one_by_one) <= max(one_by_one) <= digits["wrong_by_any"] <= sum(one_by_one)


def test_the_curves_have_a_point_for_each_epoch_of_each_seed(digits: dict):
    assert len(digits["curves"]) == digits["seeds"]
    for curves in digits["curves"]:
        assert {len(values) for values in curves.values()} == {digits["epochs"]}
        assert curves["train_loss"][-1] < curves["train_loss"][0]


@pytest.mark.parametrize("name", ["digits", "wrong", "curves"])
def test_the_lesson_shows_each_picture(name: str):
    folder = ROOT / "docs" / "module01"
    assert (folder / f"mnist-{name}.svg").stat().st_size > 5000
    assert f"](mnist-{name}.svg)" in (folder / "mnist-from-scratch.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- 4.07
@pytest.fixture
def synthetic(figures) -> tuple[dict, dict]:
    return results_of("module04_synthetic_data"), runpy.run_path(str(FIGURES / "module04_synthetic_data.py"))


def test_every_recorded_reply_is_judged_as_the_reference_judges_it_today(synthetic):
    results, script = synthetic
    for run in results["runs"]:
        assert len(run["replies"]) == results["calls"]
        assert script["judged"](run) == run


def test_every_accepted_record_was_read_and_the_lesson_has_replies_of_each_kind(synthetic):
    results, _ = synthetic
    plain, turns = results["runs"]
    records = [record for run in results["runs"] for one in run["replies"] for record in one["records"]]
    assert "not read" not in {record["wrong"] for record in records}
    assert plain["too_similar"] and plain["malformed"] and turns["malformed"]
    assert turns["accepted"] >= 3 and turns["accepted"] > plain["accepted"]


# ---------------------------------------------------------------- 3.12
def test_the_answers_side_by_side_are_to_held_out_reviews():
    results = results_of("module03_lora_fine_tune_llm")
    _, test_pairs = reviews_task.load_pairs(ROOT / "data" / "sentiment")
    positive, negative, missed = results["shown"]
    for one in results["shown"]:
        assert [one["review"], one["wanted"]] == list(test_pairs[one["place"]])
        assert one["before"].strip() and one["prompt"].strip()
    assert positive["wanted"] == positive["after"].strip() == reviews_task.ANSWERS["positive"]
    assert negative["wanted"] == negative["after"].strip() == reviews_task.ANSWERS["negative"]
    assert missed["wanted"] != missed["after"].strip()


def test_the_prompt_was_chosen_on_other_reviews_and_is_compared_on_the_same_ones():
    results = results_of("module03_lora_fine_tune_llm")
    prompts = results["prompts"]
    assert prompts["tried"][prompts["best"]]["exact"] == max(one["exact"] for one in prompts["tried"].values())
    difference, low, high, trained_only, prompt_only = prompts["fine_tuned_minus"]
    assert low < difference < high
    assert trained_only - prompt_only == results["seeds"]["0"]["after"]["exact"] - prompts["test"]["exact"]


# ---------------------------------------------------------------- 2.08
def test_the_sentences_of_a_named_film_are_in_one_part(figures):
    leak = results_of("module02_film_leak")
    texts, labels = reviews.load_reviews(ROOT / "data" / "sentiment")
    groups = runpy.run_path(str(FIGURES / "module02_film_leak.py"))["film_groups"](texts)
    sizes = Counter(groups)
    assert leak["in_a_group"] == sum(size for size in sizes.values() if size > 1)
    assert leak["largest_group"] == max(sizes.values())
    place = {text: i for i, text in enumerate(texts)}
    assert len({groups[place[text]] for text, _ in leak["example"]["sentences"]}) == 1
    assert all(labels[place[text]] == label for text, label in leak["example"]["sentences"])
    difference, low, high, with_only, without_only = leak["difference"]
    assert low < difference < high
    assert difference == pytest.approx((with_only - without_only) / leak["tested"], abs=1e-4)
    solution = Course(ROOT).find("4.06").solution_path
    split = answers.load(answers.read(solution)).split
    records = [{"text": text, "film": group} for text, group in zip(texts, groups, strict=True)]
    parts = split(records, "text", group="film", seed=0)
    films = [{record["film"] for record in part} for part in parts.values()]
    assert not (films[0] & films[1] or films[0] & films[2] or films[1] & films[2])
