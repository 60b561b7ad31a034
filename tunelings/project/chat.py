"""Base and customized model side by side: one question, two answers that grow word by word."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunelings.project import base
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.folder import LEARNED, Folder

NAMES = ("base", "customized")
LABELS = 3  # of a classifier, the likeliest first


def chat(folder: Folder, config: Config) -> None:
    """Read questions from standard input until it ends, or "/quit"; the settings' instruction goes before each."""
    learned = trained_folder(folder)
    if config.train.head == "classifier":
        classify(folder, config, learned)
        return
    base.quiet()
    path = base.resolve(config.model, folder.path)
    tokenizer = base.tokenizer_of(path, is_chat=True)
    models = [base.load_causal(path), base.load_customized(path, learned)]
    for question in questions():
        content = f"{config.data.instruction}\n\n{question}" if config.data.instruction else question
        turns = [{"role": "user", "content": content}]
        show(stream(models, tokenizer, turns, config.compare.max_new_tokens))


def trained_folder(folder: Folder) -> Path:
    """Where the trained model stands.

    Raises:
        ProjectError: nothing is trained yet.
    """
    if folder.result("train") is None:
        raise ProjectError(f"{folder.name} has no trained model yet: `tunelings project run {folder.name}` makes it.")
    return folder.done("train") / LEARNED


def questions() -> Iterator[str]:
    is_terminal = sys.stdin.isatty()
    while True:
        try:
            line = input("you> ") if is_terminal else input()
        except (EOFError, KeyboardInterrupt):
            return
        if line.strip() in ("/quit", "/exit"):
            return
        if line.strip():
            yield line.strip()


def stream(models: list[Any], tokenizer: Any, turns: list[dict[str, str]], limit: int) -> Iterator[tuple[int, str]]:
    """(which model, new text) as each model writes, the base first."""
    from transformers import TextIteratorStreamer

    batch = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    for number, model in enumerate(models):
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        options = {**batch.to(model.device), "streamer": streamer, "max_new_tokens": limit, "do_sample": False}
        options |= {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": pad}
        failed: list[BaseException] = []
        writer = threading.Thread(target=write, args=(model, options, streamer, failed), daemon=True)
        writer.start()
        for text in streamer:
            yield number, text
        writer.join()
        if failed:
            raise failed[0]


def write(model: Any, options: dict[str, Any], streamer: Any, failed: list[BaseException]) -> None:
    """Generate in a thread; an error ends the stream, whose reader would wait forever."""
    try:
        model.generate(**options)
    except BaseException as error:
        failed.append(error)
        streamer.end()


def show(pieces: Iterator[tuple[int, str]]) -> None:
    """Two columns that fill in a terminal; elsewhere the two answers, one after the other."""
    from rich.live import Live

    from tunelings.desk.screen import console, plain

    texts = ["", ""]
    if console.is_terminal:
        with Live(columns(texts), console=console, refresh_per_second=12) as live:
            for number, text in pieces:
                texts[number] += plain(text)
                live.update(columns(texts))
        return
    for number, text in pieces:
        texts[number] += text
    for name, text in zip(NAMES, texts, strict=True):
        console.print(f"{name}: {plain(text.strip())}", markup=False)


def columns(texts: list[str]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True)
    for name in NAMES:
        table.add_column(name, ratio=1)
    table.add_row(*map(Text, texts))
    return table


def classify(folder: Folder, config: Config, learned: Path) -> None:
    """A classifier has no base to talk with: each text gets its likeliest labels and how sure the model is."""
    import torch

    from tunelings.desk.screen import console
    from tunelings.project.compare import load_classifier

    base.quiet()
    model, tokenizer = load_classifier(base.resolve(config.model, folder.path), learned)
    for question in questions():
        batch = tokenizer(question, return_tensors="pt", truncation=True, max_length=config.data.max_length)
        with torch.no_grad():
            shares = model(**batch.to(model.device)).logits.float().softmax(-1)[0]
        likeliest = shares.argsort(descending=True)[:LABELS].tolist()
        says = ", ".join(f"{model.config.id2label[i]} ({100 * shares[i]:.0f}%)" for i in likeliest)
        console.print(says, markup=False)
