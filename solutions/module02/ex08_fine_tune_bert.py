"""2.08 · Fine-tune BERT: teach a pretrained encoder to tell good reviews from bad ones, and see if it pays off.

`python exercises/module02/ex08_fine_tune_bert.py` fine-tunes a real encoder in minutes on a CPU, and compares it with
three cheaper ways.
"""

from collections.abc import Callable
from pathlib import Path
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
    """How to train; see `train`."""

    epochs: int
    lr: float
    batch_size: int = 32
    patience: int = 2
    seed: int = 0


class History(NamedTuple):
    """The curves that `train` returns."""

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
    """Tokenize the texts and split them into three parts.

    Args:
        texts: all different, in any order, perhaps sorted by label.
        labels: for each text, one of `label_names`. Neither list is changed.
        tokenizer: that of the model.
        seed: alone decides the parts; another seed gives different ones. The global random states do not move.
        label_names: class i is `label_names[i]`.
        max_length: the most tokens of a text, [CLS] and [SEP] included.

    Returns:
        `Splits` of three `datasets.Dataset`. Each text is in exactly one part; validation and test hold one tenth each,
        rounded up or down. Columns, at least:

        - text: the text, unchanged.
        - input_ids, attention_mask: what the tokenizer returns for the text alone, cut at max_length, unpadded.
        - labels: the number of the text's class, an int.

    Raises:
        ValueError: fewer than 10 texts, not as many labels as texts, or a label that is not in `label_names`, and then
            in the message.

    Method: https://huggingface.co/docs/transformers/tasks/sequence_classification
    """
    # BEGIN SOLUTION: refuse what cannot be split, tokenize, draw an order with the seed, select three parts.
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
    # END SOLUTION


# BEGIN SOLUTION
def loader_of(dataset: Dataset, tokenizer: PreTrainedTokenizerBase, batch_size: int, shuffle: bool) -> DataLoader:
    """Batches of the model's inputs."""
    columns = dataset.select_columns(["input_ids", "attention_mask", "labels"])
    return DataLoader(columns, batch_size, shuffle=shuffle, collate_fn=DataCollatorWithPadding(tokenizer))


@torch.no_grad()
def evaluate(model: PreTrainedModel, loader: DataLoader) -> tuple[float, float]:
    """Loss and accuracy, as means over the examples."""
    model.eval()
    loss, correct, count = 0.0, 0, 0
    for batch in loader:
        batch = batch.to(model.device)
        outputs = model(**batch)
        loss += outputs.loss.item() * len(batch["labels"])
        correct += (outputs.logits.argmax(1) == batch["labels"]).sum().item()
        count += len(batch["labels"])
    return loss / count, correct / count


# END SOLUTION
def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_set: Dataset,
    val_set: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> History:
    """Fine-tune all of the model in place.

    Args:
        model: a transformers classifier, on any device.
        tokenizer: pads the batches.
        train_set: has the columns of `prepare`. Each pass takes each example once, in a new random order, in batches of
            `config.batch_size`; the last one may be smaller. A batch is padded to its longest text.
        val_set: the same columns, for measuring only, in its own order. Neither set is empty.
        config: with S = epochs × batches in a pass, update s, counted from 0, is one of `torch.optim.AdamW` at the
            learning rate lr · (1 - s / S), with weight decay 0.01 and torch's other defaults.
        on_step: called after each update as `on_step(s, loss)`, with the loss of its batch before the update, a Python
            float; s goes on from epoch to epoch.

    The loss is the cross-entropy of the logits, a mean over the batch, with the attention mask. Training is in train
    mode, measuring in eval mode and without a graph.

    Training ends after `config.epochs`, or as soon as `config.patience` epochs in a row have not brought a validation
    loss lower than all earlier ones. Then the model has the weights of the first epoch with the lowest validation loss.

    `config.seed` alone decides the order of the examples and dropout, and so the history. torch's global random state
    does not move.

    Returns:
        `History`, three lists of Python floats with one number for each epoch that was run, means over the examples:
        train_loss of the loss before each one's update, val_loss and val_accuracy (0 to 1) after the epoch.

    Method: Devlin and others, "BERT" (2019), appendix A.3, https://arxiv.org/abs/1810.04805; Mosbach and others (2021),
    https://arxiv.org/abs/2006.04884
    """
    # BEGIN SOLUTION: in each epoch update on every batch, measure, keep the best weights, and stop in time.
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
    # END SOLUTION


def predict(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[str]:
    """Return the class name that the model predicts for each text, from `model.config.id2label`, in their order.

    It predicts in eval mode and builds no graph; on return, each of its modules is in the mode that it had before. A
    prediction depends only on its text. A longer text is cut to `model.config.max_position_embeddings` tokens, special
    tokens included. An empty list gives an empty list.

    Method: https://huggingface.co/docs/transformers/tasks/sequence_classification#inference
    """
    # BEGIN SOLUTION: in eval mode: tokenize, pad and cut batch by batch, take the largest logit, look up its name.
    modes = {module: module.training for module in model.modules()}
    model.eval()
    longest = model.config.max_position_embeddings
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
    # END SOLUTION


def main(train_count: int = 2000, folder: Path = Path("runs/reviews")) -> None:
    """Given: fine-tune a real encoder, compare it, save two pictures."""
    from rich.progress import Progress
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    from tunelings.course import find_root
    from tunelings.handson import models, reviews

    try:
        path = models.find("minilm")
    except FileNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    names = reviews.LABEL_NAMES
    texts, labels = reviews.load_reviews(find_root() / "data" / "sentiment")
    tokenizer = AutoTokenizer.from_pretrained(path)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2, id2label=dict(enumerate(names)))
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    splits = prepare(texts, labels, tokenizer, seed=0, label_names=names)
    train_set = splits.train.shuffle(seed=0).select(range(train_count))
    train_texts, train_labels = train_set["text"][:], [names[i] for i in train_set["labels"]]
    test_texts, test_labels = splits.test["text"][:], [names[i] for i in splits.test["labels"]]
    config = Config(epochs=4, lr=1e-4, patience=1)
    with Progress() as progress:
        frozen = progress.add_task("frozen features", total=len(train_texts) + len(test_texts))
        features = reviews.features(
            model, tokenizer, train_texts + test_texts, lambda done: progress.update(frozen, completed=done)
        )
        bar = progress.add_task("training", total=config.epochs * -(-train_count // config.batch_size))

        def on_step(step: int, loss: float) -> None:
            progress.update(bar, completed=step + 1, description=f"step {step + 1}, loss {loss:.3f}")

        history = train(model, tokenizer, train_set, splits.validation, config, on_step=on_step)
    probe = reviews.linear_probe(features[:train_count], train_labels, features[train_count:])
    predicted = {
        "majority": reviews.majority(train_labels, len(test_texts)),
        "bag of words": reviews.bag_of_words(train_texts, train_labels, test_texts),
        "frozen features": probe,
        "fine-tuned": predict(model, tokenizer, test_texts),
    }
    for name, said in predicted.items():
        accuracy, low, high = reviews.score(said, test_labels)
        line = f"{name:<16} test accuracy {accuracy:.3f} ({low:.3f} to {high:.3f})"
        if name != "fine-tuned":
            more, low, high, *_ = reviews.compare(predicted["fine-tuned"], said, test_labels)
            line += f"; fine-tuned is {more:+.3f} ({low:+.3f} to {high:+.3f})"
        print(line)
    folder.mkdir(parents=True, exist_ok=True)
    reviews.draw_curves(history, folder / "curves.png")
    reviews.draw_confusion(predicted["fine-tuned"], test_labels, names, folder / "confusion.png")
    print(f"saved {folder / 'curves.png'} and {folder / 'confusion.png'}")


if __name__ == "__main__":
    main()
