"""What the customized model has to beat: the commonest answer, the prompt, a few examples, and retrieval.

All of them answer the same held-out rows before anything is trained. Examples come from the training part alone.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

from tunelings.project import ask as asking
from tunelings.project import base
from tunelings.project.config import Config
from tunelings.project.folder import expanded
from tunelings.project.kept import load
from tunelings.project.parts import Parts
from tunelings.project.passages import read_passages
from tunelings.project.say import Say
from tunelings.project.score import scores

PASSAGE_CHARACTERS = 1200  # of the passage that is put into the prompt, which is paid for by its length


def baselines(
    config: Config, here: Path, data: Path, work: Path, model_path: Path, parts: Parts, say: Say
) -> dict[str, Any]:
    """Answer the held-out rows in each way, and write the answers beside the result.

    Args:
        here: where relative paths of the settings begin.
        data: the folder of the data step.
    """
    train, test = load(data, "train"), held_out(config, data)
    passages, told = passages_of(config, here)
    if told:
        say.line(told)
    systems: dict[str, Any] = {"majority": {"answers": majority(train, len(test)), "tokens_read": 0.0}}
    skipped: dict[str, str] = {}
    if config.data.kind == "labels":
        say.progress(0.0, "bag of words")
        systems["bag of words"] = {"answers": bag_of_words(train, test), "tokens_read": 0.0}
    shape = base.shape_of(model_path)
    if shape.is_causal and config.train.head == "answer":
        asked = conversations_of(config, passages, model_path, train, test, parts, skipped)
        model = base.load_causal(model_path)
        tokenizer = base.tokenizer_of(model_path, is_chat=True)
        ask = asking.generator(parts, model, tokenizer, config.compare.max_new_tokens)
        for number, (name, conversations) in enumerate(asked.items()):
            watch = asking.watch(say, name, len(test), number / len(asked), 1 / len(asked))
            path = work / f"{name.replace(' ', '_')}.jsonl"
            answers = asking.answer_all(path, conversations, ask, config.compare.batch_size, watch)
            systems[name] = {"answers": answers, **asking.tokens_of(tokenizer, conversations, answers)}
            systems[name]["seconds"] = asking.seconds_a_call(ask, conversations)
    else:
        skipped["prompt"] = "a classifier answers with a label and takes no prompt"
    for system in systems.values():
        system["scores"] = scores(config, system["answers"], test, parts, {row["label"] for row in train})
    return {"systems": systems, "skipped": skipped, "items": len(test), "passages": told}


def passages_of(config: Config, here: Path) -> tuple[list[str], str]:
    """What retrieval searches, and a line on what can't be read of it."""
    if not config.data.passages:
        return [], ""
    found = read_passages(expanded(config.data.passages, here))
    return found.texts, found.told()


def held_out(config: Config, data: Path) -> list[dict[str, Any]]:
    """The test rows that are answered: all, or as many as the settings say, drawn by the seed."""
    test = load(data, "test")
    if len(test) <= config.compare.items:
        return test
    chosen = sorted(random.Random(config.compare.seed).sample(range(len(test)), config.compare.items))
    return [test[i] for i in chosen]


def majority(train: list[dict[str, Any]], count: int) -> list[str]:
    """The commonest answer of the training part, for every row."""
    return [Counter(row["messages"][-1]["content"] for row in train).most_common(1)[0][0]] * count


def bag_of_words(train: list[dict[str, Any]], test: list[dict[str, Any]]) -> list[str]:
    """Logistic regression on TF-IDF, which costs next to nothing."""
    from tunelings.handson import reviews

    texts, labels = [row["text"] for row in train], [row["label"] for row in train]
    return reviews.bag_of_words(texts, labels, [row["text"] for row in test])


def conversations_of(
    config: Config,
    passages: list[str],
    model_path: Path,
    train: list[dict[str, Any]],
    test: list[dict[str, Any]],
    parts: Parts,
    skipped: dict[str, str],
) -> dict[str, list[asking.Messages]]:
    """What each way of prompting asks, by its name."""
    asked = {"prompt": [asking.prompt_of(row) for row in test]}
    if not config.compare.shots:
        skipped["few-shot prompt"] = "shots = 0"
    elif any(len(asking.split_system(row["messages"])[1]) != 2 for row in (*train, *test)):
        skipped["few-shot prompt"] = "5.03 shows examples of one turn, and these conversations have more"
    else:
        tokenizer = base.tokenizer_of(model_path, is_chat=True)
        asked["few-shot prompt"] = few_shot(config, tokenizer, train, test, parts)
    if passages:
        asked["retrieval"] = [with_passage(row, passages, parts) for row in test]
    else:
        skipped["retrieval"] = "no passages are given"
    return asked


def few_shot(config: Config, tokenizer: Any, train: list, test: list, parts: Parts) -> list[asking.Messages]:
    """Each question after solved ones of the training part, balanced by label where there are labels.

    A system turn of the question's own stands before them; 5.03 knows none, so its tokens are taken off the limit.
    """
    pool = [{"text": row["messages"][-2]["content"], "label": row["messages"][-1]["content"]} for row in train]
    pool = random.Random(config.compare.seed).sample(pool, min(len(pool), 500))
    limit = config.data.max_length * (config.compare.shots + 1)
    conversations = []
    with parts.using("5.03") as prompts:
        for number, row in enumerate(test):
            rng = random.Random(f"{config.compare.seed}/{number}")
            system, (query, _) = asking.split_system(row["messages"])
            said = "".join(turn["content"] for turn in system)
            room = limit - len(tokenizer(said, add_special_tokens=False)["input_ids"])
            shown = prompts.build_prompt(query["content"], pool, config.compare.shots, tokenizer, room, rng=rng)
            conversations.append([*system, *shown])
    return conversations


def with_passage(row: dict[str, Any], passages: list[str], parts: Parts) -> asking.Messages:
    """The question after the passage that BM25 finds for it."""
    messages = [dict(turn) for turn in asking.prompt_of(row)]
    with parts.using("5.05") as retrieval:
        found = [float(score) for score in retrieval.bm25_scores(row["text"], passages)]
        best = passages[max(range(len(passages)), key=lambda i: found[i])][:PASSAGE_CHARACTERS]
    messages[-1]["content"] = f"{best}\n\nQuestion: {messages[-1]['content']}"
    return messages
