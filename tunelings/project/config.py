"""project.toml: the settings of a project, what each may be, and why `new` chose what it chose."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder, write

Technique = Literal["full", "lora", "qlora"]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
# What 4.03 knows: languages, and issues.
Language = Literal["en", "de", "fr", "el", "ru", "zh"]
Issue = Literal["empty", "language", "markup", "refusal", "repetition", "too_long", "too_short", "truncated"]
# What makes a row unfit; the others are counted and shown, since code and JSON end without a full stop.
DROPPED: tuple[Issue, ...] = ("empty", "refusal", "repetition", "too_long")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Section):
    path: Annotated[str, Field(min_length=1)]
    kind: Literal["labels", "chat"]  # a text with a label, or a conversation that ends with the assistant's answer
    columns: dict[str, str] = {}
    instruction: str = ""
    test: str = ""
    passages: str = ""
    pipeline: Literal["steps", "whole"] = "steps"
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    duplicates: Annotated[float, Field(gt=0, le=1)] = 0.8
    drop: tuple[Issue, ...] = DROPPED
    language: Language = "en"
    max_length: Annotated[int, Field(ge=8)] = 512
    seed: Seed = 0

    @pydantic.model_validator(mode="after")
    def fractions_add_up(self) -> Data:
        if not (abs(sum(self.fractions) - 1) < 1e-6 and min(self.fractions) > 0):  # Not a number is neither.
            raise ValueError("fractions must be three numbers above 0 that add up to 1")
        return self


class Train(Section):
    technique: Technique
    head: Literal["answer", "classifier"] = "answer"
    pipeline: Literal["steps", "whole"] = "steps"
    r: Annotated[int, Field(ge=1)] = 8
    lora_alpha: Annotated[int, Field(ge=1)] = 16
    lr: Annotated[float, Field(gt=0, le=1)] = 5e-4
    epochs: Annotated[int, Field(ge=1)] = 3
    max_steps: Annotated[int, Field(ge=1)] = 400
    batch_size: Annotated[int, Field(ge=1)] = 4
    accumulation: Annotated[int, Field(ge=1)] = 2
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    schedule: Literal["linear", "cosine"] = "linear"
    evaluate_every: Annotated[int, Field(ge=1)] = 20
    patience: Annotated[int, Field(ge=1)] = 3
    processes: Annotated[int, Field(ge=1)] = 1
    accelerate_config: str = ""
    seed: Seed = 0


class Compare(Section):
    metric: Literal["exact_match", "token_f1", "contains"]
    items: Annotated[int, Field(ge=1)] = 200
    shots: Annotated[int, Field(ge=0)] = 4
    max_new_tokens: Annotated[int, Field(ge=1)] = 32
    batch_size: Annotated[int, Field(ge=1)] = 8
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    judge: str = ""
    seed: Seed = 0


class Config(Section):
    """The settings of a project; `model` is a name of the course's, a name on the hub, a folder, or "tiny"."""

    model: str
    data: Data
    train: Train
    compare: Compare

    @pydantic.model_validator(mode="after")
    def fits_together(self) -> Config:
        if self.data.kind == "chat" and self.train.head == "classifier":
            raise ValueError('train.head = "classifier" needs texts with labels: data.kind = "labels"')
        if self.data.kind == "labels" and self.data.pipeline == "whole":
            raise ValueError('data.pipeline = "whole" is for conversations: 4.10 knows no labels')
        if self.train.pipeline == "whole" and (self.train.head, self.train.technique) != ("answer", "lora"):
            raise ValueError('train.pipeline = "whole" is 3.12: it needs head = "answer" and technique = "lora"')
        return self


def load(folder: Folder) -> Config:
    """The settings of a project, checked.

    Raises:
        ProjectError: no TOML, an unknown key, a value that can't be; the line names the file and the place.
    """
    try:
        return Config.model_validate(tomllib.loads(folder.settings.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{folder.settings} isn't valid TOML: {error}. The steps that are done are kept.") from None
    except pydantic.ValidationError as error:
        raise ProjectError(f"{folder.settings}: {told(error)}. The steps that are done are kept.") from None


def told(error: pydantic.ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    value = "" if first["type"] in ("missing", "extra_forbidden") else f" ({json.dumps(first['input'], default=str)})"
    says = {"extra_forbidden": "there is no such setting", "missing": "is missing"}
    what = says.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{place}{value}: {what}" if place else what


def save(folder: Folder, config: Config, why: dict[str, str]) -> None:
    """Write project.toml with a comment beside each choice; `why` says the reason by setting ("train.technique")."""
    lines = [f"# The settings of {folder.name}: change what you like. Steps that a change affects are run again."]
    lines.append(setting("model", config.model, why.get("model")))
    for name in ("data", "train", "compare"):
        lines += ["", f"[{name}]"]
        for key, value in getattr(config, name).model_dump().items():
            lines.append(setting(key, value, why.get(f"{name}.{key}")))
    write(folder.settings, "\n".join(lines) + "\n")


def setting(key: str, value: Any, why: str | None) -> str:
    return f"{key} = {as_toml(value)}" + (f"  # {why}" if why else "")


def as_toml(value: Any) -> str:
    """A value as TOML; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def path_of(folder: Folder, name: str) -> Path:
    """A path in the settings: absolute, or from the project's folder."""
    return (folder.path / Path(name).expanduser()).resolve()
