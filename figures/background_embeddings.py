"""A few contrastive steps on MiniLM: does a question find its answer among others more often afterwards? JSON.

python figures/background_embeddings.py

Questions of Python's FAQ with their answers. A batch of pairs trains with in-batch negatives: the answer of each
question has to be nearer than the answers of the others. Needs the encoder (`tunelings models get minilm`).
"""

import json
import random
from pathlib import Path

import torch
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from tunelings.course import data_folder
from tunelings.handson import models

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TEST, BATCH, STEPS, LENGTH = 60, 12, 6, 24
RATE, TEMPERATURE = 2e-5, 0.05


def embed(model, tokenizer, texts):
    batch = tokenizer(texts, truncation=True, max_length=LENGTH, padding=True, return_tensors="pt")
    hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    return functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


def contrastive_loss(questions, answers):
    """Cross-entropy over the batch: row i has to choose answer i (InfoNCE, with in-batch negatives)."""
    return functional.cross_entropy(questions @ answers.T / TEMPERATURE, torch.arange(len(questions)))


@torch.no_grad()
def judge(model, tokenizer, pairs):
    model.eval()
    questions, answers = (embed(model, tokenizer, list(texts)) for texts in zip(*pairs, strict=True))
    scores = questions @ answers.T
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(1)
    return {
        "recall_at_1": (ranks == 1).float().mean().item(),
        "recall_at_5": (ranks <= 5).float().mean().item(),
        "mrr": (1 / ranks).mean().item(),
        "own": scores.diagonal().mean().item(),
        "others": ((scores.sum() - scores.diagonal().sum()) / (len(pairs) * (len(pairs) - 1))).item(),
        "loss": contrastive_loss(questions[:BATCH], answers[:BATCH]).item(),
    }


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    path = models.find("minilm")
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path)
    lines = (data_folder("pydocs") / "faq_qa.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [(row["question"], " ".join(row["answer"].split()[:40])) for row in map(json.loads, lines)]
    random.Random(0).shuffle(pairs)
    test, train = pairs[:TEST], pairs[TEST:]
    before = judge(model, tokenizer, test)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    losses = []
    model.train()
    for step in range(STEPS):
        batch = train[step * BATCH : (step + 1) * BATCH]
        questions, answers = (embed(model, tokenizer, list(texts)) for texts in zip(*batch, strict=True))
        loss = contrastive_loss(questions, answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        print(step, losses[-1], flush=True)
    results = {"before": before, "after": judge(model, tokenizer, test), "losses": losses, "test": TEST}
    results |= {"batch": BATCH, "steps": STEPS, "length": LENGTH, "trained_on": STEPS * BATCH, "rate": RATE}
    print(json.dumps(results, indent=1))
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
