"""Compares three ways to serve many adapters with one base: switching, merging and taking out, and copies.

A Llama of 4 layers and width 128 gets ten LoRA adapters of rank 8 on all seven projections, whose updates are
about a hundredth of the weights. Counted: bytes of all parameters. Measured: how far the base is from what it
was after many requests, each with its own adapter, in bfloat16 and float32.
Run: python figures/module03_adapter_switching.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import copy
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from drawing import FROZEN, PLAIN, ROOT, TRAINS, arrow, box, results_of, save, sheet
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import LlamaConfig, LlamaForCausalLM

from tunelings.course import Course
from tunelings.grading import answers

NAME = Path(__file__).stem
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = 10
REQUESTS = (1, 10, 100)


def model_and_adapters(folder):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=500,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    base = LlamaForCausalLM(config).eval()
    for number in range(ADAPTERS):
        lora = LoraConfig(r=8, lora_alpha=16, target_modules=ALL, task_type="CAUSAL_LM")
        model = get_peft_model(copy.deepcopy(base), lora)
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(parameter, std=7e-4)
        model.save_pretrained(folder / f"adapter{number}")
    return base


def weights(model):
    """The tensors of the base's own parameters, by names that do not tell whether adapters are there."""
    named = model.named_parameters()
    return {key.replace(".base_layer", ""): p.detach() for key, p in named if ".lora_" not in key}


def library_with(answer, base, folder, count=ADAPTERS):
    library = answer.AdapterLibrary(base)
    for number in range(count):
        library.add(f"adapter{number}", folder / f"adapter{number}")
    return library


@torch.no_grad()
def drift(answer, base, folder, way):
    """After each count of requests: the share of weights that changed, and how far the logits are off."""
    model = copy.deepcopy(base)
    library = library_with(answer, model, folder)
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    ids = torch.randint(0, 500, (4, 16), generator=torch.Generator().manual_seed(1))
    before, logits = weights(base), base(input_ids=ids).logits.float()
    found = {}
    for request in range(1, max(REQUESTS) + 1):
        with library.using(f"adapter{request % ADAPTERS}"):
            if way == "merged":
                for layer in layers:
                    layer.merge()
                    layer.unmerge()
        if request in REQUESTS:
            now = weights(model)
            changed = sum(int((now[key] != before[key]).sum()) for key in before)
            share = changed / sum(values.numel() for values in before.values())
            off = (model(input_ids=ids).logits.float() - logits).abs().max()
            found[f"{request}"] = [round(share, 4), float(f"{float(off):.2g}")]
    return found


def draw():
    """One layer with three adapters of which one is on, and what ten adapters cost in two ways."""
    numbers = results_of(NAME)["parameters"]
    figure, axes = sheet(4.9, 0.66)
    height = 4.9 * 6.6
    axes.text(1, height - 2.5, "one layer, three adapters, and a note")
    axes.text(2, 16, "x", ha="center", va="center")
    box(axes, 12, 23, 22, 5, "W, frozen", FROZEN, "//")
    arrow(axes, (3.5, 16.6), (11.7, 25.5))
    arrow(axes, (34, 25.5), (41.2, 17.4))
    for name, y in (("a", 16), ("b", 10), ("c", 4)):
        on = name == "b"
        box(axes, 12, y, 10, 4, f"A, {name}", TRAINS if on else PLAIN, line="-" if on else ":")
        box(axes, 24, y, 10, 4, f"B, {name}", TRAINS if on else PLAIN, line="-" if on else ":")
        if on:
            arrow(axes, (3.5, 15.2), (11.7, y + 2))
            arrow(axes, (22, y + 2), (23.8, y + 2))
            arrow(axes, (34, y + 2), (41.2, 15))
    axes.text(42.5, 16.2, "+", ha="center", va="center", fontsize=14, bbox={"boxstyle": "circle", "fc": "white"})
    arrow(axes, (44.3, 16.2), (48, 16.2))
    axes.text(49.5, 16.2, "y", ha="center", va="center")
    axes.text(36, 6.6, 'active = "b"', bbox={"boxstyle": "round", "fc": "white"}, family="monospace")
    axes.text(36, 2.8, "switching writes\nthis note only", va="center", fontsize=9.5)
    bars = figure.add_axes((0.28, 0.1, 0.68, 0.2))
    base, ten = numbers["base"] / 1e6, numbers["base and 10 adapters"] / 1e6
    copies = numbers["10 copies with an adapter each"] / 1e6
    bars.barh([1, 0], [base, 10 * base], 0.6, fc=FROZEN, ec="0.5", hatch="//")
    bars.barh([1, 0], [ten - base, copies - 10 * base], 0.6, [base, 10 * base], fc=TRAINS, ec="black")
    bars.text(ten + 0.1, 1, f"{ten:.2f}", va="center")
    bars.text(copies + 0.1, 0, f"{copies:.2f}", va="center")
    bars.set_yticks([1, 0], ["1 base,\n10 adapters", "10 copies"])
    bars.set(xlabel="million parameters; hatched: base", xlim=(0, 11))
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    answer = answers.load(answers.read(Course(ROOT).find("3.07").solution_path))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = model_and_adapters(folder)
        first = get_peft_model(copy.deepcopy(base), LoraConfig.from_pretrained(folder / "adapter0"))
        layer = next(m for m in first.modules() if isinstance(m, LoraLayer))
        del first
        numbers = [sum(p.numel() for p in base.parameters())]
        for count in (1, ADAPTERS):
            library = library_with(answer, copy.deepcopy(base), folder, count)
            with library.using(None) as model:
                numbers.append(sum(p.numel() for p in model.parameters()))
        with library.using("adapter0") as model:
            layer = next(m for m in model.modules() if isinstance(m, LoraLayer))
            size = layer.get_delta_weight("adapter0").norm() / layer.weight.norm()
        results = {
            "size of an update beside its weight": float(f"{float(size):.2g}"),
            "parameters": {
                "base": numbers[0],
                "base and 1 adapter": numbers[1],
                "base and 10 adapters": numbers[2],
                "10 copies with an adapter each": ADAPTERS * numbers[1],
                "share of one adapter": round(numbers[1] / numbers[0] - 1, 4),
            },
            "share of changed weights, largest change of a logit, after n requests": {
                f"{way}, {str(dtype).removeprefix('torch.')}": drift(answer, copy.deepcopy(base).to(dtype), folder, way)
                for way in ("switched", "merged")
                for dtype in (torch.bfloat16, torch.float32)
            },
        }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
