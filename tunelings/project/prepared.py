"""The model as training begins: adapters attached, a head for the labels, or all of it trainable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from tunelings.handson import precision
from tunelings.project import base, examples
from tunelings.project.config import Config, Technique
from tunelings.project.parts import Parts


def prepared(
    config: Config, path: Path, technique: Technique, names: list[str], parts: Parts, where: str
) -> tuple[nn.Module, Any, examples.Kind]:
    """(model, tokenizer, kind) with only what is trained needing a gradient; random parts follow torch's generator."""
    if config.train.head == "classifier":
        with parts.using("2.07") as head:
            loaded = head.load_for_classification(str(path), names)
            model, tokenizer = loaded.model, loaded.tokenizer
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        if technique != "full":
            model = attached(config, model, parts)
        return model.to(where), tokenizer, examples.labels(config, tokenizer, names)
    tokenizer = base.tokenizer_of(path, is_chat=True)
    if technique == "qlora":
        with parts.using("3.05") as qlora:
            model = qlora.load_for_qlora(path, config.train.r, config.train.lora_alpha)
    else:
        dtype = torch.float32 if technique == "full" else precision.model_dtype(where, trains=True)
        model = base.load_causal(path, dtype=dtype).to(where)
        if technique == "lora":
            model = attached(config, model, parts)
    if torch.device(where).type != "cpu" and technique != "qlora":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model, tokenizer, examples.answers(config, tokenizer, parts)


def attached(config: Config, model: nn.Module, parts: Parts) -> nn.Module:
    with parts.using("3.03") as lora:
        return lora.attach_lora(model, config.train.r, config.train.lora_alpha)


def trainable_of(model: nn.Module) -> nn.ParameterDict:
    """What is trained, and nothing else: the same parameters under names that a ParameterDict takes.

    1.09 and 2.06 get this, so that a checkpoint of LoRA has megabytes and not the whole base.
    """
    chosen = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return nn.ParameterDict({name.replace(".", "/"): parameter for name, parameter in chosen.items()})
