"""The dry look: what the data holds, which settings suit it and this machine, and why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tunelings.project import base, disk, pace, shipped
from tunelings.project import config as settings
from tunelings.project import technique as techniques
from tunelings.project.config import Config
from tunelings.project.data import divide
from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder, expanded
from tunelings.project.intake import TakenIn, cuts, measure, p95, take_in
from tunelings.project.kept import load, rows
from tunelings.project.parts import Parts, counted
from tunelings.project.passages import read_passages
from tunelings.project.rows import check_columns, columns_of
from tunelings.project.say import Say
from tunelings.project.score import metric_for

OPTIONS = "new.json"  # what the command line asked for, until project.toml is written
LONGEST = 2048  # tokens of an example, unless the settings say otherwise
CLASSIFIED = 2000  # test rows that a classifier answers
LISTED = 2000  # characters that the names of all labels may take in the prompt
TEXT = ("text", "sentence", "review", "content", "query", "utterance", "message", "body")
LABEL = ("label", "category", "intent", "class", "sentiment", "target")
PAIRS = (("question", "answer"), ("input", "output"), ("query", "response"), ("text", "summary"), ("source", "target"))
# The keys of the formats that 4.01 reads.
CHAT = (("instruction", "output"), ("conversations",), ("prompt", "completion"), ("messages",))


def look(folder: Folder, parts: Parts, say: Say) -> None:
    """Look at the data that the options name, and write project.toml."""
    base.quiet()
    options: dict[str, Any] = json.loads((folder.path / OPTIONS).read_text(encoding="utf-8"))
    if options.get("example"):
        options |= shipped.write(options["example"], folder.path) | {k: v for k, v in options.items() if v}
    kind, columns = kind_of(Path(folder.path, options["data"]), options)
    if options.get("passages") and (told := read_passages(expanded(options["passages"], folder.path)).told()):
        say.line(told)
    say.progress(0.02, "the model")
    with disk.told_if_full(folder.path):
        model_path = base.resolve(options["model"], folder.path)
    shape = base.shape_of(model_path)
    head = options.get("head") or ("answer" if shape.is_causal else "classifier")
    if head == "classifier" and kind != "labels":
        raise ProjectError(f"{options['model']} as a classifier can't write text: this data needs a causal model.")
    tokenizer = base.tokenizer_of(model_path, is_chat=head == "answer")
    longest = min(LONGEST, shape.positions or LONGEST)
    first = Config.model_validate(
        {
            "model": options["model"],
            "data": {
                "path": options["data"], "kind": kind, "columns": columns, "test": options.get("test") or "",
                "passages": options.get("passages") or "", "fractions": options.get("fractions") or (0.8, 0.1, 0.1),
                "max_length": longest, "instruction": options.get("instruction") or "",
            },
            "train": {"technique": "full", "head": head},
            "compare": {"metric": "exact_match"},
        }
    )  # fmt: skip
    scratch = folder.path / "steps" / ".look"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        taken = take_in(first, folder.path, scratch, parts, say)
        say.progress(0.3, "lengths")
        first, why = fitted(first, taken, tokenizer)
        found = divide(first, scratch, parts, tokenizer, say, taken)
        train = load(scratch, "train")
        config, why = chosen(options, first, found, train, shape, tokenizer, parts, why)
        say.progress(0.9, "timing an update")
        seconds = pace.seconds_a_micro_batch(config, model_path, train, parts) * config.train.accumulation
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    config, why["train.max_steps"] = pace.paced(config, found["written"], options.get("steps"), seconds)
    found |= {"updates": config.train.max_steps, "seconds_an_update": seconds,
              "training_seconds": seconds * config.train.max_steps}  # fmt: skip
    tell(found, config, why, parts, say)
    settings.save(folder, config, why)
    (folder.path / OPTIONS).unlink()


def kind_of(path: Path, options: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """("labels" or "chat", the columns by their role), from the options or from the first rows.

    Raises:
        ProjectError: the columns are none that are known; the line names them and the options.
    """
    given = {role: options.get(role) for role in ("text", "label", "prompt", "completion")}
    names = columns_of(path)
    for first, second, kind in (("text", "label", "labels"), ("prompt", "completion", "chat")):
        if given[first] or given[second]:
            columns = {first: given[first] or first, second: given[second] or second}
            check_columns(path, columns.values(), names)
            return kind, columns
    if not names or any(set(keys) <= set(names) for keys in CHAT):
        return "chat", {}
    for pair in PAIRS:
        if set(pair) <= set(names):
            return "chat", dict(zip(("prompt", "completion"), pair, strict=True))
    text, label = (next((name for name in known if name in names), None) for known in (TEXT, LABEL))
    if text and label:
        return "labels", {"text": text, "label": label}
    raise ProjectError(
        f"The columns are {', '.join(names)}: say which to use, --text COLUMN --label COLUMN, or --prompt COLUMN "
        "--completion COLUMN."
    )


def fitted(config: Config, taken: TakenIn, tokenizer: Any) -> tuple[Config, dict[str, str]]:
    """The settings with an instruction and a max_length for these rows, with the reason."""
    chosen: dict[str, Any] = {}
    if config.data.kind == "labels" and config.train.head == "answer" and not config.data.instruction:
        chosen["instruction"] = taken.kept.instruction = instruction(set(taken.kept.labels))
    measure(config, taken, tokenizer)
    longest, usual = max(taken.lengths), p95(taken.lengths)
    # 5% of the examples may be cut, unless they are hardly longer than the others.
    fitting = longest if longest <= 2 * usual else usual
    chosen["max_length"] = max(16, min(config.data.max_length, 16 * -(-fitting // 16)))
    why = {"data.max_length": f"tokens; the longest example has {longest}"}
    return config.model_copy(update={"data": config.data.model_copy(update=chosen)}), why


def chosen(
    options: dict[str, Any], first: Config, found: dict[str, Any], train: list, shape: base.Shape, tokenizer: Any,
    parts: Parts, why: dict[str, str],
) -> tuple[Config, dict[str, str]]:  # fmt: skip
    """The settings for this data on this machine, with the reason of each choice."""
    machine = techniques.examine()
    values = first.model_dump()
    data, training, compare = values["data"], values["train"], values["compare"]
    plan = techniques.choose(shape, machine, data["max_length"], parts)
    why |= plan.why
    if shape.is_causal:
        found["advice"] = techniques.advice(shape, machine, len(train), bool(data["passages"]), parts)
    training |= {"technique": plan.technique, "batch_size": plan.batch_size, "accumulation": plan.accumulation,
                 "lr": plan.lr, "processes": plan.processes}  # fmt: skip
    if options["model"] == base.TINY:
        training["lr"], why["train.lr"] = 3e-3, "for the tiny model"
    answers = [row["messages"][-1]["content"] for row in train]
    compare["metric"], why["compare.metric"] = metric_for(data["kind"], answers)
    if first.train.head == "classifier":
        compare["items"], why["compare.items"] = CLASSIFIED, "at most; a classifier answers in milliseconds"
    if options.get("metric"):
        compare["metric"], why["compare.metric"] = options["metric"], "as asked for"
    lengths = sorted(map(len, tokenizer(answers[:2000], add_special_tokens=False)["input_ids"]))
    compare["max_new_tokens"] = min(256, lengths[int(0.95 * (len(lengths) - 1))] + 8)
    why["compare.max_new_tokens"] = f"the longest answer has {lengths[-1]} tokens"
    return Config.model_validate(values), why


def instruction(labels: Iterable[str]) -> str:
    names = ", ".join(sorted(labels))
    if len(names) > LISTED:
        return "Which label fits this text? Answer with the label alone."
    return f"Which label fits this text: {names}? Answer with the label alone."


def tell(found: dict[str, Any], config: Config, why: dict[str, str], parts: Parts, say: Say) -> None:
    """The look in a few lines."""
    tokens, written = found["tokens"], found["written"]
    say.line(f"{found['read']:,} rows: {', '.join(f'{count:,} {name}' for name, count in written.items())}")
    for name, text in LEFT_OUT.items():
        if found[name]["count"] and name != "too_long":
            say.line(f"  {found[name]['count']:,} {text}: {places(found[name])}")
    if others := {n: c for n, c in found["quality"].items() if n not in config.data.drop}:
        say.line("  noted and kept: " + ", ".join(f"{count} {name}" for name, count in sorted(others.items())))
    if found.get("contradictions"):
        say.line(f"  {found['contradictions']} texts appear with two labels")
    if found["labels"]:
        commonest = list(found["labels"].items())
        shown = ", ".join(f"{label} {count}" for label, count in commonest[:6])
        say.line(f"{len(commonest)} labels: {shown}{', …' if len(commonest) > 6 else ''}")
    say.line(f"tokens: median {tokens['median']:g}, longest {tokens['max']}; max_length {config.data.max_length}")
    for line in cuts(found, "would be cut"):
        say.line(f"  {line}")
    if "advice" in found:
        say.line(f"5.08's table recommends {found['advice']}; the baselines show whether it's right")
    technique = config.train.technique
    say.line(f"technique: {technique}, batch {config.train.batch_size} × {config.train.accumulation} "
             f"({why['train.technique']})")  # fmt: skip
    say.line(f"training: {found['updates']} updates of {found['seconds_an_update']:.2g} s, about "
             f"{duration(found['training_seconds'])} on this machine (an update was timed); "
             f"{why['train.max_steps']}")  # fmt: skip
    say.line(counted(parts.used))


LEFT_OUT = {
    "broken": "broken",
    "quality_dropped": "dropped for their quality",
    "duplicates": "repeats",
    "too_long": "too long (nothing of the answer would be left)",
    "leaks": "test rows with text that is also in the training data",
}


def places(kind: dict[str, Any]) -> str:
    shown = "; ".join(f"{rows([place])}{f' {why}' if why else ''}" for place, why in kind["first"][:5])
    return shown + ("; …" if kind["count"] > 5 else "")


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
