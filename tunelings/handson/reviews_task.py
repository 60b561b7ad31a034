"""The task of 3.12: a film review goes in, one line of JSON comes out. Load it, grade it, say what it cost.

A chat model that was never told of this format cannot hit it, so exact match begins near 0. What it forgets while
it learns is measured apart, as its loss on text that has nothing to do with films.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tunelings.course import data_folder, shipped
from tunelings.handson import models, reviews
from tunelings.handson.precision import model_dtype

Example = tuple[str, str]  # A prompt, and the answer that is wanted.
MB, GB = 1e6, 1e9
ANSWERS = {label: json.dumps({"sentiment": label}) for label in reviews.LABEL_NAMES}
INSTRUCTION = (
    "Is this sentence from a film review positive or negative? Answer with nothing but one line of JSON, "
    f"{ANSWERS['positive']} or {ANSWERS['negative']}.\n\n"
)
# The rows of the file are in a random order: the first 80% are for training, the last 10% are held out.
TRAIN, TEST = 8056, 1007
# For models without a template of their own, such as Phi-2.
PLAIN_TEMPLATE = """{% for message in messages %}{{ '### ' + message['role'] + '\n' + message['content'] }}\
{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"""


# ---------------------------------------------------------------- the data
def load_pairs(folder: str | Path | None = None) -> tuple[list[Example], list[Example]]:
    """(review, line of JSON) to train on, and those that are held out; no review is in both."""
    texts, labels = reviews.load_reviews(folder or data_folder("sentiment"))
    pairs = [(text, ANSWERS[label]) for text, label in zip(texts, labels, strict=True)]
    return pairs[:TRAIN], pairs[-TEST:]


def load_general_texts(count: int = 40, folder: str | Path | None = None) -> list[str]:
    """Passages of the Python documentation, evenly spread over the file, none of them very short."""
    path = shipped(Path(folder or data_folder("pydocs"), "passages.jsonl.gz"), "passages")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    texts = [text for text in texts if len(text) >= 300]
    return [texts[i * len(texts) // count] for i in range(count)]


# ---------------------------------------------------------------- the model
def is_main_process() -> bool:
    """Of several processes one speaks; a single one always does."""
    from accelerate import PartialState

    return PartialState().is_main_process


def load_model(name: str, *, in_4_bits: bool = False):
    """(model, tokenizer) of a model of the course, a folder or a name on the hub, on this process's device.

    bfloat16 on a GPU that has it, float32 elsewhere; or in 4 bits as in 3.05, and prepared for training.
    """
    import torch
    from accelerate import PartialState
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    path = models.find(name) if models.known(name) or Path(name).expanduser().exists() else name
    device = PartialState().device
    tokenizer = AutoTokenizer.from_pretrained(path)
    tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
    dtype = model_dtype(device.type, trains=True) if device.type == "cuda" else torch.float32
    if not in_4_bits:
        return AutoModelForCausalLM.from_pretrained(path, dtype=dtype).to(device), tokenizer
    from peft import prepare_model_for_kbit_training

    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model = AutoModelForCausalLM.from_pretrained(path, quantization_config=nf4, device_map={"": device})
    return prepare_model_for_kbit_training(model, gradient_checkpointing_kwargs={"use_reentrant": False}), tokenizer


# ---------------------------------------------------------------- what it can do
@dataclass(frozen=True)
class Match:
    """How many of `count` answers are right to the last character, and how many have the right form."""

    exact: int
    in_format: int
    count: int


def grade(said: Sequence[str], pairs: Sequence[Example]) -> Match:
    """Hold answers against pairs; only white space around an answer is forgiven."""
    said = [text.strip() for text in said]
    exact = sum(text == wanted for text, (_, wanted) in zip(said, pairs, strict=True))
    return Match(exact, sum(text in ANSWERS.values() for text in said), len(pairs))


def answer_all(generate: Callable, model, tokenizer, prompts: Sequence[str], batch_size: int = 25) -> list[str]:
    """The answers of `generate` of 3.12, some prompts at a time; 16 tokens are more than an answer has."""
    parts = [list(prompts[start : start + batch_size]) for start in range(0, len(prompts), batch_size)]
    return [text for part in parts for text in generate(model, tokenizer, part, max_new_tokens=16)]


def language_loss(model, tokenizer, texts: Sequence[str], max_length: int = 96) -> float:
    """The mean loss of predicting each token of plain text from those before it, in eval mode, without a graph."""
    import torch
    from torch.nn import functional as F

    modes = {module: module.training for module in model.modules()}
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"][:max_length]])
            ids = ids.to(model.device)
            logits = model(input_ids=ids).logits[0, :-1].float()
            total += F.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
            count += ids.shape[1] - 1
    for module, mode in modes.items():
        module.training = mode
    return total / count


# ---------------------------------------------------------------- what it took
class Cost(NamedTuple):
    """The adapter's file in bytes, the parameters that train, those of the base, and the peak memory in bytes."""

    file: int
    trainable: int
    base: int
    peak: int | None


def cost_of(model, folder: str | Path) -> Cost:
    """What the trained `PeftModel` took; its adapter was saved in `folder`."""
    trainable, total = model.get_nb_trainable_parameters()
    return Cost(Path(folder, "adapter_model.safetensors").stat().st_size, trainable, total - trainable, peak_memory())


def peak_memory() -> int | None:
    """The most bytes that were in use: by torch on the GPU if there is one, else by the process; None if unknown."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        import resource  # Not on Windows.
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def computed_memory(cost: Cost, bits: int) -> float:
    """What 3.02 computes for a base in so many bits (4: double quantization), float32 adapters and AdamW, in bytes.

    A lower bound: activations come on top, and in 4 bits the embeddings and the head, which are not quantized.
    """
    weights = cost.base * (4.127 if bits == 4 else bits) / 8
    return weights + (4 + 4 + 8) * cost.trainable


class Measured(NamedTuple):
    """Grades before and after on the same pairs, the loss on other text before and after, and what it took."""

    told: Match
    before: Match
    after: Match
    loss_before: float
    loss_after: float
    cost: Cost


def measure(generate: Callable, trained, tokenizer, pairs: Sequence[Example], folder: str | Path) -> Measured:
    """All that there is to say of a trained `PeftModel`; before is the same model with its adapter switched off.

    `told` is before, with the instruction in each prompt: what one can have without training.
    """
    cost = cost_of(trained, folder)  # First: answering needs memory too.
    prompts, texts = [prompt for prompt, _ in pairs], load_general_texts()

    def graded(prompts):
        return grade(answer_all(generate, trained, tokenizer, prompts), pairs)

    with trained.disable_adapter():
        told, before = graded([INSTRUCTION + prompt for prompt in prompts]), graded(prompts)
        loss_before = language_loss(trained, tokenizer, texts)
    return Measured(told, before, graded(prompts), loss_before, language_loss(trained, tokenizer, texts), cost)


def describe(measured: Measured) -> str:
    """The same as text, a line for each."""
    cost = measured.cost
    told, before, after = (f"exact match {m.exact} of {m.count}, right form {m.in_format}" for m in measured[:3])
    loss, perplexity = (
        f"{f(measured.loss_before):.{digits}f} before, {f(measured.loss_after):.{digits}f} after"
        for f, digits in ((float, 3), (math.exp, 1))
    )
    lines = {
        "before, with an instruction": told,
        "before, the review alone": before,
        "after, the review alone": after,
        "loss on other text": f"{loss} (perplexity {perplexity})",
        "trainable": f"{cost.trainable:,} of {cost.base:,} parameters, {cost.trainable / cost.base:.2%}",
        "adapter file": f"{cost.file / MB:.1f} MB",
        "peak memory of training": "unknown" if cost.peak is None else f"{cost.peak / GB:.2f} GB",
    }
    return "\n".join(f"{name:<28}{text}" for name, text in lines.items())
