"""project.toml: the settings of a project, what each may be, and why `new` chose what it chose."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder, expanded, write

LONGEST = 131_072  # tokens: the context of the models that a machine of one's own can train
VALUE = 40  # characters of a value in a message
ROLES = {"labels": ("text", "label"), "chat": ("prompt", "completion")}  # what a column may be, by kind


def whole(low: int, high: int) -> Any:
    """A whole number; `high` is far beyond what is of use, and stops a slip before it fills the memory."""
    return Field(ge=low, le=high, strict=True, description=f"a whole number from {low} to {high}")


def real(described: str, **bounds: Any) -> Any:
    return Field(**bounds, strict=True, allow_inf_nan=False, description=f"a number {described}")


def add_up(fractions: tuple[float, float, float]) -> tuple[float, float, float]:
    if not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise ValueError
    return fractions


Technique = Literal["full", "lora", "qlora"]
Seed = Annotated[int, whole(0, 2**32 - 1)]
Batch = Annotated[int, whole(1, 1024)]
Updates = Annotated[int, whole(1, 100_000_000)]
Share = Annotated[float, Field(gt=0, lt=1, strict=True)]
Fractions = Annotated[
    tuple[Share, Share, Share], AfterValidator(add_up), Field(description="three numbers above 0 that add up to 1")
]
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
    columns: dict[str, str] = {}  # by their role
    instruction: str = ""
    test: str = ""
    passages: str = ""
    pipeline: Literal["steps", "whole"] = "steps"
    fractions: Fractions = (0.8, 0.1, 0.1)
    duplicates: Annotated[float, real("above 0, at most 1", gt=0, le=1)] = 0.8
    drop: tuple[Issue, ...] = DROPPED
    language: Language = "en"
    max_length: Annotated[int, whole(8, LONGEST)] = 512
    seed: Seed = 0


class Train(Section):
    technique: Technique
    head: Literal["answer", "classifier"] = "answer"
    pipeline: Literal["steps", "whole"] = "steps"
    r: Annotated[int, whole(1, 1024)] = 8
    lora_alpha: Annotated[int, whole(1, 4096)] = 16
    lr: Annotated[float, real("above 0, at most 1", gt=0, le=1)] = 5e-4
    epochs: Annotated[int, whole(1, 1_000_000)] = 3
    max_steps: Updates = 400
    batch_size: Batch = 4
    accumulation: Annotated[int, whole(1, 65_536)] = 2
    warmup: Annotated[float, real("from 0, under 1", ge=0, lt=1)] = 0.1
    schedule: Literal["linear", "cosine"] = "linear"
    evaluate_every: Updates = 20
    patience: Annotated[int, whole(1, 1_000_000)] = 3
    processes: Annotated[int, whole(1, 1024)] = 1
    accelerate_config: str = ""
    seed: Seed = 0


class Compare(Section):
    metric: Literal["exact_match", "token_f1", "contains"]
    items: Annotated[int, whole(1, 1_000_000)] = 200
    shots: Annotated[int, whole(0, 100)] = 4
    max_new_tokens: Annotated[int, whole(1, LONGEST)] = 32
    batch_size: Batch = 8
    margin: Annotated[float, real("above 0, under 1", gt=0, lt=1)] = 0.05
    judge: str = ""
    seed: Seed = 0


class Config(Section):
    """The settings of a project; `model` is a name of the course's, a name on the hub, a folder, or "tiny"."""

    model: Annotated[str, Field(min_length=1)]
    data: Data
    train: Train
    compare: Compare

    @pydantic.model_validator(mode="after")
    def fits_together(self) -> Config:
        kind, roles = self.data.kind, ROLES[self.data.kind]
        if strange := next((role for role in self.data.columns if role not in roles), None):
            raise ValueError(f'data.columns.{strange}: with data.kind = "{kind}" there are {" and ".join(roles)}')
        if self.data.kind == "chat" and self.train.head == "classifier":
            raise ValueError('train.head = "classifier" needs texts with labels: data.kind = "labels"')
        if self.data.kind == "labels" and self.data.pipeline == "whole":
            raise ValueError('data.pipeline = "whole" is for conversations: 4.10 knows no labels')
        if self.data.test and self.data.pipeline == "whole":
            raise ValueError('data.pipeline = "whole" makes a test part of its own: leave data.test empty')
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
    except pydantic.ValidationError as error:
        raise ProjectError(f"{folder.settings}: {told(error)}. The steps that are done are kept.") from None
    except (ValueError, RecursionError) as error:  # Of tomllib: also a number of 5,000 digits, or 5,000 brackets.
        raise ProjectError(f"{folder.settings} isn't valid TOML: {error}. The steps that are done are kept.") from None


def told(error: pydantic.ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    says = {"extra_forbidden": "there is no such setting", "missing": "is missing"}
    section = Config.model_fields.get(str(first["loc"][0])) if len(first["loc"]) > 1 else None
    setting = getattr(section.annotation, "model_fields", {}).get(first["loc"][1]) if section else None
    range_ = setting.description if setting else None
    if first["type"] in says and not range_:
        return f"{place}: {says[first['type']]}"
    what = f"must be {range_}" if range_ else first["msg"]
    value = json.dumps(first["input"], default=str)
    shown = value if len(value) <= VALUE else f"{value[:VALUE]}…"
    return f"{place} ({shown}): {what}" if place else what.removeprefix("Value error, ")


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
    return expanded(name, folder.path)
