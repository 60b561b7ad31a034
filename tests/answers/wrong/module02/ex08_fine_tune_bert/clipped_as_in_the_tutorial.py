# names: gradients-clipped
# breaks: "is one of `torch.optim.AdamW` at the learning rate"

from typing import NamedTuple

import torch
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import DataCollatorWithPadding


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


def prepare(texts, labels, tokenizer, seed, *, label_names, max_length=64):
    if len(texts) < 10:
        raise ValueError(f"{len(texts)} texts cannot be split, at least 10 are needed")
    if len(labels) != len(texts):
        raise ValueError(f"{len(texts)} texts and {len(labels)} labels")
    for label in labels:
        if label not in label_names:
            raise ValueError(f"the label {label!r} is not one of {label_names}")
    encoded = tokenizer(texts, truncation=True, max_length=max_length)
    data = Dataset.from_dict(
        {
            "text": texts,
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "labels": [label_names.index(label) for label in labels],
        }
    )
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(seed)).tolist()
    tenth = len(texts) // 10
    return Splits(data.select(order[2 * tenth :]), data.select(order[:tenth]), data.select(order[tenth : 2 * tenth]))


def train(model, tokenizer, train_set, val_set, config, *, on_step=None):
    columns = ["input_ids", "attention_mask", "labels"]
    collate = DataCollatorWithPadding(tokenizer)
    train_set, val_set = train_set.select_columns(columns), val_set.select_columns(columns)
    history = History([], [], [])
    best, waited, kept = float("inf"), 0, None
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        batches = DataLoader(train_set, config.batch_size, shuffle=True, collate_fn=collate)
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=0.01)
        total = config.epochs * len(batches)
        scheduler = LambdaLR(optimizer, lambda s: 1 - s / total)
        step = 0
        for _ in range(config.epochs):
            model.train()
            summed = 0.0
            for batch in batches:
                batch = batch.to(model.device)
                logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                loss = torch.nn.functional.cross_entropy(logits, batch["labels"])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                scheduler.step()
                summed += loss.item() * len(batch["labels"])
                if on_step is not None:
                    on_step(step, loss.item())
                step += 1
            model.eval()
            val_loss, right = 0.0, 0
            with torch.no_grad():
                for batch in DataLoader(val_set, config.batch_size, collate_fn=collate):
                    batch = batch.to(model.device)
                    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                    val_loss += torch.nn.functional.cross_entropy(logits, batch["labels"], reduction="sum").item()
                    right += (logits.argmax(-1) == batch["labels"]).sum().item()
            history.train_loss.append(summed / len(train_set))
            history.val_loss.append(val_loss / len(val_set))
            history.val_accuracy.append(right / len(val_set))
            if history.val_loss[-1] < best:
                best, waited = history.val_loss[-1], 0
                kept = {name: value.clone() for name, value in model.state_dict().items()}
            else:
                waited += 1
                if waited >= config.patience:
                    break
        if kept is not None:
            model.load_state_dict(kept)
    return history


def predict(model, tokenizer, texts):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    predicted = []
    with torch.no_grad():
        for start in range(0, len(texts), 32):
            batch = tokenizer(
                texts[start : start + 32],
                padding=True,
                truncation=True,
                max_length=model.config.max_position_embeddings,
                return_tensors="pt",
            ).to(model.device)
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            predicted += [model.config.id2label[i] for i in logits.argmax(-1).tolist()]
    for module, mode in modes.items():
        module.training = mode
    return predicted
