"""One real training step with random weights, and the memory it took: run by measure.py in a process of its own.

    python -m tunelings.handson.real_step '{"device": null}'                 the device, its name and the GiB free
    python -m tunelings.handson.real_step '{"run": {…}, "device": "cpu"}'    the memory of a run of memory.py

The last line it prints is JSON. Weights are drawn on the device, one tensor at a time, so nothing is downloaded and
building a model never takes more than the model does.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import torch
from torch import nn

from tunelings.handson.memory import GIB, Run, Sizes
from tunelings.handson.precision import sixteen_bits

# The first step makes the optimizer's moments, so only the second one holds all that a run keeps.
STEPS = 2
SAMPLE_SECONDS = 0.005


def room() -> dict:
    """The device that training would take, its name, and its free memory in GiB."""
    if torch.cuda.is_available():
        return {"device": "cuda", "name": torch.cuda.get_device_name(), "free_gib": torch.cuda.mem_get_info()[0] / GIB}
    return {"device": "cpu", "name": "CPU, process memory", "free_gib": psutil.virtual_memory().available / GIB}


# ---------------------------------------------------------------- the models
def digits_network() -> nn.Module:
    """Two convolutions and two linear layers for 28 x 28 images, 1,199,882 parameters."""
    convolutions = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))


def empty(run: Run) -> Any:
    """The transformer of a run without memory for its weights: a Llama with a head, or a BERT with a classifier."""
    from accelerate import init_empty_weights
    from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM

    sizes = run.sizes
    shared = {
        "vocab_size": sizes.vocab,
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "max_position_embeddings": max(512, run.length),
        "attn_implementation": "eager" if run.stored_scores else "sdpa",
    }
    with init_empty_weights(include_buffers=False):
        if not sizes.decoder:
            return BertForSequenceClassification(BertConfig(**shared))
        of_a_decoder = {"num_key_value_heads": sizes.kv_heads, "head_dim": sizes.head_dim}
        tied = {"tie_word_embeddings": sizes.tied, "use_cache": False}
        return LlamaForCausalLM(LlamaConfig(**shared, **of_a_decoder, **tied))


def fill(model: Any, device: str, dtype: torch.dtype) -> None:
    """Give each weight random values on the device; a norm gets ones. Quantized layers quantize what they are given."""
    from accelerate.utils import set_module_tensor_to_device

    for name, parameter in list(model.named_parameters()):
        value = torch.ones(parameter.shape, device=device, dtype=dtype)
        if parameter.ndim > 1:
            value.normal_(std=0.02)
        set_module_tensor_to_device(model, name, device, value=value, dtype=dtype)
    model.tie_weights()
    model.to(device)  # the buffers


def transformer(run: Run, device: str) -> nn.Module:
    """The model of a run on the device, ready to train by its method: float32, or 16 bits as the method keeps them."""
    model = empty(run)
    if run.method == "qlora":
        from peft import prepare_model_for_kbit_training
        from transformers import BitsAndBytesConfig
        from transformers.integrations.bitsandbytes import replace_with_bnb_linear

        nf4 = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=sixteen_bits(device),
        )
        model = replace_with_bnb_linear(model, ["lm_head"], nf4)
        model.is_loaded_in_4bit = True
    # Where all weights train they are float32, and autocast makes 16-bit copies: it's still 16 bytes a parameter.
    fill(model, device, torch.float32 if run.float32 or run.method == "full" else sixteen_bits(device))
    if run.method == "qlora":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if run.checkpointing:
        # The newer name, where transformers has it; the older one warns there.
        enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
        enable({"use_reentrant": False})
    if run.method != "full":
        from peft import LoraConfig, get_peft_model

        # "all-linear" leaves the head out, as the calculator does.
        model = get_peft_model(model, LoraConfig(r=run.rank, target_modules="all-linear", task_type="CAUSAL_LM"))
    return model


# ---------------------------------------------------------------- the step
def prepare(run: Run | None, batch: int, device: str):
    """(model, a function that gives the loss of one random batch); without a run it is the network for digits."""
    if run is None:
        network = digits_network().to(device)
        images, labels = torch.randn(batch, 1, 28, 28, device=device), torch.randint(10, (batch,), device=device)
        return network, lambda: nn.functional.cross_entropy(network(images), labels)
    model = transformer(run, device)
    ids = torch.randint(run.sizes.vocab, (run.batch, run.length), device=device)
    labels = ids if run.sizes.decoder else torch.randint(2, (run.batch,), device=device)
    return model, lambda: model(input_ids=ids, labels=labels).loss


def train(run: Run | None, batch: int, device: str) -> tuple[float, float]:
    """STEPS updates with AdamW; the last loss and the seconds of the last update.

    Raises ValueError if the optimizer is not AdamW, and FloatingPointError if the loss is not finite.
    """
    if run is not None and (run.optimizer != "adamw" or run.method == "lora_8bit"):
        raise ValueError("only AdamW with full, lora or qlora can be measured")
    model, loss_of = prepare(run, batch, device)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, fused=True)  # as transformers' Trainer does
    mixed, dtype = run is not None and not run.float32, sixteen_bits(device)
    scaler = torch.amp.GradScaler(device, enabled=mixed and dtype == torch.float16)
    for _ in range(STEPS):
        start = time.perf_counter()
        with torch.autocast(device, dtype=dtype, enabled=mixed):
            loss = loss_of()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        last = loss.item()  # waits for the device
    if not math.isfinite(last):
        raise FloatingPointError(f"the loss is {last}")
    return last, time.perf_counter() - start


@contextlib.contextmanager
def peak_growth(device: str) -> Iterator[dict]:
    """A dict that holds `gib` afterwards: the most that torch had allocated on the GPU, or that the process grew by."""
    found: dict[str, float] = {}
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield found
        found["gib"] = torch.cuda.max_memory_allocated() / GIB
        found["reserved_gib"] = torch.cuda.max_memory_reserved() / GIB
        return
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(SAMPLE_SECONDS):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
    found["gib"] = (max(peak, process.memory_info().rss) - before) / GIB


def measured(asked: dict) -> dict:
    """What the JSON asks for: the device, or the memory of a run; {"error": one line} where memory ran out."""
    if asked.get("device") is None:
        return room()
    device, run = asked["device"], asked["run"]
    if run is not None:
        run = Run(**{**run, "sizes": Sizes(**run["sizes"])})
        empty(run)  # what is imported for it is none of the run's memory
        if run.method != "full":
            import peft  # noqa: F401
    try:
        with peak_growth(device) as peak:
            loss, seconds = train(run, asked["batch"], device)
    except (torch.OutOfMemoryError, MemoryError):
        return {"error": "ran out of memory"}
    return {**peak, "loss": loss, "seconds": seconds}


if __name__ == "__main__":
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.manual_seed(0)
    print(json.dumps(measured(json.loads(sys.argv[1]))))
