# names: end-token-of-the-config
# breaks: "Sampling, an end or a padding token in its `generation_config` has no effect."
from collections.abc import Callable
from functools import partial
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
        if all(label == IGNORE_INDEX for label in labels):
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
    torch_state = torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        torch.manual_seed(config.seed)
        lora = LoraConfig(
            r=config.r,
            lora_alpha=config.lora_alpha,
            lora_dropout=0.0,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        model = get_peft_model(base, lora)
        accelerator = Accelerator()
        collate = partial(_collate, pad=_pad_id(tokenizer))
        order = torch.Generator().manual_seed(config.seed)
        loader = DataLoader(dataset, config.batch_size, shuffle=True, collate_fn=collate, generator=order)
        trainable = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trainable, lr=config.lr)
        device = base.device
        if accelerator.num_processes > 1:
            wrapped, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        else:
            wrapped = model
        wrapped.train()
        losses = []
        while len(losses) < config.steps:
            for batch in loader:
                if len(losses) == config.steps:
                    break
                batch = {name: value.to(device) for name, value in batch.items()}
                loss = wrapped(**batch).loss
                if accelerator.num_processes > 1:
                    accelerator.backward(loss)
                else:
                    loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                value = accelerator.reduce(loss.detach(), "mean").item()
                losses.append(value)
                if on_step is not None:
                    on_step(len(losses) - 1, value)
        config.out_dir.mkdir(parents=True, exist_ok=True)
        if accelerator.is_main_process:
            model.save_pretrained(config.out_dir)
        accelerator.wait_for_everyone()
        return Trained(model, History(losses))
    finally:
        torch.set_rng_state(torch_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    from transformers import GenerationConfig

    if len(prompts) == 0:
        raise ValueError("no prompts")
    modes = [(module, module.training) for module in model.modules()]
    eos = tokenizer.eos_token_id
    pad = eos if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    rows = [
        tokenizer(
            tokenizer.apply_chat_template([{"role": "user", "content": p}], tokenize=False, add_generation_prompt=True),
            add_special_tokens=False,
        )["input_ids"]
        for p in prompts
    ]
    longest = max(len(r) for r in rows)
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, longest - len(row) :] = torch.tensor(row)
        mask[i, longest - len(row) :] = 1
    plain = GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=model.generation_config.eos_token_id or eos,
        pad_token_id=pad,
        use_cache=True,
    )
    try:
        model.eval()
        places = [m for m in model.modules() if getattr(m, "generation_config", None) is not None]
        before = [m.generation_config for m in places]
        for m in places:
            m.generation_config = plain
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=plain
            )
    finally:
        for m, config in zip(places, before):
            m.generation_config = config
        for module, mode in modes:
            module.training = mode
    texts = []
    for row in out[:, longest:].tolist():
        kept = row[: row.index(eos)] if eos in row else row
        texts.append(tokenizer.decode(kept, skip_special_tokens=True))
    return texts
