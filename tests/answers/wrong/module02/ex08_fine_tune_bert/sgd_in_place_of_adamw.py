# names: sgd-in-place-of-adamw
# breaks: "is one of `torch.optim.AdamW` at the learning rate"
from collections import namedtuple

import numpy as np
import torch
from datasets import Dataset
from transformers import get_linear_schedule_with_warmup

Splits = namedtuple("Splits", "train validation test")
History = namedtuple("History", "train_loss val_loss val_accuracy")
Config = namedtuple("Config", "epochs lr batch_size patience seed", defaults=(32, 2, 0))


class Keeper:
    def __init__(self, patience):
        self.patience, self.lowest, self.waited, self.weights = patience, None, 0, None

    def should_stop(self, loss, model):
        if self.lowest is None or loss < self.lowest:
            self.lowest, self.waited = loss, 0
            self.weights = [p.detach().clone() for p in model.parameters()]
        else:
            self.waited += 1
        return self.waited >= self.patience

    def put_back(self, model):
        with torch.no_grad():
            for p, kept in zip(model.parameters(), self.weights, strict=True):
                p.copy_(kept)


def prepare(texts, labels, tokenizer, seed, *, label_names, max_length=64):
    n = len(texts)
    bad = [label for label in labels if label not in label_names]
    if n < 10 or n != len(labels) or bad:
        raise ValueError(f"cannot split: {n} texts, {len(labels)} labels, unknown labels {bad}")
    perm = np.random.default_rng(seed).permutation(n)
    k = round(n / 10)
    ids = {"test": perm[:k], "train": perm[k:-k], "validation": perm[-k:]}

    def part(indices):
        chosen = [texts[i] for i in indices]
        tokens = tokenizer(chosen, max_length=max_length, truncation=True, return_token_type_ids=True)
        return Dataset.from_dict({"text": chosen, **tokens, "labels": [label_names.index(labels[i]) for i in indices]})

    return Splits(**{name: part(sorted(indices.tolist())) for name, indices in ids.items()})


def rows(dataset, indices, tokenizer, device):
    part = dataset.select(indices)
    features = [{k: row[k] for k in ("input_ids", "attention_mask")} for row in part]
    batch = tokenizer.pad(features, return_tensors="pt")
    return {k: v.to(device) for k, v in batch.items()}, torch.tensor(list(part["labels"]), device=device)


def train(model, tokenizer, train_set, val_set, config, *, on_step=None):
    n, device = len(train_set), model.device
    g = torch.Generator().manual_seed(config.seed)
    batches_per_epoch = (n + config.batch_size - 1) // config.batch_size
    opt = torch.optim.SGD(model.parameters(), lr=config.lr)
    sched = get_linear_schedule_with_warmup(opt, 0, config.epochs * batches_per_epoch)
    keeper = Keeper(config.patience)
    hist = History([], [], [])
    step = -1
    criterion = torch.nn.CrossEntropyLoss(reduction="sum")
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        for _ in range(config.epochs):
            perm = torch.randperm(n, generator=g).tolist()
            running = 0.0
            for b in range(batches_per_epoch):
                step += 1
                model.train()
                x, y = rows(train_set, perm[b * config.batch_size : (b + 1) * config.batch_size], tokenizer, device)
                total = criterion(model(**x).logits, y)
                running += total.item()
                (total / len(y)).backward()
                opt.step()
                sched.step()
                opt.zero_grad()
                if on_step is not None:
                    on_step(step, total.item() / len(y))
            hist.train_loss.append(running / n)
            model.eval()
            with torch.no_grad():
                loss = right = 0.0
                for start in range(0, len(val_set), 64):
                    x, y = rows(val_set, range(start, min(start + 64, len(val_set))), tokenizer, device)
                    logits = model(**x).logits
                    loss += criterion(logits, y).item()
                    right += (logits.argmax(-1) == y).float().sum().item()
            hist.val_loss.append(loss / len(val_set))
            hist.val_accuracy.append(right / len(val_set))
            if keeper.should_stop(hist.val_loss[-1], model):
                break
    keeper.put_back(model)
    return hist


@torch.no_grad()
def predict(model, tokenizer, texts):
    if not texts:
        return []
    modes = [m.training for m in model.modules()]
    model.eval()
    limit = model.config.max_position_embeddings
    by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    names = [""] * len(texts)
    for start in range(0, len(texts), 16):
        chosen = by_length[start : start + 16]
        features = tokenizer([texts[i] for i in chosen], truncation=True, max_length=limit)
        batch = tokenizer.pad(features, return_tensors="pt").to(model.device)
        for i, k in zip(chosen, model(**batch).logits.softmax(-1).argmax(-1), strict=True):
            names[i] = model.config.id2label[k.item()]
    for m, mode in zip(model.modules(), modes, strict=True):
        m.train(mode) if not list(m.children()) else setattr(m, "training", mode)
    return names
