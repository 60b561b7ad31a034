# names: schedule-stepped-once-an-epoch
# breaks: "is one of `torch.optim.AdamW` at the learning rate"
# Lowers the rate once an epoch.
from collections.abc import Callable
from typing import NamedTuple

import torch
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase


def _batch(rows, tokenizer, device):
    keys = ("input_ids", "attention_mask", "labels")
    rows = [{key: row[key] for key in keys} for row in rows]
    return DataCollatorWithPadding(tokenizer)(rows).to(device)


def _measure(model, tokenizer, val_set, size):
    model.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(val_set), size):
            rows = [val_set[i] for i in range(start, min(start + size, len(val_set)))]
            batch = _batch(rows, tokenizer, model.device)
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            loss += torch.nn.functional.cross_entropy(logits, batch["labels"], reduction="sum").item()
            right += (logits.argmax(-1) == batch["labels"]).sum().item()
    return loss / len(val_set), right / len(val_set)


class Splits(NamedTuple):
    train: Dataset
    validation: Dataset
    test: Dataset


class Config(NamedTuple):
    epochs: int
    lr: float
    batch_size: int = 32
    patience: int = 2
    seed: int = 0


class History(NamedTuple):
    train_loss: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


def prepare(
    texts: list[str],
    labels: list[str],
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    *,
    label_names: list[str],
    max_length: int = 64,
) -> Splits:
    if len(texts) < 10 or len(labels) != len(texts):
        raise ValueError(f"{len(texts)} texts and {len(labels)} labels")
    numbers = {name: i for i, name in enumerate(label_names)}
    for label in labels:
        if label not in numbers:
            raise ValueError(f"unknown label {label}")
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length, padding=False)
    whole = Dataset.from_dict(
        {
            "text": list(texts),
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "labels": [numbers[label] for label in labels],
        }
    )
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(seed)).tolist()
    tenth = len(texts) // 10
    return Splits(whole.select(order[2 * tenth :]), whole.select(order[:tenth]), whole.select(order[tenth : 2 * tenth]))


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_set: Dataset,
    val_set: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(config.seed)
        size, count = config.batch_size, len(train_set)
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=0.01)
        scheduler = LambdaLR(optimizer, lambda s: 1 - s / config.epochs)
        history = History([], [], [])
        best, kept, bad, step = float("inf"), None, 0, 0
        for _ in range(config.epochs):
            model.train()
            order = torch.randperm(count).tolist()
            summed = 0.0
            for start in range(0, count, size):
                rows = [train_set[i] for i in order[start : start + size]]
                batch = _batch(rows, tokenizer, model.device)
                logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                loss = torch.nn.functional.cross_entropy(logits, batch["labels"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                summed += loss.item() * len(rows)
                if on_step is not None:
                    on_step(step, loss.item())
                step += 1
            scheduler.step()
            val_loss, accuracy = _measure(model, tokenizer, val_set, size)
            history.train_loss.append(summed / count)
            history.val_loss.append(val_loss)
            history.val_accuracy.append(accuracy)
            if val_loss < best:
                best, bad = val_loss, 0
                kept = {name: value.detach().clone() for name, value in model.state_dict().items()}
            else:
                bad += 1
                if bad >= config.patience:
                    break
        if kept is not None:
            model.load_state_dict(kept)
    return history


def predict(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[str]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    predicted = []
    with torch.no_grad():
        for start in range(0, len(texts), 32):
            batch = tokenizer(
                list(texts[start : start + 32]),
                padding=True,
                truncation=True,
                max_length=model.config.max_position_embeddings,
                return_tensors="pt",
            ).to(model.device)
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            predicted += [model.config.id2label[i] for i in logits.argmax(-1).tolist()]
    for module, mode in modes:
        module.training = mode
    return predicted
