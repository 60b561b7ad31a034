"""Measures how far the wording of a prompt moves the accuracy of the same model on the same 100 film reviews.

SmolLM2 scores two choices after each of six prompts; no example is given and nothing is trained. 50 positive and 50
negative reviews of at most 90 characters are drawn from data/sentiment with a fixed seed. The scores of each prompt
are compared as means and as sums over the tokens of a choice.
It needs the model (`tunelings models get smollm2`) and takes some minutes on a CPU.
Run: python figures/module05_score_choices.py
"""

import json
import os
import random
from pathlib import Path

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"


import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, reviews

HERE = Path(__file__).parent
NAME = Path(__file__).stem
# The prompt, and the choices for a negative and a positive review.
PROMPTS = {
    "sentiment": ("Review: {}\nSentiment:", (" negative", " positive")),
    "question": ("{}\nIs this review positive or negative? It is", (" negative", " positive")),
    "this film is": ("{}\nThis film is", (" bad", " good")),
    "liked it": ("Review: {}\nDid the critic like the film?", (" No", " Yes")),
    "great or waste": ("{}\nThe film is", (" a waste of time", " great")),
    "bad or worth": ("{}\nThe film is", (" bad", " well worth your time")),
}


def draw_reviews(count):
    """`count` texts, half of them negative, in an order that depends on the seed alone."""
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    rng = random.Random(0)
    chosen = []
    for label in reviews.LABEL_NAMES:
        short = [text for text, name in zip(texts, labels, strict=True) if name == label and len(text) <= 90]
        chosen += [(text, label) for text in rng.sample(short, count // 2)]
    return chosen


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    chosen = draw_reviews(100)
    path = models.find("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    answer = answers.load(answers.read(Course(ROOT).find("5.04").solution_path))
    results = {}
    for name, (prompt, choices) in PROMPTS.items():
        lengths = [len(tokenizer(choice, add_special_tokens=False).input_ids) for choice in choices]
        row = {"choices": list(choices), "prompt": prompt, "tokens": lengths}
        sums = [
            answer.score_choices(model, tokenizer, prompt.format(t), list(choices), normalize=False) for t, _ in chosen
        ]
        for kind, scores in (
            ("sum", sums),
            ("mean", [[s / n for s, n in zip(row_of, lengths, strict=True)] for row_of in sums]),
        ):
            said = [reviews.LABEL_NAMES[int(second > first)] for first, second in scores]
            right = sum(guess == label for guess, (_, label) in zip(said, chosen, strict=True))
            row[kind] = {"accuracy": right / len(chosen), "said_positive": said.count("positive") / len(chosen)}
        results[name] = row
        print(name, json.dumps(row, sort_keys=True), flush=True)
    output = json.dumps({"prompts": results, "reviews": len(chosen)}, indent=2, sort_keys=True)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(output + "\n", encoding="utf-8")
    draw({"prompts": results})


def draw(results):
    results = {name: results["prompts"][name] for name in PROMPTS}
    figure, axes = plots(4.6)
    for shift, (kind, color) in enumerate((("mean", "tab:blue"), ("sum", "tab:orange"))):
        values = [row[kind]["accuracy"] for row in results.values()]
        places = [place - 0.2 + 0.4 * shift for place in range(len(results))]
        bars = axes.barh(places, values, height=0.38, color=color, label=f"by the {kind}")
        axes.bar_label(bars, fmt="%.2f", padding=2)
    axes.axvline(0.5, color="tab:gray", linestyle="--", label="always one label")
    axes.set_yticks(range(len(results)), labels=results)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy on 100 reviews")
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    save(figure, NAME)


if __name__ == "__main__":
    main()
