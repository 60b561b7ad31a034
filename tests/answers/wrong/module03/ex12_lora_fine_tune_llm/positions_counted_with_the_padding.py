# names: positions-with-the-padding
# breaks: "each is answered as if it were alone"
# Decodes by hand with padding in front and without position ids: a GPT-2 takes the padding for places.

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORE_INDEX = -100


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


def build_dataset(pairs: list[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    if not pairs:
        raise ValueError("there are no pairs")
    rows = []
    for prompt, answer in pairs:
        user = {"role": "user", "content": prompt}
        start = len(encode(tokenizer, [user], add_generation_prompt=True))
        ids = encode(tokenizer, [user, {"role": "assistant", "content": answer}])
        end = ids.index(tokenizer.eos_token_id, start) + 1
        labels = [IGNORE_INDEX] * start + ids[start:end] + [IGNORE_INDEX] * (len(ids) - end)
        if start >= max_length:
            raise ValueError(f"max_length={max_length} leaves nothing of the answer to {prompt!r}")
        row = {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}
        rows.append({name: values[:max_length] for name, values in row.items()})
    return Dataset.from_list(rows)


def encode(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], **options) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    longest = max(len(example["input_ids"]) for example in examples)
    padding = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        name: torch.tensor([example[name] + [value] * (longest - len(example[name])) for example in examples])
        for name, value in padding.items()
    }


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    accelerator = Accelerator(device_placement=False)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        alpha = config.lora_alpha
        lora = LoraConfig(task_type="CAUSAL_LM", r=config.r, lora_alpha=alpha, target_modules="all-linear")
        adapted = get_peft_model(base, lora)
        optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=config.lr)
        columns = dataset.select_columns(["input_ids", "attention_mask", "labels"])
        padded = partial(collate, pad_token_id=tokenizer.eos_token_id)
        loader = DataLoader(columns, config.batch_size, shuffle=True, collate_fn=padded)
        model, optimizer, loader = accelerator.prepare(adapted, optimizer, loader)
        model.train()
        history = History([])
        while len(history.loss) < config.steps:
            for batch in loader:
                loss = model(**{name: values.to(base.device) for name, values in batch.items()}).loss
                optimizer.zero_grad()
                accelerator.backward(loss)
                optimizer.step()
                history.loss.append(accelerator.gather(loss.detach()).mean().item())
                if on_step is not None:
                    on_step(len(history.loss) - 1, history.loss[-1])
                if len(history.loss) == config.steps:
                    break
    if accelerator.is_main_process:
        adapted.save_pretrained(config.out_dir)
    return Trained(adapted, history)


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    rows = [encode(tokenizer, [{"role": "user", "content": p}], add_generation_prompt=True) for p in prompts]
    longest = max(len(row) for row in rows)
    end = tokenizer.eos_token_id
    ids = torch.tensor([[end] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    modes = {module: module.training for module in model.modules()}
    model.eval()
    output, mask = (ids.to(model.device), mask.to(model.device))
    done = torch.zeros(len(output), dtype=torch.bool, device=output.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            logits = model(input_ids=output, attention_mask=mask).logits[:, -1]
            token = logits.argmax(1).masked_fill(done, end)
            output = torch.cat([output, token[:, None]], 1)
            mask = torch.cat([mask, torch.ones_like(token)[:, None]], 1)
            done |= token == end
            if done.all():
                break
    for module, mode in modes.items():
        module.training = mode
    return tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)
