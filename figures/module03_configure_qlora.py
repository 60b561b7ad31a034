"""The figure of the lesson "Configure QLoRA": one small model, kept in five ways, adapted in 200 steps.

python figures/module03_configure_qlora.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import bitsandbytes
import torch
import torch.nn.functional as F
import transformers
from bitsandbytes.functional import dequantize_4bit
from drawing import FROZEN, TRAINS, arrow, box, results_of, save, sheet
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
NAME = Path(__file__).stem
WORDS, LENGTH, BATCH = 24, 8, 32  # A sequence is eight words, a mark, and the partner of each word.
PRETRAINING, ADAPTING = 400, 200  # steps
NF4 = {"bnb_4bit_quant_type": "nf4"}
DOUBLE = {"bnb_4bit_use_double_quant": True}
BF16 = {"bnb_4bit_compute_dtype": torch.bfloat16}
WAYS = {
    "not quantized": None,
    "load_in_4bit alone": {},
    "fp4, bf16": BF16,
    "nf4, bf16": {**NF4, **BF16},
    "nf4, double, bf16": {**NF4, **DOUBLE, **BF16},
}


def batch(task, generator, size=BATCH):
    """Ids and labels: in task 0 and 1 each word has another partner."""
    words = torch.randint(WORDS, (size, LENGTH), generator=generator)
    partners = torch.randperm(WORDS, generator=torch.Generator().manual_seed(10 + task))
    ids = torch.cat([words, torch.full((size, 1), WORDS), partners[words]], dim=1)
    return ids, ids.clone().index_fill_(1, torch.arange(LENGTH + 1), -100)


def loss_of(model, ids, labels):
    logits = model(input_ids=ids).logits.float()
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def train(model, task, steps, lr, generator):
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)
    for _ in range(steps):
        loss = loss_of(model, *batch(task, generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def tested(model, task):
    """The loss on 200 new sequences. Train mode: a pass in eval mode may repack 4-bit weights."""
    with torch.no_grad():
        return loss_of(model.train(), *batch(task, torch.Generator().manual_seed(99), 200)).item()


def pretrained(folder):
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=WORDS + 1, bos_token_id=None, eos_token_id=None, **sizes))
    train(model, 0, PRETRAINING, 3e-3, torch.Generator().manual_seed(1))
    model.to(torch.bfloat16).save_pretrained(folder)


def load(folder, options):
    if options is None:
        return AutoModelForCausalLM.from_pretrained(folder, device_map="cpu").float()
    config = BitsAndBytesConfig(load_in_4bit=True, **options)
    return AutoModelForCausalLM.from_pretrained(folder, quantization_config=config, device_map="cpu")


def lora(model):
    torch.manual_seed(5)
    config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)


def with_lora(model):
    return lora(prepare_model_for_kbit_training(model))


def error_and_bits(model, original):
    """Error of all 4-bit weights together, as a share of their norm, and the bits that each of them takes."""
    difference = norm = taken = count = 0
    for name, layer in model.named_modules():
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            weight, state = original.get_submodule(name).weight.float(), layer.weight.quant_state
            back = dequantize_4bit(layer.weight.data, state).float()
            difference += (back - weight).square().sum().item()
            norm += weight.square().sum().item()
            scales = [state.absmax] + ([state.state2.absmax] if state.nested else [])
            taken += 8 * sum(part.numel() * part.element_size() for part in (layer.weight.data, *scales))
            count += weight.numel()
    return ((difference / norm) ** 0.5, taken / count) if count else (0.0, 16.0)


def layer_runs(model):
    """How often the two decoder layers run in one training step."""
    runs = []
    handles = [
        module.register_forward_pre_hook(lambda *_: runs.append(1))
        for name, module in model.named_modules()
        if name.endswith("input_layernorm")
    ]
    loss_of(model.train(), *batch(1, torch.Generator().manual_seed(3))).backward()
    for handle in handles:
        handle.remove()
    return len(runs)


def draw():
    """One projection of a QLoRA model, and what is left to train in two orders of the calls."""
    results = results_of(NAME)
    bits = results["nf4, double, bf16"]["bits"]
    right, wrong = (results[order]["trainable"] for order in ("prepared, then attached", "attached, then prepared"))
    figure, axes = sheet(4.7)
    box(axes, 9, 40, 26, 6, f"codes and scales, {bits:.2f} bits\nstored, frozen", FROZEN, "//")
    arrow(axes, (22, 40), (22, 36.2))
    axes.text(23, 38, "dequant, for each product", va="center")
    box(axes, 9, 30, 26, 6, "W, bfloat16\ncomputed, not kept", line="--")
    for x, name in ((9, "A"), (23, "B")):
        box(axes, x, 13, 12, 6, f"{name}, float32\ntrains", TRAINS)
        arrow(axes, (x + 6, 24.5), (x + 6, 19.2), line="--")
    for start, end in (((3, 26), (8.7, 32)), ((3, 23), (8.7, 17)), ((21, 16), (22.8, 16))):
        arrow(axes, start, end)
    for start, end in (((35.2, 32), (40.2, 26.4)), ((35.2, 17), (40.2, 22.6)), ((43.7, 24.5), (48, 24.5))):
        arrow(axes, start, end)
    arrow(axes, (39.3, 24.5), (3, 24.5), line="--")
    axes.text(22, 25.5, "gradient: none for the codes", ha="center")
    for x, name in ((1.5, "x"), (49.5, "y")):
        axes.text(x, 24.5, name, ha="center", va="center")
    axes.text(41.6, 24.5, "+", ha="center", va="center", fontsize=14, bbox={"boxstyle": "circle", "fc": "white"})
    axes.text(1, 8.5, "order of the calls, and how many numbers train:")
    axes.text(1, 4.9, f"load, prepare, attach: {right:,}")
    axes.text(1, 1.5, f"load, attach, prepare: {wrong:,}, for prepare freezes all")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        pretrained(folder)
        original = AutoModelForCausalLM.from_pretrained(folder)
        print(f"{'':<22}{'bits':>7}{'error':>8}{'old task':>10}{'new task':>10}{'adapted':>9}")
        for way, options in WAYS.items():
            model = load(folder, options)
            error, bits = error_and_bits(model, original)
            old, new = tested(model, 0), tested(model, 1)
            model = with_lora(model)
            train(model, 1, ADAPTING, 3e-3, torch.Generator().manual_seed(2))
            adapted = tested(model, 1)
            row = {"bits": bits, "error": error, "old_task": old, "new_task": new, "adapted": adapted}
            results[way] = {key: round(value, 4) for key, value in row.items()}
            print(f"{way:<22}{bits:>7.3f}{error:>8.4f}{old:>10.4f}{new:>10.3f}{adapted:>9.4f}")

        paper = {**NF4, **DOUBLE, **BF16}
        orders = {
            "prepared, then attached": with_lora(load(folder, paper)),
            "attached, not prepared": lora(load(folder, paper)),
            "attached, then prepared": prepare_model_for_kbit_training(lora(load(folder, paper))),
        }
        for order, model in orders.items():
            trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
            head = str(model.get_base_model().lm_head.weight.dtype).removeprefix("torch.")
            results[order] = {"head": head, "layer_runs": layer_runs(model), "trainable": trainable}
            print(f"{order:<26}{trainable:>8} trainable, head {head}, {results[order]['layer_runs']} layer runs a step")
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
