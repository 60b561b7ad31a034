# names: last-weights-left
# breaks: "Then the model has the weights of the first epoch with the lowest validation loss"
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from datasets import Dataset


@dataclass
class Splits:
    train: Dataset
    validation: Dataset
    test: Dataset


@dataclass
class Config:
    epochs: int
    lr: float
    batch_size: int = 32
    patience: int = 2
    seed: int = 0


@dataclass
class History:
    train_loss: list = field(default_factory=list)
    val_loss: list = field(default_factory=list)
    val_accuracy: list = field(default_factory=list)


def prepare(texts, labels, tokenizer, seed, *, label_names, max_length=64):
    if len(texts) < 10:
        raise ValueError("ten texts at least")
    if len(texts) != len(labels):
        raise ValueError("each text needs a label")
    for label in labels:
        if label not in label_names:
            raise ValueError(f"unknown label {label}")
    raw = Dataset.from_dict({"text": texts, "labels": [list(label_names).index(label) for label in labels]})
    raw = raw.map(lambda row: dict(tokenizer(row["text"], truncation=True, max_length=max_length)))
    n = math.ceil(len(texts) / 10)
    first = raw.train_test_split(test_size=n, seed=seed)
    second = first["train"].train_test_split(test_size=n, seed=seed + 1)
    return Splits(second["train"], second["test"], first["test"])


def batch_of(model, tokenizer, rows):
    width = max(len(ids) for ids in rows["input_ids"])
    ids = torch.full((len(rows["input_ids"]), width), tokenizer.pad_token_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows["input_ids"]):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    device = next(model.parameters()).device
    return ids.to(device), mask.to(device), torch.tensor(rows["labels"]).to(device)


def train(model, tokenizer, train_set, val_set, config, *, on_step=None):
    state = torch.get_rng_state()
    torch.manual_seed(config.seed + 17)
    try:
        return _train(model, tokenizer, train_set, val_set, config, on_step)
    finally:
        torch.set_rng_state(state)


def _train(model, tokenizer, train_set, val_set, config, on_step):
    n = len(train_set)
    total = config.epochs * math.ceil(n / config.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr)
    history, best = History(), None
    s = 0
    for epoch in range(config.epochs):
        model.train()
        losses = []
        order = torch.randperm(n)
        for rows in order.split(config.batch_size):
            ids, mask, labels = batch_of(model, tokenizer, train_set[rows.tolist()])
            for group in optimizer.param_groups:
                group["lr"] = config.lr * (1 - s / total)
            logits = model(input_ids=ids, attention_mask=mask).logits
            each = F.cross_entropy(logits, labels, reduction="none")
            optimizer.zero_grad(set_to_none=False)
            each.mean().backward()
            optimizer.step()
            losses += each.detach().tolist()
            if on_step:
                on_step(s, float(each.mean()))
            s += 1
        history.train_loss.append(sum(losses) / len(losses))
        model.eval()
        val, right = [], 0
        with torch.inference_mode():
            for start in range(0, len(val_set), 5):
                ids, mask, labels = batch_of(model, tokenizer, val_set[start : start + 5])
                logits = model(input_ids=ids, attention_mask=mask).logits
                val += F.cross_entropy(logits, labels, reduction="none").tolist()
                right += int((logits.argmax(1) == labels).sum())
        history.val_loss.append(sum(val) / len(val))
        history.val_accuracy.append(right / len(val))
        if best is None or history.val_loss[-1] < history.val_loss[best[0]]:
            best = epoch, model.state_dict()
        if epoch - best[0] >= config.patience:
            break
    model.load_state_dict(best[1])
    return history


def predict(model, tokenizer, texts):
    """One text at a time: no padding at all."""
    was = [(m, m.training) for m in model.modules()]
    model.eval()
    out = []
    with torch.inference_mode():
        for text in texts:
            ids = tokenizer(text, truncation=True, max_length=model.config.max_position_embeddings)["input_ids"]
            scores = model(input_ids=torch.tensor([ids], device=model.device)).logits[0]
            out.append(model.config.id2label[int(scores.argmax())])
    for m, mode in was:
        m.training = mode
    return out
