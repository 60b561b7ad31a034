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
    # TODO: refuse what cannot be split, tokenize, draw an order with the seed, select three parts.
    raise NotImplementedError("TODO")


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
    # TODO: in each epoch update on every batch, measure, keep the best weights, and stop in time.
    raise NotImplementedError("TODO")


def predict(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[str]:
    """Return the class name that the model predicts for each text, from `model.config.id2label`, in their order.

    It predicts in eval mode and builds no graph; on return, each of its modules is in the mode that it had before. A
    prediction depends only on its text. A longer text is cut to `model.config.max_position_embeddings` tokens, special
    tokens included. An empty list gives an empty list.

    Method: https://huggingface.co/docs/transformers/tasks/sequence_classification#inference
    """
    # TODO: in eval mode: tokenize, pad and cut batch by batch, take the largest logit, look up its name.
    raise NotImplementedError("TODO")


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
