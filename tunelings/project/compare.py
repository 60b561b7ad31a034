"""Was it worth it? The customized model against each baseline, on rows that nothing has seen."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from tunelings.project import ask as asking
from tunelings.project import base
from tunelings.project.baseline import held_out
from tunelings.project.config import Config
from tunelings.project.folder import LEARNED
from tunelings.project.kept import load
from tunelings.project.parts import Parts
from tunelings.project.say import Say
from tunelings.project.score import scores
from tunelings.project.verdict import judge

SHOWN = 10  # answers before and after, worst first
GENERAL = 40  # texts that have nothing to do with the task
JUDGED = 50  # pairs that a judge reads


def compare(
    config: Config,
    data: Path,
    before: dict[str, Any],
    trained: Path,
    work: Path,
    model_path: Path,
    parts: Parts,
    say: Say,
) -> dict[str, Any]:
    """Answer the held-out rows with the customized model, and compare.

    Args:
        before: the result of the baseline step, for the same rows.
        trained: the folder of the train step.
    """
    test = held_out(config, data)
    if config.train.head == "classifier":
        customized = answers_of_classifier(config, trained / LEARNED, model_path, test, parts, say)
        forgotten = None
    else:
        tokenizer = base.tokenizer_of(model_path, is_chat=True)
        general = losses_before(work, model_path, tokenizer, parts, say)
        model = base.load_customized(model_path, trained / LEARNED)
        conversations = [asking.prompt_of(row) for row in test]
        ask = asking.generator(parts, model, tokenizer, config.compare.max_new_tokens)
        watch = asking.watch(say, "customized", len(test), 0.1, 0.7)
        answers = asking.answer_all(work / "customized.jsonl", conversations, ask, config.compare.batch_size, watch)
        customized = {"answers": answers, **asking.tokens_of(tokenizer, conversations, answers)}
        customized["seconds"] = asking.seconds_a_call(ask, conversations)
        say.progress(0.85, "what was forgotten")
        forgotten = forgetting(config, general, general_losses(model, tokenizer, parts), parts)
    customized["scores"] = scores(
        config, customized["answers"], test, parts, (row["label"] for row in load(data, "train"))
    )
    systems = {**before["systems"], "customized": customized}
    verdict = judge(config, customized["scores"], {name: s["scores"] for name, s in before["systems"].items()}, parts)
    result: dict[str, Any] = {
        "verdict": verdict,
        "systems": {name: row_of(config, s, test, parts) for name, s in systems.items()},
    }
    result |= {"forgotten": forgotten, "examples": examples(test, before["systems"], customized), "items": len(test)}
    if config.compare.judge and "prompt" in before["systems"]:
        say.progress(0.9, "judging pairs")
        prompt = before["systems"]["prompt"]["answers"]
        result["judged"] = judged(config, test, prompt, customized["answers"], work, parts)
    return result


def row_of(config: Config, system: dict[str, Any], test: list, parts: Parts) -> dict[str, Any]:
    """A system in the table: its score, and what a call costs."""
    row = {key: value for key, value in system.items() if key not in ("answers", "scores")}
    row["score"] = statistics.fmean(system["scores"])
    if config.data.kind == "labels":
        with parts.using("5.01") as metrics:
            said = [answer.strip() for answer in system["answers"]]
            row["macro_f1"] = float(metrics.macro_f1(said, [item["label"] for item in test]))
    return row


def answers_of_classifier(
    config: Config, learned: Path, model_path: Path, test: list, parts: Parts, say: Say
) -> dict[str, Any]:
    """The labels that a classifier gives, by 2.08's predict."""
    import time

    model, tokenizer = load_classifier(model_path, learned)
    texts = [item["text"] for item in test]
    say.progress(0.2, "customized")
    with parts.using("2.08") as part:
        answers = [str(name) for name in part.predict(model, tokenizer, texts)]
        seconds = []
        for text in texts[: asking.TIMED]:
            start = time.perf_counter()
            part.predict(model, tokenizer, [text])
            seconds.append(time.perf_counter() - start)
    read = sum(map(len, tokenizer(texts)["input_ids"])) / len(texts)
    return {"answers": answers, "tokens_read": read, "tokens_written": 0.0, "seconds": statistics.median(seconds)}


def load_classifier(model_path: Path, learned: Path) -> tuple[Any, Any]:
    """(model, tokenizer) of a trained classifier, an adapter or a whole model."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(learned)
    if (learned / "adapter_config.json").exists():
        from peft import AutoPeftModelForSequenceClassification

        labels = label_names(learned)
        names: dict[str, Any] = {
            "id2label": dict(enumerate(labels)),
            "label2id": {name: i for i, name in enumerate(labels)},
        }
        model = AutoPeftModelForSequenceClassification.from_pretrained(
            str(learned), num_labels=len(labels), pad_token_id=tokenizer.pad_token_id, **names
        )
    else:
        model = AutoModelForSequenceClassification.from_pretrained(learned)
    return model.to(base.device()).eval(), tokenizer


def label_names(learned: Path) -> list[str]:
    """The labels of the train step beside the model."""
    import json

    return json.loads((learned.parent / "result.json").read_text(encoding="utf-8"))["labels"]


# ---------------------------------------------------------------- forgetting
def losses_before(work: Path, model_path: Path, tokenizer: Any, parts: Parts, say: Say) -> list[float]:
    """The base's losses on general text; kept, so that the base need not be loaded again."""
    import json

    from tunelings.project import folder as files

    path = work / "general.json"
    if (kept := files.read_text(path)) is not None:
        return json.loads(kept)
    say.progress(0.02, "general text, before")
    losses = general_losses(base.load_causal(model_path), tokenizer, parts)
    files.write(path, json.dumps(losses))
    return losses


def general_losses(model: Any, tokenizer: Any, parts: Parts, longest: int = 96) -> list[float]:
    """The mean loss of a token, for each of some passages of the Python documentation, by 3.08."""
    import torch

    from tunelings.handson.reviews_task import load_general_texts

    losses = []
    with parts.using("3.08") as part, torch.no_grad():
        for text in load_general_texts(GENERAL):
            ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"][:longest]]).to(model.device)
            losses.append(float(part.causal_lm_loss(model(input_ids=ids).logits.float(), ids)))
    return losses


def forgetting(config: Config, before: list[float], after: list[float], parts: Parts) -> dict[str, Any]:
    with parts.using("5.06") as part:
        change = part.paired_bootstrap(after, before, seed=config.compare.seed)
        interval = [float(change.mean), float(change.low), float(change.high)]
    return {"before": statistics.fmean(before), "after": statistics.fmean(after), "change": interval}


# ---------------------------------------------------------------- to look at
def examples(test: list[dict], before: dict[str, Any], customized: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows with the answers before and after; the worst of the customized model first, where the prompt was better."""
    reference = before.get("prompt") or before["bag of words"]
    order = sorted(range(len(test)), key=lambda i: (customized["scores"][i], -reference["scores"][i], i))
    return [
        {
            "id": test[i]["id"],
            "asked": test[i]["messages"][-2]["content"],
            "wanted": test[i]["answers"],
            "before": reference["answers"][i],
            "after": customized["answers"][i],
            "scores": [reference["scores"][i], customized["scores"][i]],
        }
        for i in order[:SHOWN]
    ]


def judged(
    config: Config, test: list, prompt: list[str], customized: list[str], work: Path, parts: Parts
) -> dict[str, Any]:
    """How often a judge, a model of the learner's choice, prefers the customized answer to the prompt's, by 5.07."""
    from tunelings.handson import llm

    name = config.compare.judge
    if name.startswith(("http://", "https://")):
        url, _, served = name.partition("#")
        ask = llm.on_server(url, served)
    else:
        ask = llm.local(base.resolve(name, work), temperature=0.0)
    questions = [item["messages"][-2]["content"] for item in test]
    items = list(zip(questions, customized, prompt, strict=True))[:JUDGED]
    with parts.using("5.07") as part:
        found = part.win_rate(ask, items)
        return {key: float(getattr(found, key)) for key in ("rate", "wins", "losses", "ties", "failures")} | {
            "items": len(items)
        }
