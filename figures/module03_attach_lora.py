"""Counts what three choices of target modules train, and shows what a missing task_type does to a classifier.

The counts are of models in the default sizes of their config classes, built without memory on the meta device.
The classifier is a tiny Llama that learns whether the first token is one of the upper half of the vocabulary.
Run: python figures/module03_attach_lora.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from drawing import FROZEN, TRAINS, box, results_of, save, sheet
from matplotlib.patches import Rectangle
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    LlamaForSequenceClassification,
    PhiConfig,
    Qwen2Config,
)

NAME = Path(__file__).stem
RANK = 8
ATTENTION = {
    "Llama": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "Qwen2": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "Phi": ["q_proj", "k_proj", "v_proj", "dense"],
    "GPT-2": ["attn.c_attn", "attn.c_proj"],
}
CONFIGS = {"Llama": LlamaConfig, "Qwen2": Qwen2Config, "Phi": PhiConfig, "GPT-2": GPT2Config}


def counts(family, targets):
    """Numbers in the model, in its adapters, and how many layers have one."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(CONFIGS[family]())
        total = sum(p.numel() for p in model.parameters())
        config = LoraConfig(r=RANK, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM")
        model = get_peft_model(model, config)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    layers = sum(name.endswith("lora_A.default") for name, _ in model.named_modules())
    return {"adapters": layers, "model": total, "trainable": trainable}


def classifier(seed):
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForSequenceClassification(LlamaConfig(vocab_size=40, pad_token_id=0, num_labels=2, **sizes))
    torch.manual_seed(0)  # The backbone stands for one pretrained checkpoint: the same in every model.
    for parameter in model.model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def data(count, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 40, (count, 6), generator=generator)
    return ids, (ids[:, 0] >= 20).long()


def scores(model):
    with torch.no_grad():
        return model.eval()(input_ids=data(1000, seed=2)[0]).logits


def accuracy(found):
    return round((found.argmax(-1) == data(1000, seed=2)[1]).double().mean().item(), 3)


def train_save_load(**options):
    """The accuracy on 1000 new rows after 200 steps, and after saving and loading on three new models."""
    model = get_peft_model(classifier(seed=1), LoraConfig(r=RANK, lora_alpha=16, **options)).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    for step in range(200):
        ids, labels = data(32, seed=100 + step)
        loss = torch.nn.functional.cross_entropy(model(input_ids=ids).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with tempfile.TemporaryDirectory() as folder:
        trained = scores(model)
        model.save_pretrained(folder)
        loaded = [scores(PeftModel.from_pretrained(classifier(seed), folder)) for seed in (2, 3, 4)]
    return {
        "accuracy after training": accuracy(trained),
        "accuracy loaded on three new models": [accuracy(found) for found in loaded],
        "largest difference of a score": round(max((found - trained).abs().max().item() for found in loaded), 2),
        "largest score": round(trained.abs().max().item(), 2),
    }


def draw():
    """Which modules of a Llama get an adapter, for three choices of target_modules and a classifier."""
    layer = ("down_proj", "up_proj", "gate_proj", "norms", "o_proj", "v_proj", "k_proj", "q_proj")
    rows = ("head", *layer, "embed_tokens")
    linear = {name for name in layer if name != "norms"}
    choices = {
        "default": ({"q_proj", "v_proj"}, "peft's default"),
        "attention": (set(ATTENTION["Llama"]), "attention"),
        "all-linear": (linear, "all projections"),
        "all-linear,\nSEQ_CLS": (linear, None),
    }
    results = results_of(NAME)
    figure, axes = sheet(5.0)
    places = [42.8, *[38.7 - 3.2 * i for i in range(8)], 12]
    axes.add_patch(Rectangle((3, 15.6), 48.5, 26.4, fill=False, ls="--", lw=0.8))
    axes.text(1.8, 29, "32 layers", rotation=90, va="center", ha="center")
    for name, y in zip(rows, places, strict=True):
        axes.text(4, y + 1.2, name, va="center")
    for column, (title, (targets, key)) in enumerate(choices.items()):
        x = 17 + 8.7 * column
        axes.text(x + 4, 46.3, title, ha="center")
        for name, y in zip(rows, places, strict=True):
            if name in targets:
                box(axes, x, y, 8, 2.5, "A, B", TRAINS)
            elif name == "head" and key is None:
                box(axes, x, y, 8, 2.5, "whole", TRAINS)
            else:
                box(axes, x, y, 8, 2.5, fill=FROZEN, hatch="///")
        if key:
            found = results[f"Llama, {key}"]
            axes.text(x + 4, 8, f"{found['trainable'] / 1e6:.1f} M\n{found['percent']}%", ha="center")
        else:
            axes.text(x + 4, 8, "and all of\nthe head", ha="center")
    axes.text(4, 8, "train, and\ntheir share")
    box(axes, 4, 2, 8, 2.5, fill=FROZEN, hatch="///")
    axes.text(13, 3.2, "frozen     whole: trains without an adapter", va="center")
    save(figure, NAME)


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    results = {}
    for family in CONFIGS:
        choices = {"attention": ATTENTION[family], "peft's default": None, "all projections": "all-linear"}
        for choice, targets in choices.items():
            found = counts(family, targets)
            found["percent"] = round(100 * found["trainable"] / found["model"], 3)
            results[f"{family}, {choice}"] = found
    names = [*ATTENTION["Llama"], "gate_proj", "up_proj", "down_proj"]
    results["classifier, SEQ_CLS"] = train_save_load(target_modules="all-linear", task_type="SEQ_CLS")
    results["classifier, no task_type, all-linear"] = train_save_load(target_modules="all-linear")
    results["classifier, no task_type, names of the backbone"] = train_save_load(target_modules=names)
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
