# names: best-by-accuracy
# breaks: "Then the model has the weights of the first epoch with the lowest validation loss"
from types import SimpleNamespace
from typing import NamedTuple

import torch
from datasets import Dataset
from sklearn.model_selection import train_test_split
from torch.utils.data import BatchSampler, RandomSampler


class Config(NamedTuple):
    epochs: int
    lr: float
    batch_size: int = 32
    patience: int = 2
    seed: int = 0


def prepare(texts, labels, tokenizer, seed, *, label_names, max_length=64):
    strange = [label for label in labels if label not in label_names]
    if strange:
        raise ValueError(f"not a label: {strange[0]}")
    if not 10 <= len(texts) == len(labels):
        raise ValueError("at least 10 texts, and a label for each")
    k = len(texts) // 10
    everyone = list(range(len(texts)))
    enough = k >= len(label_names)
    rest, test = train_test_split(everyone, test_size=k, random_state=seed, stratify=labels if enough else None)
    by = [labels[i] for i in rest] if enough else None
    training, validation = train_test_split(rest, test_size=k, random_state=seed, stratify=by)

    def dataset(indices):
        data = []
        for i in indices:
            one = tokenizer(texts[i], truncation="longest_first", max_length=max_length)
            data.append(
                {
                    "input_ids": one["input_ids"],
                    "attention_mask": [1] * len(one["input_ids"]),
                    "labels": label_names.index(labels[i]),
                    "text": texts[i],
                }
            )
        return Dataset.from_list(data)

    return SimpleNamespace(train=dataset(training), validation=dataset(validation), test=dataset(test))


def train(model, tokenizer, train_set, val_set, config, *, on_step=None):
    before = torch.random.get_rng_state()
    torch.default_generator.manual_seed(config.seed)
    sampler = BatchSampler(RandomSampler(range(len(train_set))), config.batch_size, drop_last=False)
    total = len(sampler) * config.epochs
    head = list(model.classifier.parameters())
    ids = {id(p) for p in head}
    body = [p for p in model.parameters() if id(p) not in ids]
    optimizer = torch.optim.AdamW([{"params": head}, {"params": body}], lr=config.lr, foreach=False)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=total)
    curves = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    best, best_epoch, s = {}, 0, 0

    def forward(rows):
        batch = tokenizer.pad({k: rows[k] for k in ("input_ids", "attention_mask", "labels")}, return_tensors="pt")
        return model(**{k: v.to(model.device) for k, v in batch.items()})

    for epoch in range(config.epochs):
        model.train()
        total_loss = 0.0
        for indices in sampler:
            model.zero_grad()
            loss = forward(train_set[indices]).loss
            loss.backward()
            optimizer.step()
            decay.step()
            if on_step is not None:
                on_step(s, loss.item())
            s += 1
            total_loss += len(indices) * loss.item()
        curves["train_loss"].append(total_loss / len(train_set))
        model.eval()
        losses, hits = [], []
        with torch.no_grad():
            for i in range(len(val_set)):
                row = val_set[i : i + 1]
                out = forward(row)
                losses.append(out.loss.item())
                hits.append(out.logits.argmax().item() == row["labels"][0])
        curves["val_loss"].append(sum(losses) / len(losses))
        curves["val_accuracy"].append(sum(hits) / len(hits))
        if not best or curves["val_accuracy"][-1] > curves["val_accuracy"][best_epoch]:
            best_epoch = epoch
            best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        elif epoch - best_epoch >= config.patience:
            break
    model.load_state_dict(best)
    torch.random.set_rng_state(before)
    return SimpleNamespace(**curves)


def predict(model, tokenizer, texts):
    was = {name: m.training for name, m in model.named_modules()}
    model.eval()
    out = []
    try:
        for chunk in [texts[i : i + 7] for i in range(0, len(texts), 7)]:
            with torch.no_grad():
                longest = model.config.max_position_embeddings
                x = tokenizer(chunk, padding="longest", truncation=True, max_length=longest, return_tensors="pt")
                out.extend(model.config.id2label[i] for i in model(**x.to(model.device)).logits.max(dim=1)[1].tolist())
    finally:
        for name, m in model.named_modules():
            m.training = was[name]
    return out
