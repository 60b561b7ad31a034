"""Measures what the stride costs and what it does to the perplexity of a real text.

SmolLM2 reads 640 tokens of the Python documentation (data/pydocs, the design FAQ) in windows of 128 tokens, with
strides from 127 to 16, and once in one pass. The cost is counted in tokens that the model is given.
It needs the model (`tunelings models get smollm2`) and takes a few minutes on a CPU.
Run: python figures/module05_perplexity.py
"""

import gzip
import json
import math
import os
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models

HERE = Path(__file__).parent
NAME = Path(__file__).stem
LENGTH, CONTEXT = 640, 128
STRIDES = (127, 96, 64, 32, 16)


def count_tokens(model):
    """A list that grows by the number of tokens of each pass."""
    counted = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: counted.append((args[0] if args else kwargs["input_ids"]).numel()),
        with_kwargs=True,
    )
    return counted


@torch.no_grad()
def in_pieces(model, ids):
    """Pieces that do not overlap, each read with nothing before it: exp of the mean over the tokens they score."""
    total = scored = 0.0
    for piece in ids.split(CONTEXT):
        logits = model(piece.unsqueeze(0)).logits.squeeze(0).float()
        total += F.cross_entropy(logits[:-1], piece[1:], reduction="sum").item()
        scored += len(piece) - 1
    return math.exp(total / scored)


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    rows = gzip.decompress((data_folder("pydocs") / "passages.jsonl.gz").read_bytes()).decode("utf-8")
    passages = [row for row in map(json.loads, rows.splitlines()) if row["page"] == "faq/design"]
    path = models.find("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    text = "\n\n".join(passage["text"] for passage in passages)
    ids = tokenizer(text, return_tensors="pt").input_ids[0, :LENGTH]
    answer = answers.load(answers.read(Course(ROOT).find("5.02").solution_path))
    counted = count_tokens(model)
    table = []
    for stride in STRIDES:
        counted.clear()
        found = answer.perplexity(model, ids, stride, CONTEXT)
        row = {"passes": len(counted), "perplexity": found, "stride": stride, "tokens_read": sum(counted)}
        table.append(row)
        print(row, flush=True)
    results = {
        "context": CONTEXT,
        "in_pieces_without_overlap": in_pieces(model, ids),
        "one_pass": answer.perplexity(model, ids, 1, LENGTH),
        "strides": table,
        "text_tokens": LENGTH,
    }
    output = json.dumps(results, indent=2, sort_keys=True)
    print(output)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(output + "\n", encoding="utf-8")
    draw(results)


def draw(results):
    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    table = results["strides"]
    axes.plot([r["tokens_read"] for r in table], [r["perplexity"] for r in table], marker="o", label="windows of 128")
    for row in table:
        place = (row["tokens_read"], row["perplexity"])
        axes.annotate(f"stride {row['stride']}", place, xytext=(6, 6), textcoords="offset points")
    axes.axhline(results["one_pass"], color="tab:gray", linestyle="--", label="one pass over all 640 tokens")
    axes.set_xlabel("tokens read by the model")
    axes.set_ylabel("perplexity")
    axes.set_xlim(400, 4800)
    axes.set_ylim(0, 30)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
