"""The figures of the lesson "Mean pooling": one text in ever longer batches, and counts in half precision.

python figures/module02_mean_pooling.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
from drawing import plots, results_of, save
from torch.nn.functional import cosine_similarity
from transformers import BertConfig, BertModel

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TOKENS = 8
LENGTHS = (8, 12, 16, 32, 64, 128)
TEXTS = 50


def small_bert():
    """A BERT of two layers with random weights: enough to show what padding does to a mean."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=200,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=max(LENGTHS),
    )
    return BertModel(config, add_pooling_layer=False).eval()


def pooled(model, ids, length):
    """The texts padded to `length` (id 0), pooled with the mask and without it."""
    padded = torch.zeros(len(ids), length, dtype=torch.int64)
    padded[:, :TOKENS] = ids
    mask = torch.zeros_like(padded)
    mask[:, :TOKENS] = 1
    with torch.no_grad():
        hidden = model(input_ids=padded, attention_mask=mask).last_hidden_state
    real = mask.bool().unsqueeze(-1)
    masked = hidden.masked_fill(~real, 0.0).sum(1) / real.sum(1)
    return {"with the mask": masked, "without": hidden.mean(1)}


def similarity_to_alone(model):
    """Mean cosine of each text's vector in a longer batch to that of the same text alone."""
    ids = torch.randint(1, 200, (TEXTS, TOKENS), generator=torch.Generator().manual_seed(1))
    alone = pooled(model, ids, TOKENS)["with the mask"]
    table = {}
    for length in LENGTHS:
        vectors = pooled(model, ids, length)
        table[length] = {way: float(cosine_similarity(v, alone).mean()) for way, v in vectors.items()}
    return table


def similarity_of_different_texts(model):
    """Mean cosine between vectors of different texts, all padded to the greatest length."""
    ids = torch.randint(1, 200, (TEXTS, TOKENS), generator=torch.Generator().manual_seed(1))
    result = {}
    for way, vectors in pooled(model, ids, max(LENGTHS)).items():
        between = cosine_similarity(vectors[:, None], vectors[None], dim=-1)
        result[way] = float(between[~torch.eye(TEXTS, dtype=torch.bool)].mean())
    return result


def counts_in_bfloat16():
    """What bfloat16 makes of the number of real tokens, and what is left of a sum of as many ones, one by one."""
    result = {}
    for n in (255, 257, 301, 511):
        total = torch.zeros((), dtype=torch.bfloat16)
        for _ in range(n):
            total += 1
        result[n] = {"as a number": float(torch.tensor(n).bfloat16()), "added one by one": float(total)}
    return result


def draw():
    """The cosine of a text to itself, alone, in ever longer batches."""
    results = results_of(NAME)
    figure, axes = plots(3.4)
    for way, style in (("with the mask", "o-"), ("without", "s--")):
        axes.semilogx(LENGTHS, [results["similarity"][str(length)][way] for length in LENGTHS], style, base=2)
    axes.axhline(results["between"]["with the mask"], color="black", ls=":")
    axes.text(128, 1.004, "with the mask", ha="right")
    axes.text(20, 0.962, "without the mask")
    axes.text(8, 0.919, "two different texts, with the mask")
    axes.set_xticks(LENGTHS, LENGTHS)
    axes.minorticks_off()
    axes.set(xlabel="positions that 8 tokens are padded to", ylabel="cosine to the text alone", ylim=(0.905, 1.015))
    axes.grid(alpha=0.3)
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    model = small_bert()
    similarity = similarity_to_alone(model)
    between = similarity_of_different_texts(model)
    counts = counts_in_bfloat16()
    leak = float(torch.tensor(0.0) * torch.tensor(float("nan")))
    print(f"cosine to the same text alone, {TEXTS} texts of {TOKENS} tokens, padded to")
    for length, row in similarity.items():
        print(f"{length:>5}   " + "   ".join(f"{way} {value:.3f}" for way, value in row.items()))
    print("cosine between different texts: " + ", ".join(f"{way} {value:.3f}" for way, value in between.items()))
    for n, row in counts.items():
        print(f"{n} in bfloat16: " + ", ".join(f"{way} {value:.0f}" for way, value in row.items()))
    print(f"0 x nan = {leak}")
    results = {"similarity": similarity, "between": between, "bfloat16": counts, "zero_times_nan": str(leak)}
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
