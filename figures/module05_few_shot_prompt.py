"""The figure of the lesson "Few-shot prompt": how many examples, and which, against accuracy.

SmolLM2-135M labels 100 film reviews. Prompts are made by the reference solution of 5.03; the answer is the one of the
two label words that the model finds likelier as the first token. It needs both models
(`tunelings models get all`) and takes some minutes on a CPU.

python figures/module05_few_shot_prompt.py
"""

import json
import os
import random
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, reviews

NAME = Path(__file__).stem
SYSTEM = {"role": "system", "content": "Label each film review: positive or negative."}
KS = (2, 4, 8)
DRAWS = 3
POOL, TESTS = 500, 100


def load():
    """A pool and a test set of reviews of 8 to 18 words; half of the test set is positive."""
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    short = [
        {"text": text, "label": label}
        for text, label in zip(texts, labels, strict=True)
        if 8 <= len(text.split()) <= 18
    ]
    pool, rest = short[:POOL], short[POOL:]
    tests = [[item for item in rest if item["label"] == label][: TESTS // 2] for label in reviews.LABEL_NAMES]
    return pool, tests[0] + tests[1]


def embeddings(texts):
    """Unit vectors of MiniLM, by text."""
    path = models.find("minilm")
    tokenizer, encoder = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path)
    rows = torch.as_tensor(reviews.features(encoder, tokenizer, texts))
    return dict(zip(texts, torch.nn.functional.normalize(rows, dim=1), strict=True))


class Labeller:
    """The chat model; what the prompts of one call have in common is computed once."""

    def __init__(self):
        path = models.find("smollm2")
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        self.labels = [self.tokenizer(name)["input_ids"] for name in reviews.LABEL_NAMES]
        assert all(len(ids) == 1 for ids in self.labels)

    def ids(self, messages):
        text = self.tokenizer.apply_chat_template([SYSTEM, *messages], tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    @torch.no_grad()
    def __call__(self, prompts, batch_size=20):
        """The likelier label of each prompt."""
        rows = [self.ids(messages) for messages in prompts]
        shared = len(os.path.commonprefix(rows)) if len(rows) > 1 else 0
        found = []
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            cache = None
            if shared:
                cache = self.model(torch.tensor([rows[0][:shared]]), use_cache=True, logits_to_keep=1).past_key_values
                cache.batch_repeat_interleave(len(part))
            longest = max(map(len, part)) - shared
            tails = torch.tensor([row[shared:] + [0] * (longest - len(row) + shared) for row in part])
            mask = torch.tensor([[1] * len(row) + [0] * (longest + shared - len(row)) for row in part])
            hidden = self.model.model(tails, attention_mask=mask, past_key_values=cache).last_hidden_state
            last = torch.tensor([len(row) - shared - 1 for row in part])
            scores = self.model.lm_head(hidden[torch.arange(len(part)), last])[:, [ids[0] for ids in self.labels]]
            found += [reviews.LABEL_NAMES[i] for i in scores.argmax(-1).tolist()]
        return found


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    build_prompt = answers.load(answers.read(Course(ROOT).find("5.03").solution_path)).build_prompt
    pool, tests = load()
    true = [item["label"] for item in tests]
    vectors = embeddings([item["text"] for item in pool + tests])
    labeller = Labeller()
    tokenizer = labeller.tokenizer

    def nearness(query, text):
        return float(vectors[query] @ vectors[text])

    def label(k, some=pool, similarity=None, seed=None):
        """Labels of all test reviews; with a seed the draw is the same for each of them."""
        prompts = []
        for item in tests:
            rng = None if seed is None else random.Random(seed)
            prompts.append(build_prompt(item["text"], some, k, tokenizer, 4096, similarity=similarity, rng=rng))
        return labeller(prompts)

    def row(runs):
        """Accuracy and share of "positive", as means over the draws."""
        accuracies = [reviews.score(predicted, true).accuracy for predicted in runs]
        positive = [predicted.count("positive") / len(predicted) for predicted in runs]
        return {
            "accuracy": round(sum(accuracies) / len(runs), 4),
            "of each draw": [round(value, 4) for value in accuracies],
            "says positive": round(sum(positive) / len(runs), 4),
        }

    def any_order(seed):
        """A similarity that has nothing to do with the query: a random choice of the pool, the same for all."""
        draw = random.Random(seed)
        place = {item["text"]: draw.random() for item in pool}
        return lambda query, text: place[text]

    results = {"no examples": row([label(0)])}
    for name in reviews.LABEL_NAMES:
        some = [item for item in pool if item["label"] == name]
        results[f"4 examples, all {name}"] = row([label(4, some, seed=seed) for seed in range(DRAWS)])
    print(results, flush=True)
    for k in KS:
        results[f"{k} examples, random"] = row([label(k, similarity=any_order(seed)) for seed in range(DRAWS)])
        results[f"{k} examples, balanced"] = row([label(k, seed=seed) for seed in range(DRAWS)])
        results[f"{k} examples, nearest"] = row([label(k, similarity=nearness)])
        print(results, flush=True)
    low, high = reviews.score(["positive"] * 80 + ["negative"] * 20, ["positive"] * 100)[1:]
    results["interval of 80 of 100"] = [round(low, 3), round(high, 3)]
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (ROOT / "figures/results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)


def draw(results):
    """Accuracy by number of examples: a line for the means, a dot for each draw."""
    plt.figure(figsize=(6.4, 4.2))
    plt.axhline(results["no examples"]["accuracy"], color="0.4", linestyle="--", label="no examples")
    for way, marker in (("random", "o"), ("balanced", "s"), ("nearest", "^")):
        rows = [results[f"{k} examples, {way}"] for k in KS]
        (means,) = plt.plot(KS, [row["accuracy"] for row in rows], label=way)
        for k, row in zip(KS, rows, strict=True):
            draws = row["of each draw"]
            plt.plot([k] * len(draws), draws, marker=marker, linestyle="", color=means.get_color(), alpha=0.6)
    one_sided = [results[f"4 examples, all {name}"]["accuracy"] for name in reviews.LABEL_NAMES]
    plt.plot([4, 4], one_sided, marker="x", linestyle="", color="tab:red", label="4 of one label")
    plt.xticks(KS)
    plt.ylim(0.4, 1.0)
    plt.xlabel("examples in the prompt")
    plt.ylabel("accuracy on 100 reviews")
    plt.legend(loc="upper right", ncol=2, fontsize="small")
    plt.grid(alpha=0.3)
    plt.tight_layout()
    plt.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
