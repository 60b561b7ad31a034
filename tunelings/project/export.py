"""Leave a model that others can use: adapter, merged weights, cards, a Modelfile, and GGUF by a packaged converter."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tunelings.handson import models
from tunelings.project import disk
from tunelings.project.config import Config
from tunelings.project.folder import LEARNED
from tunelings.project.kept import PARTS as SPLITS
from tunelings.project.parts import Parts
from tunelings.project.say import Say
from tunelings.project.verdict import in_numbers, words

MERGED, ADAPTER = "merged", "adapter"
CONVERTERS = ("convert_hf_to_gguf.py", "convert-hf-to-gguf")  # llama.cpp's, where a package has put it on the path
# Ollama reads a Go template; this is ChatML's, https://github.com/ollama/ollama/blob/main/docs/modelfile.md.
OLLAMA_CHATML = """TEMPLATE \"\"\"{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
\"\"\""""

# How a server tells a tool call from text, for models that write them as Hermes does; the key is transformers' own,
# https://huggingface.co/docs/transformers/chat_response_parsing.
TOOL_CALLS = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*(?:<\|im_end\|>|<\|endoftext\|>)", "content": "text"},
    },
}


def export(
    config: Config, name: str, results: dict[str, Any], trained: Path, data: Path, work: Path, model_path: Path,
    parts: Parts, say: Say,
) -> dict[str, Any]:  # fmt: skip
    """Write everything into `work`; `results` are those of the steps before, by name."""
    learned, merged = trained / LEARNED, work / MERGED
    shutil.rmtree(merged, ignore_errors=True)
    is_adapter = (learned / "adapter_config.json").exists()
    made = [MERGED]
    say.progress(0.1, "merging")
    with disk.told_if_full(work):
        if is_adapter:
            shutil.copytree(learned, work / ADAPTER, dirs_exist_ok=True)
            name_base(work / ADAPTER / "adapter_config.json", hub_name(config.model))
            merge(config, model_path, learned, merged, parts)
            made.append(ADAPTER)
        else:
            shutil.copytree(learned, merged)
    card = model_card(config, name, results)
    for folder in made:
        (work / folder / "README.md").write_text(card, encoding="utf-8")
    write_data(config, name, results, data, work / "data")
    left: list[str] = []
    if config.train.head == "answer":
        name_tool_calls(merged)
        (work / "Modelfile").write_text(modelfile(merged), encoding="utf-8")
        made.append("Modelfile")
        say.progress(0.8, "GGUF")
        made += gguf(merged, work, left)
    return {"made": [*made, "data"], "left": left}


def merge(config: Config, base: Path, learned: Path, merged: Path, parts: Parts) -> None:
    """One plain model: of an answering one by 3.06; a classifier's head is peft's to merge."""
    if config.train.head == "classifier":
        from tunelings.project.compare import load_classifier

        model, tokenizer = load_classifier(base, learned)
        model.merge_and_unload().save_pretrained(merged)
        tokenizer.save_pretrained(merged)
        return
    with parts.using("3.06") as part:
        part.merge_adapter(base, learned, merged)
        if not (merged / "config.json").is_file() or not list(merged.glob("*.safetensors")):
            raise ValueError(f"{merged} holds no config.json or no safetensors")
    if not (merged / "chat_template.jinja").exists():
        from transformers import AutoTokenizer

        AutoTokenizer.from_pretrained(learned).save_pretrained(merged)


def hub_name(model: str) -> str:
    """The base's name on the hub, where it has one: a path of this machine means nothing elsewhere."""
    known = models.known(model)
    return known.hub if known else model


def name_base(path: Path, base: str) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")


# ---------------------------------------------------------------- cards
def model_card(config: Config, name: str, results: dict[str, Any]) -> str:
    """The card as the hub expects it: metadata that it reads, and what was measured."""
    from huggingface_hub import EvalResult, ModelCardData

    compared, trained, data = results["compare"], results["train"], results["data"]
    score = compared["systems"]["customized"]["score"]
    task = "text-classification" if config.train.head == "classifier" else "text-generation"
    metric = config.compare.metric
    metadata = ModelCardData(
        base_model=hub_name(config.model) if "/" in hub_name(config.model) else None,
        pipeline_tag=task,
        library_name="transformers",
        model_name=name,
        tags=["tunelings"],
        eval_results=[
            EvalResult(
                task_type=task, dataset_type=name, dataset_name=name, metric_type=metric, metric_value=round(score, 4)
            )
        ],
    )
    rows = [f"| {one} | {row['score']:.3f} |" for one, row in compared["systems"].items()]
    against = [f"- the {words(one)}: {in_numbers(row)}" for one, row in compared["verdict"]["against"].items()]
    settings = ", ".join(
        f"{key} {trained[key]}" for key in ("technique", "batch_size", "accumulation", "steps", "trained")
    )
    return "\n".join(
        [
            "---", metadata.to_yaml(), "---", f"# {name}", "",
            f"{hub_name(config.model)}, customized on {data['written']['train']} examples with tunelings.", "",
            "## Was it worth it?", "", compared["verdict"]["sentence"], "",
            f"On {compared['items']} held-out rows ({metric}):", "", "| system | score |", "|---|---|", *rows, "",
            "Differences, customized minus baseline:", "", *against, "",
            "## Training", "", f"{settings}, learning rate {trained['lr']:g}, seed {config.train.seed}.", "",
            "## Limits", "", "It was measured on rows like those that it was trained on, and on nothing else.", "",
        ]
    )  # fmt: skip


def write_data(config: Config, name: str, results: dict[str, Any], data: Path, out: Path) -> None:
    """The prepared data with its card."""
    from huggingface_hub import DatasetCardData

    out.mkdir(exist_ok=True)
    for part in SPLITS:
        shutil.copyfile(data / f"{part}.jsonl", out / f"{part}.jsonl")
    found = results["data"]
    metadata = DatasetCardData(
        pretty_name=name,
        configs=[
            {"config_name": "default", "data_files": [{"split": part, "path": f"{part}.jsonl"} for part in SPLITS]}
        ],
    )
    counts = [
        ("rows read", found["read"]),
        *((kind.replace("_", " "), found[kind]["count"]) for kind in LEFT_OUT),
        *found["written"].items(),
    ]
    lines = ["---", metadata.to_yaml(), "---", f"# {name}: data", "", "| | rows |", "|---|---|"]
    lines += [f"| {what} | {count} |" for what, count in counts]
    lines += ["", f"Tokens: median {found['tokens']['median']:g}, longest {found['tokens']['max']}.", ""]
    (out / "README.md").write_text("\n".join(lines), encoding="utf-8")


LEFT_OUT = ("broken", "quality_dropped", "duplicates", "too_long", "leaks")


# ---------------------------------------------------------------- other runtimes
def name_tool_calls(merged: Path) -> None:
    """Say in the tokenizer's config how tool calls are written, where the template is ChatML's and none is said."""
    path = merged / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    template = merged / "chat_template.jinja"
    text = template.read_text(encoding="utf-8") if template.exists() else str(config.get("chat_template"))
    if "<|im_start|>" in text and "response_template" not in config:
        config["response_template"] = TOOL_CALLS
        path.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def modelfile(merged: Path) -> str:
    """For `ollama create NAME -f Modelfile`: Ollama reads safetensors of the common families itself."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(merged)
    lines = [f"FROM ./{MERGED}", "PARAMETER temperature 0", f'PARAMETER stop "{tokenizer.eos_token}"']
    if "<|im_start|>" in (tokenizer.chat_template or ""):
        lines.append(OLLAMA_CHATML)
    return "\n".join(lines) + "\n"


def gguf(merged: Path, work: Path, left: list[str]) -> list[str]:
    """model.gguf by llama.cpp's converter, where a package has installed it."""
    converter = next((found for name in CONVERTERS if (found := shutil.which(name))), None)
    if converter is None:
        left.append("GGUF: no converter is installed (convert_hf_to_gguf.py of llama.cpp); Ollama reads merged/ itself")
        return []
    done = subprocess.run(
        [converter, str(merged), "--outfile", str(work / "model.gguf")], capture_output=True, text=True
    )
    if done.returncode:
        left.append(f"GGUF: {converter} failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}")
        return []
    return ["model.gguf"]
