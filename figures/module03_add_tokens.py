"""Measures what four ways to start the rows of new tokens do to a small model, and how large the adapter gets.

A Llama of 2 layers learns a random walk over 40 words; then 5 tokens are added. Measured on new walks, before
any training: how much probability the new tokens take from the old, and the loss. A second model learns the
same with logits about -10. Then the numbers in an adapter with two new tokens, for the size of SmolLM2 135M,
counted by peft on the meta device.
Run: python figures/module03_add_tokens.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import copy
import json
import logging
import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import FROZEN, TRAINS, plots, results_of, save
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

NAME = Path(__file__).stem
WORDS, ADDED, STEPS = 40, 5, 300
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# The sizes that are written in the model's own config.json.
SMOLLM2_135M = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    tie_word_embeddings=True,
)


def walks(count, generator):
    """Rows of 24 words in which each word is followed by one of three."""
    following = torch.randint(WORDS, (WORDS, 3), generator=torch.Generator().manual_seed(1))
    rows = [torch.randint(WORDS, (count,), generator=generator)]
    for _ in range(23):
        choice = torch.randint(3, (count,), generator=generator)
        rows.append(following[rows[-1], choice])
    return torch.stack(rows, dim=1)


def trained(tied, level=None):
    """A trained model; with a level, one whose logits are about there in the mean, which softmax does not see."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        tie_word_embeddings=tied,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        ids = walks(32, generator)
        output = model(input_ids=ids, labels=ids)
        loss = output.loss
        if level is not None:
            loss = loss + 0.1 * ((output.logits.mean(dim=-1) - level) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def extended(model, way):
    """A copy with rows for the added tokens, started in one of the ways."""
    model = copy.deepcopy(model)
    torch.manual_seed(3)
    model.resize_token_embeddings(WORDS + ADDED, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        rows = layer.weight
        if way == "mean":
            rows[WORDS:] = rows[:WORDS].mean(dim=0)
        elif way == "zero":
            rows[WORDS:] = 0
        elif way == "normal, std of the old rows":
            rows[WORDS:] = rows[:WORDS].std() * torch.randn(ADDED, rows.shape[1])
    return model


@torch.no_grad()
def measured(model):
    """The share of the probability that the new tokens take, in the mean, and the loss on old words."""
    ids = walks(200, torch.Generator().manual_seed(4))
    logits = model(input_ids=ids).logits
    taken = logits.softmax(dim=-1)[..., WORDS:].sum(dim=-1)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    return {"taken": float(f"{float(taken.mean()):.2g}"), "loss": round(float(loss), 3)}


def adapter_sizes():
    """Numbers that train, with LoRA of rank 8 on all projections and two new tokens, tied as SmolLM2 is."""
    sizes = {}
    ids = [49152, 49153]
    ways = {
        "LoRA alone": {},
        "and the two rows": {"trainable_token_indices": {"embed_tokens": ids, "lm_head": ids}},
        "and embedding and head by modules_to_save": {"modules_to_save": ["embed_tokens", "lm_head"]},
    }
    for name, options in ways.items():
        config = copy.deepcopy(SMOLLM2_135M)
        config.vocab_size += 2
        with torch.device("meta"):
            model = LlamaForCausalLM(config)
            lora = LoraConfig(r=8, target_modules=ALL, task_type="CAUSAL_LM", **options)
            peft_model = get_peft_model(model, lora)
        sizes[name] = sum(p.numel() for p in peft_model.parameters() if p.requires_grad)
    return sizes


def draw():
    """Why a row of zeros takes all where logits are low, and the share that the new tokens took."""
    results = results_of(NAME)
    figure, (logits, bars) = plots(5.6, 2)
    old = [1.5, -2.0, 0.5, 2.5, -1.0, -1.5, 1.0, -1.0]  # drawn by hand, with mean 0
    for level, style, x in ((0, "o", 8.8), (-10, "s", 9.2)):
        logits.plot(range(8), [level + z for z in old], style, color="C0", mfc="white")
        logits.plot([x, x + 2], [0, level], style, color="black")
    logits.axhline(0, lw=0.6, color="0.5", zorder=0)
    logits.set_xticks([3.5, 9, 11], ["old tokens", "new:\nzero", "new:\nmean"])
    logits.set(ylabel="logit (a sketch)", ylim=(-14, 5), xlim=(-0.7, 12.2))
    ways = {
        "the mean": "mean",
        "zero": "zero",
        "random,\nstd 0.02": "as transformers draws, std 0.02",
        "random, std\nof the old": "normal, std of the old rows",
    }
    for shift, kind, fill, hatch in ((-0.2, "untied", TRAINS, None), (0.2, "untied, logits about -10", FROZEN, "//")):
        shares = [results[kind][way]["taken"] for way in ways.values()]
        places = [i + shift for i in range(len(ways))]
        bars.bar_label(bars.barh(places, shares, 0.4, fc=fill, ec="0.3", hatch=hatch), padding=3)
    bars.set_yticks(range(len(ways)), ways)
    bars.set(xlabel="share that five new tokens take", xlim=(0, 1.15), ylim=(3.5, -0.6))
    bars.legend(["logits about 0 (circles)", "about -10 (squares)"], loc="upper right")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    results = {"numbers that train, SmolLM2 135M": adapter_sizes()}
    kinds = {"tied": (True, None), "untied": (False, None), "untied, logits about -10": (False, -10.0)}
    for kind, options in kinds.items():
        model = trained(*options)
        part = {"before": measured(model)}
        for way in ("mean", "zero", "as transformers draws, std 0.02", "normal, std of the old rows"):
            part[way] = measured(extended(model, way))
        results[kind] = part
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
