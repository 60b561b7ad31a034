"""Compares the counts and bytes of the solution of 3.02 with what peft counts and what torch allocates.

Counts: peft attaches LoRA to models of the real sizes, which are built on the `meta` device, where a tensor
has a shape and no memory. Bytes: a small Llama in bfloat16 with float32 adapters makes one step of AdamW, and
the nbytes of its parameters, gradients and moments are added up. The table for 7B is the formula.
Run: python figures/module03_lora_budget.py
"""

import json
import warnings
from pathlib import Path

import torch
from drawing import ROOT, drawing_path
from matplotlib import rcParams
from matplotlib.figure import Figure
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from tunelings.course import Course
from tunelings.grading import answers

NAME = Path(__file__).stem
ATTENTION = ["q_proj", "v_proj"]
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# The sizes that are written in the models' own config.json.
LLAMA_2_7B = LlamaConfig(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32)
SMOLLM2_135M = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    tie_word_embeddings=True,
)
TINY = LlamaConfig(
    vocab_size=500,
    hidden_size=64,
    intermediate_size=176,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
)
GB = 1e9


def linear_shapes(model):
    return {name: tuple(m.weight.shape) for name, m in model.named_modules() if isinstance(m, nn.Linear)}


def counts(answer, config, r, targets):
    """The solution's count, peft's, and the size of the base."""
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    base = model.num_parameters()
    mine = answer.lora_parameters(linear_shapes(model), r, targets)
    peft = get_peft_model(model, LoraConfig(r=r, target_modules=targets, task_type="CAUSAL_LM"))
    return {"ours": mine, "peft": peft.get_nb_trainable_parameters()[0], "base": base}


def one_step(answer):
    """The formula and the bytes of the tensors, for the small Llama after one step of AdamW."""
    torch.manual_seed(0)
    base = LlamaForCausalLM(TINY).to(torch.bfloat16)
    model = get_peft_model(base, LoraConfig(r=8, target_modules=ALL, task_type="CAUSAL_LM"))
    trained = [p for p in model.parameters() if p.requires_grad]
    frozen = [p for p in model.parameters() if not p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    ids = torch.randint(0, 500, (2, 16))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    moments = [s[key] for s in optimizer.state.values() for key in ("exp_avg", "exp_avg_sq")]
    measured = [sum(t.nbytes for t in ts) for ts in (frozen + trained, [p.grad for p in trained], moments)]
    formula = answer.training_memory(sum(p.numel() for p in frozen), sum(p.numel() for p in trained))
    steps = sum(s["step"].nbytes for s in optimizer.state.values())
    return {
        "formula": list(formula),
        "measured": [*measured, sum(measured)],
        "step counters, not in the formula": steps,
        "dtype of the adapters": str(trained[0].dtype),
    }


def seven_billion(answer, base, adapter):
    """Gigabytes of weights, gradients, optimizer and total, for ways to train Llama 2 7B."""
    memory = answer.training_memory
    ways = {
        "full, float32, AdamW": memory(0, base),
        "full, bfloat16, 8-bit AdamW": memory(0, base, trainable_bits=16, optimizer="adamw_8bit"),
        "LoRA on bfloat16": memory(base, adapter),
        "LoRA on 8 bits": memory(base, adapter, frozen_bits=8),
        "QLoRA, 4 bits": memory(base, adapter, frozen_bits=4),
        "QLoRA, double quantization": memory(base, adapter, frozen_bits=4, double_quant=True),
    }
    return {name: [round(part / GB, 2) for part in parts] for name, parts in ways.items()}


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    answer = answers.load(answers.read(Course(ROOT).find("3.02").solution_path))
    llama = {f"r = {r}, q and v": counts(answer, LLAMA_2_7B, r, ATTENTION) for r in (8, 16)}
    llama |= {f"r = {r}, all seven": counts(answer, LLAMA_2_7B, r, ALL) for r in (8, 16, 64)}
    base, adapter = llama["r = 16, all seven"]["base"], llama["r = 16, all seven"]["ours"]
    rest = 2 * 32000 * 4096 + (2 * 32 + 1) * 4096  # embeddings, output head, norms: not quantized, in float32
    linear = answer.training_memory(base - rest, adapter, frozen_bits=4, double_quant=True)
    with_rest = round((linear.total + 4 * rest) / GB, 2)
    scales = {
        "bits a weight, 4 bits": answer.training_memory(2**27, 0, frozen_bits=4).weights * 8 / 2**27,
        "bits a weight, double quantization": round(
            answer.training_memory(2**27, 0, frozen_bits=4, double_quant=True).weights * 8 / 2**27, 3
        ),
    }
    results = {
        "Llama 2 7B": llama,
        "SmolLM2 135M, r = 8, all seven": counts(answer, SMOLLM2_135M, 8, ALL),
        "small Llama, bytes of weights, gradients, moments, total": one_step(answer),
        "Llama 2 7B, r = 16, GB of weights, gradients, optimizer, total": seven_billion(answer, base, adapter),
        "Llama 2 7B, r = 16, GB of QLoRA with embeddings, head and norms in float32": with_rest,
        "Llama 2 7B, r = 16, LoRA on bfloat16 in GiB": round(answer.training_memory(base, adapter).total / 2**30, 1),
        "scales": scales,
        "share of the base, r = 16, all seven": round(adapter / base, 5),
    }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    folder = Path(__file__).parent
    (folder / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plot(results["Llama 2 7B, r = 16, GB of weights, gradients, optimizer, total"], drawing_path(NAME))


def plot(ways, path):
    rcParams["svg.hashsalt"] = NAME  # the same file in every run
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    names = list(reversed(ways))
    left = [0.0] * len(names)
    for part, label in enumerate(("weights", "gradients", "optimizer")):
        widths = [ways[name][part] for name in names]
        axes.barh(names, widths, left=left, label=label)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for row, name in enumerate(names):
        beside = (4 if left[row] < 13 or left[row] > 16 else 14, 0)  # not under the line at 16
        axes.annotate(f"{ways[name][3]:.1f}", (left[row], row), beside, textcoords="offset points", va="center")
    axes.axvline(16, linestyle=":", color="tab:red", label="a 16 GB card")
    axes.set(xlabel="GB, without activations", xlim=(0, 125))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
