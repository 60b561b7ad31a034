"""Measures how much of a LoRA update is left after merging it into weights of different precision.

One layer of 512 x 512 with weights of standard deviation 0.02, and updates of rank 8 that are 1, 0.1, 0.01 and
0.001 times as large. Then a tiny Llama in float32 and in bfloat16: its logits with the adapter beside and merged.
Run: python figures/module03_merge_weights.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from drawing import plots, results_of, save
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

NAME = Path(__file__).stem
SIZES = (1.0, 0.1, 0.01, 0.001)


def lost(merged, base, update):
    """The share of the update that is missing or wrong: |merged - base - update| / |update|."""
    return float(((merged.double() - base.double() - update).norm() / update.norm()).item())


def four_bit(weight):
    return dequantize_4bit(*quantize_4bit(weight.float(), blocksize=64, quant_type="nf4"))


def one_layer(size):
    """The loss of the update by way of merging; the base is the exact one of each way."""
    generator = torch.Generator().manual_seed(0)
    weight = 0.02 * torch.randn(512, 512, generator=generator)
    a = torch.randn(8, 512, generator=generator)
    b = torch.randn(512, 8, generator=generator)
    product = b.double() @ a.double()
    scale = float(size * 0.02 / product.std())
    b = b * scale
    update = b.double() @ a.double()
    half = weight.bfloat16()
    in_half = half + b.bfloat16() @ a.bfloat16()
    once = (half.float() + b @ a).bfloat16()
    base_4 = four_bit(weight)
    return {
        "float32": lost(weight + b @ a, weight, update),
        "bfloat16, summed in float32": lost(once, half, update),
        "bfloat16, summed in bfloat16": lost(in_half, half, update),
        "4-bit": lost(four_bit(base_4 + b @ a), base_4, update),
    }


def put_random(parameters, std):
    for parameter in parameters:
        torch.nn.init.normal_(parameter, std=std)


def tiny_llama(dtype):
    """Largest change of a logit by merging, the largest logit, and the bytes of adapter, base and merged file."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=256, **sizes)).to(dtype)
    put_random((p for p in model.parameters() if p.dim() == 2), std=0.1)
    ids = torch.randint(0, 256, (8, 16), generator=torch.Generator().manual_seed(1))
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        folder = Path(name)
        model.save_pretrained(folder / "base")
        config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
        adapted = get_peft_model(model, config)
        put_random((p for p in adapted.parameters() if p.requires_grad), std=0.03)
        beside = adapted.eval()(input_ids=ids).logits.float()
        adapted.save_pretrained(folder / "adapter")
        base = AutoModelForCausalLM.from_pretrained(folder / "base")
        PeftModel.from_pretrained(base, folder / "adapter").merge_and_unload().save_pretrained(folder / "merged")
        merged = AutoModelForCausalLM.from_pretrained(folder / "merged")(input_ids=ids).logits.float()
        files = ("base/model", "adapter/adapter_model", "merged/model")
        return {
            "largest change of a logit": float(f"{(merged - beside).abs().max().item():.2g}"),
            "largest logit": round(beside.abs().max().item(), 2),
            "bytes": {file: os.path.getsize(folder / f"{file}.safetensors") for file in files},
        }


def draw():
    """The share of an update that is lost by merging it, by its size."""
    results = results_of(NAME)
    styles = {
        "4-bit": ("^:", "4-bit (NF4)"),
        "bfloat16, summed in bfloat16": ("x-.", "bfloat16, all in bfloat16"),
        "bfloat16, summed in float32": ("s--", "bfloat16, summed in float32"),
        "float32": ("o-", "float32"),
    }
    figure, axes = plots(4.2)
    for way, (style, label) in styles.items():
        axes.loglog(SIZES, [results[f"update {size:g} times the weights"][way] for size in SIZES], style, label=label)
    axes.axhline(1, color="black", lw=0.8)
    axes.text(1, 1.5, "nothing is left of the update", ha="right")
    axes.set(xlabel="size of the update / size of the weights", ylabel="share missing or wrong", ylim=(1e-8, 10))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    save(figure, NAME)


def main():
    warnings.simplefilter("ignore")
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    results = {
        f"update {size:g} times the weights": {way: float(f"{share:.2g}") for way, share in one_layer(size).items()}
        for size in SIZES
    }
    results["tiny Llama, float32"] = tiny_llama(torch.float32)
    results["tiny Llama, bfloat16"] = tiny_llama(torch.bfloat16)
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
