"""The figure of the lesson "Judge pairs": how often a small judge's verdict changes when the two texts change places.

SmolLM2-135M compares, for questions of the Python FAQ, the beginning of the right answer with that of another
question's answer, with `judge` and `win_rate` of the reference solution of 5.07. It needs the model
(`tunelings models get smollm2`) and takes some minutes on a CPU.

python figures/module05_judge_pairs.py
"""

import json
import os
import random
from collections import Counter
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, pydocs, reviews

NAME = Path(__file__).stem
PAIRS, WRITTEN, WORDS = 40, 10, 40


def pairs():
    """(question, the first words of its answer, those of another question's answer)."""
    long_enough = [pair for pair in pydocs.load_pairs(data_folder("pydocs")) if len(pair.answer.split()) >= WORDS]
    draw = random.Random(0)
    chosen = draw.sample(long_enough, PAIRS)
    others = chosen[1:] + chosen[:1]
    return [(pair.question, beginning(pair), beginning(other)) for pair, other in zip(chosen, others, strict=True)]


def beginning(pair):
    return " ".join(pair.answer.split()[:WORDS])


class SmallJudge:
    """Two ways to get a reply: let the model write, or ask which letter it finds likeliest after `[[`."""

    def __init__(self):
        path = models.find("smollm2")
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        self.letters = [self.tokenizer(letter)["input_ids"][0] for letter in "ABC"]
        self.preference = []  # for each forced reply, the log-odds of A against B

    def ids(self, prompt, begun=""):
        messages = [{"role": "user", "content": prompt}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text + begun, add_special_tokens=False, return_tensors="pt")

    @torch.no_grad()
    def forced(self, prompt):
        logits = self.model(**self.ids(prompt, "[["), logits_to_keep=1).logits[0, -1, self.letters]
        self.preference.append(float(logits[0] - logits[1]))
        return f"[[{'ABC'[int(logits.argmax())]}]]"

    @torch.no_grad()
    def written(self, prompt):
        inputs = self.ids(prompt)
        ids = self.model.generate(**inputs, max_new_tokens=48, do_sample=False)
        return self.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    answer = answers.load(answers.read(Course(ROOT).find("5.07").solution_path))
    judge, items, replies = SmallJudge(), pairs(), []

    def keep(llm):
        replies.clear()
        return lambda prompt: replies.append(llm(prompt)) or replies[-1]

    rate = answer.win_rate(keep(judge.forced), items)
    orders = [reply[2] for reply in replies[::2]], [reply[2] for reply in replies[1::2]]
    right_first, right_second = judge.preference[::2], judge.preference[1::2]
    summed = [one - two for one, two in zip(right_first, right_second, strict=True)]
    wilson = reviews.score(["right" if x > 0 else "wrong" for x in summed], ["right"] * PAIRS)
    results = {
        "pairs": PAIRS,
        "letters, right text first": dict(Counter(orders[0])),
        "letters, right text second": dict(Counter(orders[1])),
        "same letter in both orders": sum(a == b for a, b in zip(*orders, strict=True)),
        "win rate of the right text": rate._asdict(),
        "right in the first order alone": orders[0].count("A"),
        "right in the second order alone": orders[1].count("B"),
        "mean log-odds of A, right text first and second": [
            round(sum(values) / PAIRS, 3) for values in (right_first, right_second)
        ],
        "log-odds of both orders name the right text": [round(float(value), 3) for value in wilson],
    }
    print(json.dumps(results, indent=2, sort_keys=True), flush=True)
    written = answer.win_rate(keep(judge.written), items[:WRITTEN])
    results["replies written freely"] = {
        "replies": 2 * WRITTEN,
        "without a mark": written.failures,
        "win rate": written._asdict(),
        "first reply": replies[0],
    }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    for reply in replies[:6]:
        print(repr(reply))
    (ROOT / "figures/results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(right_first, right_second)


def draw(right_first, right_second):
    most = 1.1 * max(map(abs, right_first + right_second))
    plt.figure(figsize=(5.4, 5.2))
    plt.fill_between([0, most], -most, 0, color="tab:green", alpha=0.12)
    plt.axhline(0, color="0.4", linewidth=0.8)
    plt.axvline(0, color="0.4", linewidth=0.8)
    plt.scatter(right_first, right_second, s=16, color="tab:blue")
    plt.xlim(-most, most)
    plt.ylim(-most, most)
    plt.xlabel("log-odds of A against B, right text first")
    plt.ylabel("log-odds of A against B, right text second")
    plt.text(0.97 * most, -0.97 * most, "both name the right text", ha="right", va="bottom", color="tab:green")
    plt.text(0.97 * most, 0.97 * most, "A both times", ha="right", va="top", color="0.3")
    plt.text(-0.97 * most, -0.97 * most, "B both times", ha="left", va="bottom", color="0.3")
    plt.text(-0.97 * most, 0.97 * most, "both name the wrong text", ha="left", va="top", color="0.3")
    plt.tight_layout()
    plt.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
