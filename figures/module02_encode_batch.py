"""The figures of the lesson "Encode a batch": what padding costs, and what a missing mask changes.

python figures/module02_encode_batch.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
import time
from pathlib import Path

import torch
from drawing import FROZEN, TRAINS, box, save, sheet
from transformers import BertConfig, BertForSequenceClassification

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TEXTS, BATCH, MAX_LENGTH = 960, 32, 128


def lengths():
    """Token counts of texts: most are short and a few are long, as reviews are; cut at MAX_LENGTH."""
    generator = torch.Generator().manual_seed(0)
    drawn = (3.2 + 0.7 * torch.randn(TEXTS, generator=generator)).exp().round().long()
    return drawn.clamp(3, MAX_LENGTH).tolist()


def batches(lengths, way):
    """Lists of token counts, one list a batch, and the length that each batch is padded to."""
    if way == "grouped by length":
        lengths = sorted(lengths)
    chunks = [lengths[i : i + BATCH] for i in range(0, len(lengths), BATCH)]
    return [(chunk, MAX_LENGTH if way == "to max_length" else max(chunk)) for chunk in chunks]


def tiny_bert():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=500,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=MAX_LENGTH,
        num_labels=3,
        initializer_range=0.2,
    )
    return BertForSequenceClassification(config).eval()


def encode(chunk, length):
    ids, mask = torch.zeros(len(chunk), length, dtype=torch.int64), torch.zeros(len(chunk), length, dtype=torch.int64)
    for row, n in enumerate(chunk):
        ids[row, :n] = torch.randint(1, 500, (n,), generator=torch.Generator().manual_seed(n))
        mask[row, :n] = 1
    return ids, mask


def seconds(model, plan):
    """The best of three forward passes over all batches."""
    encoded = [encode(chunk, length) for chunk, length in plan]
    best = float("inf")
    with torch.no_grad():
        for _ in range(3):
            start = time.perf_counter()
            for ids, mask in encoded:
                model(input_ids=ids, attention_mask=mask)
            best = min(best, time.perf_counter() - start)
    return best


def change_by_padding(model):
    """How far the logits of a text of 10 tokens move when it is padded to 40, and how often the class changes."""
    ids = torch.randint(1, 500, (200, 10), generator=torch.Generator().manual_seed(1))
    padded = torch.zeros(200, 40, dtype=torch.int64)
    padded[:, :10] = ids
    mask = (torch.arange(40) < 10).long().expand(200, 40)
    with torch.no_grad():
        alone = model(input_ids=ids).logits
        found = {
            "with the mask": model(input_ids=padded, attention_mask=mask).logits,
            "without": model(input_ids=padded).logits,
        }
    return {
        way: {
            "largest change": float((logits - alone).abs().max()),
            "other class": float((logits.argmax(-1) != alone.argmax(-1)).float().mean()),
        }
        for way, logits in found.items()
    }


def draw():
    """Three texts as a batch of seven positions: padding, truncation, mask and labels."""
    texts = {"a fine film": 1, "dull": 0, "far too long and dull for me": 0}
    limit = 7
    figure, axes = sheet(3.9)
    axes.text(1, 36.4, "input_ids [3, 7], shown as tokens")
    axes.text(1, 16.4, "attention_mask [3, 7]")
    axes.text(40, 16.4, "labels [3]")
    for row, (text, label) in enumerate(texts.items()):
        words = text.split()
        tokens = ["[CLS]", *words[: limit - 2], "[SEP]"]
        tokens += ["[PAD]"] * (limit - len(tokens))
        y = 31 - 5 * row
        for i, token in enumerate(tokens):
            mask, fill, hatch = ("0", FROZEN, "//") if token == "[PAD]" else ("1", TRAINS, None)
            box(axes, 1 + 5.4 * i, y, 5.2, 4, token, fill, hatch, fontsize=9.5)
            box(axes, 1 + 5.4 * i, y - 20, 5.2, 4, mask, fill, hatch)
        for i, token in enumerate(words[limit - 2 :]):
            box(axes, 40 + 5.4 * i, y, 5.2, 4, token, line=":", fontsize=9.5, color="0.35")
        box(axes, 42, y - 20, 5.2, 4, str(label))
    axes.text(45.3, 26.5, "cut off;\n[SEP] stays", ha="center")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    counts, model = lengths(), tiny_bert()
    real = sum(counts)
    ways = ("to max_length", "to the longest of the batch", "grouped by length")
    table = {}
    for way in ways:
        plan = batches(counts, way)
        positions = sum(len(chunk) * length for chunk, length in plan)
        table[way] = {"positions": positions, "padding": 1 - real / positions, "seconds": seconds(model, plan)}
    for row in table.values():
        row["time"] = row["seconds"] / table[ways[0]]["seconds"]
    change = change_by_padding(model)
    middle = sorted(counts)[TEXTS // 2]
    print(f"{TEXTS} texts, {real} tokens, median {middle}, longest {max(counts)}; batches of {BATCH}")
    for way, row in table.items():
        print(
            f"{way:<28}{row['positions']:>8} positions, {row['padding']:.1%} padding, "
            f"forward {row['seconds']:.2f} s ({row['time']:.0%})"
        )
    for way, row in change.items():
        print(f"padded from 10 to 40, {way}: {row['largest change']:.2g}, other class in {row['other class']:.1%}")
    results = {"padding": table, "tokens": real, "median": middle, "longest": max(counts), "change": change}
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
