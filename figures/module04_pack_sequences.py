"""The figures of the lesson "Pack sequences": how much is padding, and what a model makes of a wrong pack.

python figures/module04_pack_sequences.py        (the model: `tunelings models get smollm2`, once)
"""

import json
import os
import random
import sys
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path[:0] = [str(ROOT), str(ROOT / "solutions" / "module04")]
from ex08_pack_sequences import attention_mask, pack  # noqa: E402

from tunelings.course import data_folder  # noqa: E402
from tunelings.handson import models  # noqa: E402

LENGTH, BATCH = 1024, 8


def answers(tokenizer):
    """The 175 answers of Python's FAQ as ids, in a drawn order."""
    lines = (data_folder("pydocs") / "faq_qa.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [tokenizer(json.loads(line)["answer"])["input_ids"] for line in lines]
    random.Random(0).shuffle(rows)
    return rows


# ---------------------------------------------------------------- how much is padding
def batches(lengths):
    """How many tokens are computed if each batch is padded to its longest."""
    parts = [lengths[start : start + BATCH] for start in range(0, len(lengths), BATCH)]
    return sum(len(part) * max(part) for part in parts)


def next_fit(lengths):
    packs, used = 1, 0
    for length in lengths:
        if used + length > LENGTH:
            packs, used = packs + 1, 0
        used += length
    return packs


def padding(rows):
    lengths = [len(row) for row in rows]
    examples = [{"input_ids": row, "labels": row} for row in rows]
    packs = pack(examples, LENGTH, pad_token_id=0)
    computed = {
        "one example a row, padded to 1,024": len(rows) * LENGTH,
        "batches of 8, padded to their longest": batches(lengths),
        "batches of 8 of similar length": batches(sorted(lengths)),
        "packs of 1,024, next fit": next_fit(lengths) * LENGTH,
        "packs of 1,024, first-fit decreasing": len(packs) * LENGTH,
    }
    tokens = sum(lengths)
    return {name: {"computed": n, "padding": 1 - tokens / n} for name, n in computed.items()}, lengths, packs


# ---------------------------------------------------------------- what a model makes of it
def losses(model, rows):
    """The mean loss of a few answers alone, packed, and packed in wrong ways."""
    chosen = [row for row in rows if 20 <= len(row) <= 120][:16]
    packs = pack([{"input_ids": row, "labels": row} for row in chosen], 512, pad_token_id=2)
    causal = torch.ones(512, 512, dtype=torch.bool).tril()
    found = {"alone": [loss(model, torch.tensor(row), torch.tensor(row)) for row in chosen]}
    for one in packs:
        ids, labels = torch.tensor(one["input_ids"]), torch.tensor(one["labels"])
        positions, mask = torch.tensor(one["position_ids"]), attention_mask(one)
        every = torch.where(torch.tensor(one["sequence_ids"]) > 0, ids, -100)
        for name, arguments in {
            "packed": (labels, positions, mask),
            "packed, first tokens labeled": (every, positions, mask),
            "packed, positions run on": (labels, torch.arange(512), mask),
            "packed, causal mask alone": (labels, positions, causal),
            "packed, causal mask alone, positions run on": (labels, torch.arange(512), causal),
        }.items():
            found.setdefault(name, []).append(loss(model, ids, *arguments))
    means = {name: sum(s for s, _ in sums) / sum(n for _, n in sums) for name, sums in found.items()}
    return {"examples": len(chosen), "packs": len(packs), "tokens": sum(map(len, chosen)), "loss": means}


def loss(model, ids, labels, positions=None, mask=None):
    """The sum of the losses and the number of labels that count."""
    extra = {} if mask is None else {"position_ids": positions[None], "attention_mask": mask[None, None]}
    with torch.no_grad():
        logits = model(input_ids=ids[None], **extra).logits[0]
    total = F.cross_entropy(logits[:-1], labels[1:], ignore_index=-100, reduction="sum")
    return float(total), int((labels[1:] != -100).sum())


def rows_of_padding(folder, rows):
    """Whether the logits hold nan, for two kinds of attention and three kinds of mask."""
    one = pack([{"input_ids": row[:30], "labels": row[:30]} for row in rows[:2]], 64, pad_token_id=2)[0]
    mask = attention_mask(one)[None, None]
    inputs = {"input_ids": torch.tensor([one["input_ids"]]), "position_ids": torch.tensor([one["position_ids"]])}
    found = {}
    for kind in ("sdpa", "eager"):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=kind).eval()
        for name, value in (("-inf", float("-inf")), ("the least float", torch.finfo(torch.float32).min)):
            added = torch.zeros(mask.shape).masked_fill(~mask, value)
            found[f"{kind}, {name}"] = share_of_nan(model, inputs, added)
        if kind == "sdpa":
            found["sdpa, bool"] = share_of_nan(model, inputs, mask)
            first = model
    return found, first


def share_of_nan(model, inputs, mask):
    with torch.no_grad():
        return float(model(**inputs, attention_mask=mask).logits.isnan().float().mean())


def main():
    torch.set_num_threads(1)
    folder = models.find("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = answers(tokenizer)
    table, lengths, packs = padding(rows)
    nans, model = rows_of_padding(folder, rows)
    results = {
        "lengths": {"count": len(lengths), "tokens": sum(lengths), "median": sorted(lengths)[87], "most": max(lengths)},
        "padding": table,
        "losses": losses(model, rows),
        "share_of_nan": nans,
    }
    print(json.dumps(results, indent=2))
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot(lengths, packs)


def plot(lengths, packs):
    """The first 32 answers as four padded batches, and the packs that all 175 make."""
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3.2), layout="constrained", sharex=True)
    for row, length in enumerate(lengths[:32]):
        longest = max(lengths[row - row % BATCH : row - row % BATCH + BATCH])
        left.barh(row + row // BATCH, length, color="C0", height=1, edgecolor="white", linewidth=0.4)
        left.barh(row + row // BATCH, longest - length, left=length, color="0.85", height=1)
    for row, one in enumerate(packs):
        start = 0
        for number in range(1, max(one["sequence_ids"]) + 1):
            length, color = one["sequence_ids"].count(number), f"C{(number - 1) % 2}"
            right.barh(row, length, left=start, color=color, height=1, edgecolor="white", linewidth=0.4)
            start += length
        right.barh(row, LENGTH - start, left=start, color="0.85", height=1)
    left.set(title="32 answers in batches of 8", xlabel="tokens", xlim=(0, LENGTH))
    right.set(title="175 answers in packs", xlabel="tokens")
    for axes in (left, right):
        axes.set_yticks([])
        axes.invert_yaxis()
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
