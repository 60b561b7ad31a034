"""Put a system's questions to a model and keep each batch of answers the moment it is there.

A system is a way to answer: the prompt alone, with examples, with a passage, or the customized model. Its answers stand
in a file of their own; a run that was killed goes on after the last whole batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunelings.project import folder as files
from tunelings.project.kept import batched
from tunelings.project.parts import Parts
from tunelings.project.say import Say

Messages = list[dict[str, str]]
TIMED = 5  # calls one by one, whose median is the latency


def answer_all(
    path: Path,
    conversations: Sequence[Messages],
    ask: Callable[[list[Messages]], list[str]],
    batch_size: int,
    on_batch: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """The answers to all conversations; those that `path` has already are not asked for again."""
    batches = list(batched(conversations, batch_size))
    kept = [row["answers"] for row in files.lines(path)][: len(batches)]
    if kept or path.exists():  # Leaves out a last line that was cut short.
        files.write_lines(path, ({"answers": answers} for answers in kept))
    for number in range(len(kept), len(batches)):
        answers = [str(text) for text in ask(batches[number])]
        if len(answers) != len(batches[number]):
            raise ValueError(f"{len(answers)} answers to {len(batches[number])} conversations")
        files.append_line(path, {"answers": answers})
        kept.append(answers)
        on_batch(min((number + 1) * batch_size, len(conversations)))
    return [text for answers in kept for text in answers]


def generator(parts: Parts, model: Any, tokenizer: Any, max_new_tokens: int) -> Callable[[list[Messages]], list[str]]:
    """Ask a model by 3.09."""

    def ask(conversations: list[Messages]) -> list[str]:
        with parts.using("3.09") as generate:
            return list(generate.generate_batch(model, tokenizer, conversations, max_new_tokens=max_new_tokens))

    return ask


def tokens_of(tokenizer: Any, conversations: Sequence[Messages], answers: Sequence[str]) -> dict[str, float]:
    """The mean tokens that a call reads and writes."""
    prompts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    read = sum(map(len, tokenizer(prompts, add_special_tokens=False)["input_ids"]))
    written = sum(map(len, tokenizer(list(answers), add_special_tokens=False)["input_ids"]))
    return {"tokens_read": read / len(prompts), "tokens_written": written / len(prompts)}


def seconds_a_call(ask: Callable[[list[Messages]], list[str]], conversations: Sequence[Messages]) -> float:
    """The median seconds of a few single calls, after one that is not timed."""
    import statistics

    ask([conversations[0]])
    seconds = []
    for conversation in conversations[:TIMED]:
        start = time.perf_counter()
        ask([conversation])
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def split_system(messages: Messages) -> tuple[Messages, Messages]:
    """The system turn, if there is one, and the other turns."""
    at = int(messages[0]["role"] == "system")
    return messages[:at], messages[at:]


def prompt_of(row: dict[str, Any]) -> Messages:
    """What is asked: the conversation without its last answer."""
    return row["messages"][:-1]


def watch(say: Say, name: str, total: int, start: float, share: float) -> Callable[[int], None]:
    return lambda done: say.progress(start + share * done / total, f"{name}: {done} of {total}")
