"""The figure of the lesson "Retrieve": how deep one must read to find the passage, by words and by vectors.

37 questions against 1,243 passages of the Python documentation that ships, with the functions of the reference
solution of 5.05. It needs the encoder (`tunelings models get minilm`) and takes some minutes on a CPU.

python figures/module05_retrieve.py
"""

import json
import os
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, pydocs

NAME = Path(__file__).stem
DEPTHS = (1, 2, 3, 5, 10, 20, 50)


@torch.no_grad()
def embed(texts, batch_size=32):
    """Means of MiniLM's last hidden states over the first 256 tokens, one row a text."""
    path = models.find("minilm")
    tokenizer, encoder = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        part = order[start : start + batch_size]
        some = [texts[i] for i in part]
        batch = tokenizer(some, padding=True, truncation=True, max_length=256, return_tensors="pt")
        hidden = encoder(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        rows[part] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    return rows


def interval(values):
    """The mean over the questions, and 95% of the means of 10,000 resamples of them."""
    values = np.asarray(values, dtype=float)
    draws = np.random.default_rng(0).integers(0, len(values), (10_000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return [round(float(number), 4) for number in (values.mean(), low, high)]


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    answer = answers.load(answers.read(Course(ROOT).find("5.05").solution_path))
    passages = pydocs.load_passages(data_folder("pydocs"))
    questions = pydocs.load_development(data_folder("pydocs"))
    texts = [f"{passage.title}\n{passage.text}" for passage in passages]
    place = {passage.id: number for number, passage in enumerate(passages)}
    relevant = [{place[name] for name in question.gold_passages} for question in questions]
    holders = [{i for i, text in enumerate(texts) if pydocs.holds(text, question.answers)} for question in questions]

    by_words = [np.array(answer.bm25_scores(question.question, texts)) for question in questions]
    vectors = embed(texts + [question.question for question in questions])
    documents, queries = vectors[: len(texts)], vectors[len(texts) :]
    rankings = {
        "BM25": [np.argsort(-scores, kind="stable").tolist() for scores in by_words],
        "MiniLM": [answer.retrieve(query, documents, len(documents)) for query in queries],
    }

    def of_each(measure, name, right):
        """The measure for each question by itself."""
        return [measure([ranking], [one]) for ranking, one in zip(rankings[name], right, strict=True)]

    results = {
        "passages": len(passages),
        "questions": len(questions),
        "gold passages": sum(map(len, relevant)),
        "passages that hold an answer": sum(map(len, holders)),
    }
    for name in rankings:
        results[name] = {
            "mrr": interval(of_each(answer.mrr, name, relevant)),
            "recall": {
                k: interval(of_each(lambda r, s, k=k: answer.recall_at_k(r, s, k), name, relevant)) for k in DEPTHS
            },
            "an answer among the first k": {
                k: interval(
                    [bool(set(ranking[:k]) & some) for ranking, some in zip(rankings[name], holders, strict=True)]
                )
                for k in DEPTHS
            },
            "not found among the first 50": sum(
                not set(ranking[:50]) & some for ranking, some in zip(rankings[name], relevant, strict=True)
            ),
        }
    words, meaning = (np.array(of_each(answer.mrr, name, relevant)) for name in rankings)
    results["mrr, BM25 less MiniLM"] = interval(words - meaning)
    results["better by BM25, by MiniLM"] = [int((words > meaning).sum()), int((words < meaning).sum())]
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    for number in np.argsort(words - meaning)[[0, 1, -2, -1]]:
        print(round(words[number], 3), round(meaning[number], 3), questions[number].question)
    (ROOT / "figures/results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results, list(rankings))


def draw(results, names):
    for name, color in zip(names, ("tab:blue", "tab:orange"), strict=True):
        recall, found = (results[name][part] for part in ("recall", "an answer among the first k"))
        mean, low, high = zip(*recall.values(), strict=True)
        plt.semilogx(DEPTHS, mean, marker="o", color=color, label=f"{name}, recall")
        plt.fill_between(DEPTHS, low, high, color=color, alpha=0.15)
        shares = [row[0] for row in found.values()]
        plt.semilogx(DEPTHS, shares, marker="s", linestyle="--", color=color, label=f"{name}, an answer is there")
    plt.xticks(DEPTHS, labels=list(map(str, DEPTHS)))
    plt.minorticks_off()
    plt.ylim(0, 1.02)
    plt.xlabel("passages read, k")
    plt.ylabel("share (37 questions, 95% interval of recall)")
    plt.legend(loc="lower right")
    plt.grid(alpha=0.3)
    plt.tight_layout()
    plt.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
