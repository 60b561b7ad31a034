"""The data step of a project, without a model or any library: a token is a character."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import COURSE
from tunelings.project import folder as files
from tunelings.project.config import Config
from tunelings.project.data import prepare
from tunelings.project.parts import Parts
from tunelings.project.say import Say

WORDS = "one two three four five six seven eight nine ten".split()


class Characters:
    """A tokenizer of one token a character, without any library."""

    chat_template = "given"

    def apply_chat_template(self, messages, tokenize=False, add_generation_prompt=False):
        return "".join(f"<{turn['role']}>{turn['content']}" for turn in messages)

    def __call__(self, texts, add_special_tokens=False):
        return {"input_ids": [[0] * len(text) for text in texts] if isinstance(texts, list) else [0] * len(texts)}


def settings_for(path: Path, kind: str = "labels", **data) -> Config:
    options = {"path": str(path), "kind": kind, **data}
    return Config.model_validate(
        {"model": "tiny", "data": options, "train": {"technique": "full"}, "compare": {"metric": "exact_match"}}
    )


def prepared(path: Path, tmp_path: Path, kind: str = "labels", **data) -> dict:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return prepare(settings_for(path, kind, **data), tmp_path, work, Parts(COURSE), Characters(), Say())


def labeled(count: int = 60) -> list[dict]:
    return [{"text": f"{WORDS[i % 10]} and {i} more", "label": "ab"[i % 2]} for i in range(count)]


def jsonl(path: Path, rows: list) -> Path:
    files.write_lines(path, rows)
    return path
