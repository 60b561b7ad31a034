"""Another right answer: the Trainer of transformers makes the loop, a callback listens to it."""

import random
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import DataCollatorForSeq2Seq, GenerationConfig, Trainer, TrainerCallback, TrainingArguments


class Config(NamedTuple):
    r: int
    lora_alpha: int
    lr: float
    steps: int
    batch_size: int
    out_dir: Path
    seed: int = 0


class History(NamedTuple):
    loss: list[float]


class Trained(NamedTuple):
    model: PeftModel
    history: History


def tokens(tokenizer, turns, **options):
    return tokenizer.apply_chat_template(turns, tokenize=True, return_dict=True, **options)["input_ids"]


def build_dataset(pairs, tokenizer, max_length):
    if not pairs:
        raise ValueError("there is nothing to build a dataset of")

    def rows():
        for prompt, said in pairs:
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": said}]
            start = len(tokens(tokenizer, turns[:1], add_generation_prompt=True))
            ids = tokens(tokenizer, turns)
            end = start + ids[start:].index(tokenizer.eos_token_id)
            labels = [token if start <= place <= end else -100 for place, token in enumerate(ids)]
            if all(label == -100 for label in labels[:max_length]):
                raise ValueError(f"max_length={max_length} leaves nothing of the answer {said!r}")
            yield {"input_ids": ids[:max_length], "attention_mask": [1] * len(ids), "labels": labels[:max_length]}

    rows = list(rows())
    for row in rows:
        row["attention_mask"] = row["attention_mask"][:max_length]
    return Dataset.from_list(rows)


class Listener(TrainerCallback):
    def __init__(self, on_step):
        self.losses, self.on_step = [], on_step

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.losses.append(logs["loss"])
            if self.on_step:
                self.on_step(len(self.losses) - 1, logs["loss"])


class Exact(Trainer):
    """The Trainer rounds what it logs; this one keeps the losses as they are."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        loss = model(**inputs).loss
        self.exact = loss.item()
        return loss

    def log(self, logs, *args, **kwargs):
        super().log({**logs, "loss": self.exact} if "loss" in logs else logs, *args, **kwargs)


def train_lora(base, tokenizer, dataset, config, *, on_step=None):
    states = random.getstate(), numpy.random.get_state(), torch.get_rng_state()
    settings = tokenizer.padding_side, tokenizer.pad_token
    listener = Listener(on_step)
    try:
        torch.manual_seed(config.seed)
        lora = LoraConfig("CAUSAL_LM", r=config.r, lora_alpha=config.lora_alpha, target_modules="all-linear")
        lora.task_type = "CAUSAL_LM"
        model = get_peft_model(base, lora)
        tokenizer.padding_side, tokenizer.pad_token = "right", tokenizer.pad_token or tokenizer.eos_token
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder, max_steps=config.steps, per_device_train_batch_size=config.batch_size, seed=config.seed,
                learning_rate=config.lr or 1e-30, lr_scheduler_type="constant", weight_decay=0.01, max_grad_norm=0.0,
                logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True, optim="adamw_torch",
                use_cpu=base.device.type == "cpu",
            )  # fmt: skip
            collator = DataCollatorForSeq2Seq(tokenizer)
            trainer = Exact(
                model=model, args=arguments, train_dataset=dataset, data_collator=collator, callbacks=[listener]
            )
            trainer.train()
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])
        torch.set_rng_state(states[2])
        tokenizer.padding_side, tokenizer.pad_token = settings
    if trainer.is_world_process_zero():
        model.save_pretrained(config.out_dir)
    return Trained(model, History(listener.losses))


def generate(model, tokenizer, prompts, *, max_new_tokens=32):
    if len(prompts) < 1:
        raise ValueError("prompts is empty")
    rows = [tokens(tokenizer, [{"role": "user", "content": p}], add_generation_prompt=True) for p in prompts]
    width = max(map(len, rows))
    pad = tokenizer.eos_token_id
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, width - len(row) :] = torch.tensor(row)
        mask[i, width - len(row) :] = 1
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    greedy = GenerationConfig(do_sample=False, eos_token_id=pad, pad_token_id=pad, max_new_tokens=max_new_tokens)
    with torch.no_grad():
        out = model.generate(
            inputs=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=greedy
        )
    for name, module in model.named_modules():
        module.training = modes[name]
    new = [row[width:].tolist() for row in out]
    new = [row[: row.index(pad)] if pad in row else row for row in new]
    return [tokenizer.decode(row, skip_special_tokens=True) for row in new]
