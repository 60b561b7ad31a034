"""Adapter patterns on one task, by peft: share of the parameters that train, and the held-out loss. JSON.

python figures/background_adapters.py

The task of figures/module03_lora_learning_rate.py: a small Llama that answers one way learns to answer another way.
Each method gets the same updates at three rates, and its best mean is reported with its rate. The bottleneck adapter is
written here: peft has none of that kind.
"""

import copy
import json
import os
import statistics
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import random

import torch
from module03_lora_learning_rate import held_out_loss, pairs, tensors, train_all
from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model

from tunelings.course import Course
from tunelings.grading import answers
from tunelings.handson import tiny

HERE = Path(__file__).parent
NAME = Path(__file__).stem
STEPS, BATCH, SEEDS, RANK = 60, 16, 2, 4
RATES = (1e-3, 1e-2, 1e-1)
ROOT = HERE.parent


class Bottleneck(torch.nn.Module):
    """Houlsby's adapter around a block: down to `rank`, a nonlinear function, up again, added; zero at the start."""

    def __init__(self, block, hidden, rank):
        super().__init__()
        self.block, self.down, self.up = block, torch.nn.Linear(hidden, rank), torch.nn.Linear(rank, hidden)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, hidden):
        out = self.block(hidden)
        return out + self.up(torch.relu(self.down(out)))


def bottleneck(model):
    model.requires_grad_(False)
    for layer in model.model.layers:
        layer.mlp = Bottleneck(layer.mlp, model.config.hidden_size, 2 * RANK)
    return model


def lora(**options):
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM", **options)
    return lambda model: get_peft_model(model, config)


METHODS = {
    "all weights": lambda model: model,
    "LoRA": lora(),
    "rsLoRA": lora(use_rslora=True),
    "DoRA": lora(use_dora=True),
    "IA3": lambda model: get_peft_model(
        model,
        IA3Config(
            target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM"
        ),
    ),
    "bottleneck": bottleneck,
    "prefix": lambda model: get_peft_model(model, PrefixTuningConfig(num_virtual_tokens=8, task_type="CAUSAL_LM")),
    "prompt": lambda model: get_peft_model(model, PromptTuningConfig(num_virtual_tokens=8, task_type="CAUSAL_LM")),
}


def train(model, dataset, rate, seed):
    ids, labels = tensors(dataset)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    order = torch.Generator().manual_seed(seed)
    model.train()
    for _ in range(STEPS):
        part = torch.randint(len(ids), (BATCH,), generator=order)
        optimizer.zero_grad()
        model(input_ids=ids[part], attention_mask=torch.ones_like(ids[part]), labels=labels[part]).loss.backward()
        optimizer.step()
    return model


@torch.no_grad()
def loss_of(model, dataset):
    ids, labels = tensors(dataset)
    return model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss.item()


def base_and_data(answer, seed):
    draw, tokenizer = random.Random(seed), tiny.chat_tokenizer()
    first = answer.build_dataset(pairs(640, lambda p: f"{draw.choice(p)} {p[0]}", draw), tokenizer, 32)
    base = train_all(tiny.llama(seed, hidden=64, layers=2), first, 3e-3, 200, 32, seed)
    new = answer.build_dataset(pairs(512, lambda p: f"{p[2]} {p[1]}", draw), tokenizer, 32)
    held_out = answer.build_dataset(pairs(100, lambda p: f"{p[2]} {p[1]}", draw), tokenizer, 32)
    return base, new, held_out


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    answer = answers.load(answers.read(Course(ROOT).find("3.12").solution_path))
    prepared = [base_and_data(answer, seed) for seed in range(SEEDS)]
    total = sum(parameter.numel() for parameter in prepared[0][0].parameters())
    results = {"before": statistics.fmean(held_out_loss(base, held_out) for base, _, held_out in prepared)}
    results |= {"base": total, "steps": STEPS, "seeds": SEEDS, "rank": RANK, "methods": {}}
    for name, wrap in METHODS.items():
        rows = []
        for rate in RATES:
            losses = []
            for seed, (base, new, held_out) in enumerate(prepared):
                torch.manual_seed(seed)
                model = wrap(copy.deepcopy(base))
                trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
                losses.append(loss_of(train(model, new, rate, seed), held_out))
            rows.append({"rate": rate, "loss": statistics.fmean(losses), "lowest": min(losses), "highest": max(losses)})
        best = min(rows, key=lambda row: row["loss"])
        results["methods"][name] = {**best, "trainable": trainable, "share": trainable / total}
        print(name, results["methods"][name], flush=True)
        (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
