# names: predict-cut-at-a-fixed-length
# breaks: "A longer text is cut to `model.config.max_position_embeddings` tokens"
from collections.abc import Callable
from typing import NamedTuple

import torch
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase


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
    if len(texts) != len(labels) or len(texts) < 10:
        raise ValueError(f"got {len(texts)} texts, of which there must be 10, and {len(labels)} labels")
    if unknown := set(labels) - set(label_names):
        raise ValueError(f"labels that are none of {label_names}: {sorted(unknown)}")
    class_of = {name: number for number, name in enumerate(label_names)}
    encoded = tokenizer(texts, truncation=True, max_length=max_length)
    everything = Dataset.from_dict(
        {
            "text": texts,
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "labels": [class_of[label] for label in labels],
        }
    )
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(seed))
    tenth = len(texts) // 10
    validation, test, train = (part.tolist() for part in order.tensor_split([tenth, 2 * tenth]))
    return Splits(everything.select(train), everything.select(validation), everything.select(test))


def loader_of(dataset: Dataset, tokenizer: PreTrainedTokenizerBase, batch_size: int, shuffle: bool) -> DataLoader:
    columns = dataset.select_columns(["input_ids", "attention_mask", "labels"])
    return DataLoader(columns, batch_size, shuffle=shuffle, collate_fn=DataCollatorWithPadding(tokenizer))


@torch.no_grad()
def evaluate(model: PreTrainedModel, loader: DataLoader) -> tuple[float, float]:
    model.eval()
    loss, correct, count = 0.0, 0, 0
    for batch in loader:
        batch = batch.to(model.device)
        outputs = model(**batch)
        loss += outputs.loss.item() * len(batch["labels"])
        correct += (outputs.logits.argmax(1) == batch["labels"]).sum().item()
        count += len(batch["labels"])
    return loss / count, correct / count


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_set: Dataset,
    val_set: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        train_loader = loader_of(train_set, tokenizer, config.batch_size, shuffle=True)
        val_loader = loader_of(val_set, tokenizer, config.batch_size, shuffle=False)
        total_steps = config.epochs * len(train_loader)
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=0.01)
        schedule = LambdaLR(optimizer, lambda step: 1 - step / total_steps)
        history = History([], [], [])
        best_loss, best_weights = float("inf"), model.state_dict()
        step, bad_epochs = 0, 0
        for _ in range(config.epochs):
            model.train()
            loss_sum = 0.0
            for batch in train_loader:
                loss = model(**batch.to(model.device)).loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                if on_step is not None:
                    on_step(step, loss.item())
                step += 1
                loss_sum += loss.item() * len(batch["labels"])
            val_loss, val_accuracy = evaluate(model, val_loader)
            history.train_loss.append(loss_sum / len(train_set))
            history.val_loss.append(val_loss)
            history.val_accuracy.append(val_accuracy)
            bad_epochs += 1
            if val_loss < best_loss:
                best_loss, bad_epochs = val_loss, 0
                best_weights = {name: value.clone() for name, value in model.state_dict().items()}
            if bad_epochs >= config.patience:
                break
        model.load_state_dict(best_weights)
    return history


def predict(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[str]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    longest = min(model.config.max_position_embeddings, 512)
    names = []
    with torch.no_grad():
        for start in range(0, len(texts), 32):
            part = texts[start : start + 32]
            batch = tokenizer(part, padding=True, truncation=True, max_length=longest, return_tensors="pt")
            logits = model(**batch.to(model.device)).logits
            names += [model.config.id2label[number] for number in logits.argmax(1).tolist()]
    for module, mode in modes.items():
        module.training = mode
    return names
