# names: cut-pair-refused
# breaks: "Longer ones are cut on the right."
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count.


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


def _pad_id(tokenizer):
    return tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id


def _collate(rows, pad):
    width = max(len(row["input_ids"]) for row in rows)
    fill = {"input_ids": pad, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        name: torch.tensor([list(row[name]) + [value] * (width - len(row[name])) for row in rows])
        for name, value in fill.items()
    }


@torch.no_grad()
def _greedy(model, ids, mask, steps, eos):
    new = []
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(steps):
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1]
        token = logits.argmax(-1).masked_fill(done, eos)
        new.append(token)
        done |= token == eos
        if done.all():
            break
        ids = torch.cat([ids, token[:, None]], dim=1)
        mask = torch.cat([mask, torch.ones_like(token)[:, None]], dim=1)
    return torch.stack(new, dim=1) if new else ids[:, :0]


def build_dataset(pairs: list[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    if not pairs:
        raise ValueError("no pairs")
    rows = {"input_ids": [], "attention_mask": [], "labels": []}
    for question, answer in pairs:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        prompt = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
        text = tokenizer.apply_chat_template(turns, tokenize=False)
        begin = len(prompt)
        end = text.index(tokenizer.eos_token, begin) + len(tokenizer.eos_token)
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = encoded["input_ids"][:max_length]
        labels = [
            token if begin <= a and b <= end else IGNORE_INDEX for token, (a, b) in zip(ids, encoded["offset_mapping"])
        ]
        if tokenizer.eos_token_id not in labels:
            raise ValueError(f"no token of the answer is left within {max_length}: {question!r}")
        rows["input_ids"].append(ids)
        rows["attention_mask"].append([1] * len(ids))
        rows["labels"].append(labels)
    return Dataset.from_dict(rows)


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = get_peft_model(
            base,
            LoraConfig(
                r=config.r,
                lora_alpha=config.lora_alpha,
                task_type="CAUSAL_LM",
                target_modules="all-linear",
            ),
        )
        accelerator = Accelerator(cpu=base.device.type == "cpu")
        optimizer = torch.optim.AdamW(
            filter(lambda p: p.requires_grad, model.parameters()), lr=config.lr, weight_decay=0.0
        )
        loader = DataLoader(
            dataset.select_columns(["input_ids", "attention_mask", "labels"]),
            batch_size=config.batch_size,
            shuffle=True,
            collate_fn=lambda rows: _collate(rows, _pad_id(tokenizer)),
            generator=torch.Generator().manual_seed(config.seed + 1),
        )
        model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

        def endless():
            while True:
                yield from loader

        history = []
        model.train()
        for step, batch in zip(range(config.steps), endless()):
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            loss = torch.nn.functional.cross_entropy(
                logits[:, :-1].float().flatten(0, 1), batch["labels"][:, 1:].flatten(), ignore_index=IGNORE_INDEX
            )
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            history.append(accelerator.gather(loss.detach().reshape(1)).mean().item())
            if on_step:
                on_step(step, history[-1])
        trained = accelerator.unwrap_model(model)
        if accelerator.is_main_process:
            trained.save_pretrained(config.out_dir)
        accelerator.wait_for_everyone()
    return Trained(trained, History(history))


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    if not prompts:
        raise ValueError("no prompts")
    modes = {module: module.training for module in model.modules()}
    pad = _pad_id(tokenizer)
    answers = []
    model.eval()
    try:
        encoded = []
        for prompt in prompts:
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
            )
            encoded.append(tokenizer(text, add_special_tokens=False)["input_ids"])
        for first in range(0, len(encoded), 16):
            group = encoded[first : first + 16]
            width = max(map(len, group))
            ids = torch.tensor([[pad] * (width - len(row)) + row for row in group], device=model.device)
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in group], device=model.device)
            out = _greedy(model, ids, mask, max_new_tokens, tokenizer.eos_token_id)
            for row in out.tolist():
                if tokenizer.eos_token_id in row:
                    row = row[: row.index(tokenizer.eos_token_id)]
                answers.append(tokenizer.decode(row, skip_special_tokens=True))
    finally:
        for module, mode in modes.items():
            module.training = mode
    return answers
